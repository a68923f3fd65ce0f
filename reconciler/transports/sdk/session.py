"""A session with the API: logged in once, in again when it has expired, every foreign error translated."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import cache
from typing import Any, TypeVar

from pyVmomi import SoapAdapter, VmomiSupport
from pyVmomi import vim as typed_vim
from pyVmomi import vmodl as typed_vmodl

from reconciler.faults import Fault, LoginRefused, Unreachable
from reconciler.transports.sdk import collector, https, versions
from reconciler.transports.sdk.answers import (
    NOT_AUTHENTICATED,
    MethodFault,
    NoRight,
    Passing,
    Restricted,
    translated,
)
from reconciler.transports.sdk.beside import MOST_BYTES, Beside
from reconciler.transports.sdk.certificate import fingerprint
from reconciler.transports.sdk.guard import guarded
from reconciler.transports.sdk.https import Connection, Garbled, HttpAnswer
from reconciler.transports.sdk.line import Line
from reconciler.transports.sdk.properties import Row, Want
from reconciler.transports.sdk.target import SdkTarget
from reconciler.transports.sdk.versions import About
from reconciler.transports.target import DEFAULT_LIMITS, WARM_SECONDS, Gate, Limits

__all__ = ["About", "SdkSession", "connect"]

T = TypeVar("T")
vim: Any = typed_vim
vmodl: Any = typed_vmodl
adapter: Any = SoapAdapter
support: Any = VmomiSupport
TASK = ("info.state", "info.result", "info.error", "info.progress")
POLL_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between looks at a task, the last one again and again."""
GOODBYE_SECONDS = 5.0
"""A logout may take so long; the host ends a session that nobody uses by itself."""
IDLE_SECONDS = 60.0
"""A connection that was unused for so long is opened anew: firewalls forget it, and say nothing."""
_NO_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML can't hold, not even escaped (XML 1.0, section 2.2)."""


def connect(
    target: SdkTarget,
    limits: Limits = DEFAULT_LIMITS,
    gate: Gate = nullcontext,
    patience: float | None = None,
) -> SdkSession:
    """Open a session: the certificate is checked, then what answers, then the password is sent, once, past the `gate`.

    `patience` is for how many seconds a host may say nothing, where that is less than the `limits` give it.

    Raises faults.Unreachable, faults.CertificateRefused, faults.Unsupported (no ESXi, or a vCenter where a host is
    wanted) and faults.LoginRefused.
    """
    session = SdkSession(target, limits.at_first(patience), gate)
    try:
        session.log_in()
    except BaseException:
        session.close()
        raise
    session.line.within(None)
    session.line.limits = limits
    return session


