"""The way over the vSphere SDK, warm from the last pass if it can be.

Loaded only when a host needs it: pyVmomi takes a tenth of a second to import.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from reconciler.actuators.sdk.hands import SdkHands
from reconciler.contact.circumstances import Circumstances
from reconciler.contact.targets import api_target
from reconciler.desired.host import DesiredHost
from reconciler.facts import Product
from reconciler.faults import LoginRefused, Unreachable
from reconciler.observers.sdk.eyes import SdkEyes
from reconciler.observers.sdk.licence import licence_of
from reconciler.records import record
from reconciler.state.logins import sdk_login, stamps
from reconciler.transports.sdk import MethodFault, SdkSession, connect

HOST_KEY = "/host/ssh_host_rsa_key_pub"


@record
class _Licensed:
    """A session, and what its licence lets it do: hostd keeps a failed task of each time that this is found out."""

    session: SdkSession
    restricted: bool
    doubt: str | None

    def rest(self) -> bool:
        """See `transports.pool.Session`. What is known of the licence has to hold still."""
        known = self.doubt is None and self.session.restricted == self.restricted
        return self.session.rest() and known

    def stands(self) -> bool:
        return self.session.stands()

    def close(self) -> None:
        self.session.close()


class SdkWay:
    """An open session over the SDK, with eyes and hands. Raises what `transports.sdk.connect` and `Refusals.ask` raise.

    `restricted`: the licence lets it only read. `doubt`: what the host said instead of an answer to that.
    """

    def __init__(self, host: DesiredHost, state_dir: Path, around: Circumstances) -> None:
        login, access = sdk_login(host), host.access.sdk
        gate = partial(around.refusals.attempt, login)

        def connected() -> _Licensed:
            around.refusals.ask(login)
            target = api_target(access, host.name, host.address, "access.sdk", "HostAgent")
            with around.patience() as patience:
                session = connect(target, gate=gate, patience=patience)
            try:
                return _Licensed(session, *licence_of(session))
            except BaseException:
                session.close()
                raise

        key = (login, stamps([access.ca_file]))
        self._lease = around.pool.lease((host.name, "sdk"), key, connected)
        licensed = self._lease.session
        self.session, self.restricted, self.doubt = licensed.session, licensed.restricted, licensed.doubt
        try:
            self.eyes = SdkEyes(self.session, around.pause, around.waiting(host.name))
        except BaseException:
            self.close()
            raise
        self._name, self._around, self._state_dir = host.name, around, state_dir

    def hands(self, product: Product) -> SdkHands:
        """Hands that know what that version can do."""
        work = self._around.work(self._name, self._state_dir)
        return SdkHands(self.session, product, work)

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
        self._lease.close()
