"""The SDK port of a host: opened and closed with its power, and by faults."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes, serialization

from reconciler.simulator.host import Host
from reconciler.simulator.sdk.agent import Agent
from reconciler.simulator.sdk.certificates import Certificates
from reconciler.simulator.sdk.server import HttpsServer


class SdkPort:
    """One host's SDK, reachable."""

    def __init__(
        self, host: Host, address: str, certificates: Certificates, host_keys: Callable[[], list[str]]
    ) -> None:
        self._host = host
        made = certificates.make(host.name, address)
        self.certificate = made.public_bytes(serialization.Encoding.DER)
        self.thumbprint = "SHA256:" + made.fingerprint(hashes.SHA256()).hex(":").upper()
        self.agent = Agent(host, host_keys)
        old = not host.release.since(6)
        self._own = certificates.context(made, old=old)
        self._others = certificates.context(certificates.make(f"not {host.name}", address), old=old)
        self._server = HttpsServer(address, self._own, self.agent.handle)

    @property
    def port(self) -> int:
        return self._server.port

    def open(self) -> None:
        """Listen, and follow the host's power and faults from now on. Raises SimulatorError."""
        self._server.listen()
        power, ssh = self._host.on_power, self._host.on_ssh

        def on_power(up: bool) -> None:
            power(up)
            self._power(up)

        def on_ssh(running: bool) -> None:
            if self._host.faults.get("cut-now") is not None:
                self._server.cut()
            ssh(running)
            self._faults()

        self._host.on_power, self._host.on_ssh = on_power, on_ssh

    def _power(self, up: bool) -> None:
        self.agent.rebooted()
        if up:
            self._server.listen()
        else:
            self._server.close()

    def _faults(self) -> None:
        if self._host.faults.get("sdk-refuse") is not None or not self._host.up:
            self._server.close()
            return
        strange = self._host.faults.get("sdk-certificate") is not None
        self._server.show(self._others if strange else self._own)
        self._server.listen()

    def shut(self) -> None:
        """Close everything."""
        self._server.close()