class SdkSession:
    """An open session; used by one thread at a time. `reads` counts the property calls for facts, `restricted` tells
    whether the licence has forbidden something."""

    def __init__(self, target: SdkTarget, limits: Limits, gate: Gate = nullcontext) -> None:
        """Find out who answers. Raises as `connect`, but for the login."""
        self.target, self.line = target, Line(target, limits)
        self.reads, self.restricted = 0, False
        self._gate, self._sound = gate, True
        self._secret = cache(target.password)
        self._beside = Beside(self.line, self._password)
        self._in = False
        self._refused: LoginRefused | None = None
        version = versions.best(self._listed(), target)
        self._stub = adapter.SoapStubAdapter(
            target.address, target.port, version=version, poolSize=1, connectionPoolTimeout=IDLE_SECONDS
        )
        self._stub.scheme = lambda host, port, **more: Connection(self.line)
        try:
            self.content, self.about = self._introduced()
        except BaseException:
            self._stub.DropConnections()
            raise

    def _listed(self) -> HttpAnswer:
        """The versions of the API that are spoken there."""
        try:
            answer, connection = https.ask(
                Connection(self.line), "GET", versions.LIST, limit=versions.MOST_BYTES
            )
        except (Garbled, ValueError) as error:
            said = str(error).removeprefix(f"{self.target.place}: ")
            raise versions.foreign(self.target, f"asked for {versions.LIST}: {said}") from error
        if connection is not None:
            connection.close()
        return answer

    def _introduced(self) -> tuple[Any, About]:
        instance = vim.ServiceInstance("ServiceInstance", self._stub)
        try:
            content = self._guarded(instance.RetrieveContent)
        except Passing as fault:
            raise self._restarting(fault) from fault
        except (Garbled, MethodFault) as fault:
            said = str(fault).removeprefix(f"{self.target.place}: ")
            raise versions.foreign(self.target, f"asked what it is: {said}") from fault
        return content, versions.checked(getattr(content, "about", None), self.target)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return guarded(self.line, work)
        except Restricted:
            self.restricted = True
            raise
        except MethodFault:
            raise
        except BaseException:
            self._sound = False
            raise

    @property
    def certificate(self) -> bytes:
        """What the other side showed, in DER."""
        assert self.line.trust.seen is not None
        return self.line.trust.seen

    @property
    def fingerprint(self) -> str:
        """`SHA256:AA:BB:…` of the certificate."""
        return fingerprint(self.certificate)

    # -- login -------------------------------------------------------------------------------------------------

    def log_in(self) -> None:
        """Send the password, once. Raises faults.LoginRefused, faults.Unreachable."""
        password = self._password()
        with self._gate():
            away = self._offer(password)
        if away is not None:
            raise self._restarting(away) from away
        self._in = True

    def _offer(self, password: str) -> Passing | None:
        """One try; what the agent says that is not there to look at it. Raises as `log_in`."""
        target, manager = self.target, self.content.sessionManager
        try:
            self._guarded(lambda: manager.Login(userName=target.user, password=password))
        except Passing as fault:
            return fault
        except MethodFault as fault:
            self._refused = LoginRefused(
                f"{target.place}: the SDK refused {target.user} with the password from {target.password_source}: "
                f"{fault.said}; it was tried once",
                next=f"correct {target.field}.user or the secret; ESXi locks an account after a few wrong passwords",
            )
            raise self._refused from fault
        return None

    def _password(self) -> str:
        """Raises faults.LoginRefused for one that can't be sent, or was refused before: it is not tried again."""
        if self._refused is not None:
            raise self._refused
        password = self._secret()
        if _NO_XML.search(password):
            raise LoginRefused(
                f"{self.target.place}: the password from {self.target.password_source} has a control character in "
                "it, which the SDK can't be sent; nothing was tried",
                next="correct the secret, or give the account another password",
            )
        return password

    def _logged_in(self, work: Callable[[], T]) -> T:
        """Do something that needs a login; if the session has expired, log in and do it once more: it had no effect."""
        try:
            return work()
        except MethodFault as fault:
            if fault.name != NOT_AUTHENTICATED or not self._in:
                raise
        self.line.within(self.line.limits.total)
        try:
            self.log_in()
        finally:
            self.line.within(None)
        try:
            return work()
        except MethodFault as fault:
            if fault.name == NOT_AUTHENTICATED:
                raise NoRight(fault.name, fault.said, fault.details) from fault
            raise

    def _restarting(self, fault: MethodFault) -> Unreachable:
        return Unreachable(
            f"{self.target.place}: the management agent (hostd) is not ready: {fault.said}",
            next="it needs up to a minute after a start; try again then",
        )

    # -- objects -----------------------------------------------------------------------------------------------

    def host(self) -> Any:
        """The one HostSystem that ESXi's own agent manages."""
        return self.object("HostSystem", "ha-host")

    def object(self, kind: str, moid: str) -> Any:
        """A managed object of that kind by its id."""
        return getattr(vim, kind)(moid, self._stub)

    def kind(self, name: str) -> Any:
        """A kind of managed object by its name in the API, as an argument of calls."""
        return getattr(vim, name)

    def make(self, name: str, /, **fields: Any) -> Any:
        """A data object by its name in the API (`HostNasVolumeSpec`) with these fields."""
        return support.GetWsdlType("urn:vim25", name)(**fields)

    # -- calls -------------------------------------------------------------------------------------------------

    def read(self, wants: Sequence[Want]) -> list[Row]:
        """All wishes in one property call (where the other side answers in pages, one for each). Raises as `call`."""
        self.reads += 1
        return self._rows(wants)

    def _rows(self, wants: Sequence[Want]) -> list[Row]:
        return self._logged_in(lambda: [collector.row(each) for each in self._pages(wants)])

    def _pages(self, wants: Sequence[Want]) -> list[Any]:
        properties = self.content.propertyCollector
        specs = collector.filters(wants, self.host())
        options = vmodl.query.PropertyCollector.RetrieveOptions()
        page = self._guarded(lambda: properties.RetrievePropertiesEx(specSet=specs, options=options))
        found: list[Any] = []
        while page is not None:
            found += page.objects
            token = page.token
            if not token:
                break
            page = self._guarded(lambda: properties.ContinueRetrievePropertiesEx(token=token))  # noqa: B023
        return collector.authenticated(found)

    def call(self, obj: Any, method: str, **arguments: Any) -> Any:
        """Call a method by its name in the API (`StartService`). An expired session is logged in to again and the call
        repeated, once: it had no effect.

        Raises MethodFault and what is of it, faults.Unreachable when the link breaks (the call may have had its
        effect), faults.LoginRefused when the session can't be had again.
        """
        return self._logged_in(lambda: self._guarded(lambda: getattr(obj, method)(**arguments)))

    def wait(
        self,
        task: Any,
        limit: float,
        *,
        pause: Callable[[float], None] = time.sleep,
        heard: Callable[[int | None], None] = lambda percent: None,
    ) -> Any:
        """Wait for a task, at most `limit` seconds; its result. `heard` is told how far it is, in percent.

        Raises MethodFault with the task's own error, faults.Unreachable also when it takes longer: it goes on then.
        """
        until, polls = time.monotonic() + limit, 0
        while True:
            row = next(iter(self._rows([Want("Task", TASK, of=task)])), Row(task, {}, {}))
            state = row.values.get("info.state")
            if state == "success":
                return row.values.get("info.result")
            if state == "error":
                raise translated(row.values.get("info.error") or vmodl.fault.SystemError())
            if state is None:
                why = "; ".join(dict.fromkeys(row.missing.values())) or "the host says nothing of it"
                raise Passing("task", f"how the task ended can't be seen: {why}")
            heard(row.values.get("info.progress"))
            if time.monotonic() >= until:
                raise Unreachable(
                    f"{self.target.place}: a task did not end in {limit:.0f} s", next=https.TRY_LATER
                )
            pause(POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)])
            polls += 1

    def https(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = MOST_BYTES,
    ) -> HttpAnswer:
        """A request beside the API (`/host/…`, `/folder/…`) with the account's password; redirects are not followed.

        Raises Passing for 502 to 504, MethodFault for an answer of more than `limit` bytes, NoRight for 403 and for a
        password that is not taken (401, after which nothing more is asked), faults.Unreachable (also when the answer
        is cut off), faults.LoginRefused for a password that was refused before.
        """
        return self._beside.ask(method, path, body, headers, limit)

    # -- between uses ------------------------------------------------------------------------------------------

    def rest(self) -> bool:
        """Nobody uses it for a while. Whether it may be used again: nothing went wrong, no password was refused."""
        self._beside.close()
        self._secret.cache_clear()
        return self._in and self._sound and self._refused is None and not self._beside.shut

    def stands(self) -> bool:
        """Whether the same still answers there after a rest. Whether it is logged in shows with the next call."""
        self.line.within(WARM_SECONDS)
        try:
            return self._introduced()[1] == self.about
        except Fault:
            return False
        finally:
            self.line.within(None)

    def close(self) -> None:
        """Log out, as far as the link allows in a few seconds, and hang up."""
        self.line.within(GOODBYE_SECONDS)
        if self._in:
            self._in = False
            with suppress(Fault, MethodFault):
                self._guarded(self.content.sessionManager.Logout)
        self._stub.DropConnections()
        self._beside.close()
