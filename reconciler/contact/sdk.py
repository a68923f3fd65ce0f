"""The way over the vSphere SDK. Loaded only when a host needs it: pyVmomi takes a tenth of a second to import."""

from __future__ import annotations

from pathlib import Path

from reconciler.actuators.sdk.hands import SdkHands
from reconciler.contact.circumstances import Circumstances
from reconciler.contact.targets import api_target
from reconciler.desired.host import DesiredHost
from reconciler.facts import Product
from reconciler.faults import LoginRefused, Unreachable
from reconciler.observers.sdk.eyes import SdkEyes
from reconciler.observers.sdk.licence import licence_of
from reconciler.transports.sdk import MethodFault, connect

HOST_KEY = "/host/ssh_host_rsa_key_pub"


class SdkWay:
    """An open session over the SDK, with eyes and hands. Raises what `transports.sdk.connect` raises.

    `restricted`: the licence lets it only read. `doubt`: what the host said instead of an answer to that.
    """

    def __init__(self, host: DesiredHost, state_dir: Path, around: Circumstances) -> None:
        self.session = connect(
            api_target(host.access.sdk, host.name, host.address, "access.sdk", "HostAgent")
        )
        try:
            self.eyes = SdkEyes(self.session, around.pause, around.waiting(host.name))
            self.restricted, self.doubt = licence_of(self.session)
        except BaseException:
            self.session.close()
            raise
        self._work = around.work(host.name, state_dir / "spool")

    def hands(self, product: Product) -> SdkHands:
        """Hands that know what that version can do."""
        return SdkHands(self.session, product, self._work)

    def host_key(self) -> str | None:
        """The public host key for SSH, `TYPE BASE64`, from where the host's certificate vouches for it; None when it
        does not answer there (documented from 5.1 to 8.0)."""
        try:
            answer = self.session.https("GET", HOST_KEY)
        except (Unreachable, LoginRefused, MethodFault):
            return None
        words = answer.body.decode("ascii", "replace").split()
        return " ".join(words[:2]) if answer.status == 200 and len(words) >= 2 else None

    def close(self) -> None:
        self.session.close()
