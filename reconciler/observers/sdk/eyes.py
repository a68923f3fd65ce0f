"""Look at a host over the vSphere SDK: few property calls, and what only SSH could show is said to be out of reach."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from reconciler.facts import (
    AuthorizedKeys,
    BackupOwed,
    Datastores,
    Facts,
    Folder,
    Identity,
    KeysFile,
    Machines,
    NetworkState,
    OutOfReach,
    Persistence,
    Question,
    SessionKey,
    ShellTimeout,
    SshState,
    Unseen,
)
from reconciler.image_facts import DisksInUse, HostTime
from reconciler.observers.polling import Polling
from reconciler.observers.sdk import census, shown
from reconciler.observers.sdk.shown import Beyond, Unclear
from reconciler.observers.sdk.stores import ON_DATASTORES, STORE_READERS, Stores
from reconciler.placement_facts import HardwareUuid
from reconciler.records import record
from reconciler.transports.sdk import HOST_DATASTORES, HOST_VMS, MethodFault, Passing, Row, SdkSession, Want

KEYS_PATH, KEYS_FILE = "/host/ssh_root_authorized_keys", "/etc/ssh/keys-root/authorized_keys"
FIRST_KEYS = (5, 1, 0)
TIMEOUT = "UserVars.ESXiShellTimeOut"
HOST_PATHS: dict[type[Question[Any]], str] = {
    NetworkState: "config.network",
    SshState: "config.service",
    HardwareUuid: "hardware.systemInfo",
}
HOST_READERS: dict[type[Question[Any]], Callable[[Row], Any]] = {
    NetworkState: shown.network,
    SshState: shown.ssh,
    HardwareUuid: shown.hardware,
}
BESIDE_KEYS = "/host/ssh_host_rsa_key_pub"
"""Where this answers, and the keys do not, there is no file; where neither does, the host shows no such files now."""
NO_KEYS = "the host does not show root's keys over HTTPS"
OLD_KEYS = "root's keys of ESXi before 5.1 can only be seen over SSH"
BANK = "only SSH shows what a reboot brings back"
SHELL = "only SSH can show it"
ON_PROPERTIES = {*HOST_PATHS, *ON_DATASTORES, Machines, ShellTimeout, HostTime}
Answers = dict[Question[Any], Any]


@record
class _Away(Unseen):
    """Unseen since hostd, or what stands behind it, was away: to be asked again."""


def _untold(fault: MethodFault) -> Unseen:
    if isinstance(fault, Passing):
        return _Away(f"hostd, the host's management agent, did not answer for two minutes: {fault.said}")
    return Unseen(f"the host does not tell it over the SDK: {fault.said}")


def _is_unseen_folder(question: Question[Any], answer: object) -> bool:
    return isinstance(question, Folder) and isinstance(answer, Unseen)


class SdkEyes:
    """Looks at one host. `pause` waits that many seconds; `waiting` is told why and how long.

    Raises faults.Unsupported for a version that is not managed.
    """

    def __init__(
        self, session: SdkSession, pause: Callable[[float], None], waiting: Callable[[str, float], None]
    ) -> None:
        self._session = session
        self._polling = Polling(pause, waiting)
        self._managers: Any = None
        self._stale: frozenset[str] = frozenset()
        self._late: Passing | None = None
        about = session.about
        self._product = shown.product(about.name, about.version, about.build)

    def look(self, questions: Collection[Question[Any]], known: Facts) -> Mapping[Question[Any], Any]:
        """The answers: `OutOfReach` where only SSH could tell, `Unseen` where the host would not. What hostd is away
        for is asked again, and nothing else is. Raises faults.Unreachable, faults.LoginRefused."""
        seen: Answers = {Identity(): self._product}
        told = self._polling.look(questions, seen, self._look, lambda answer: isinstance(answer, _Away))
        if Datastores() not in questions or Datastores() in known:
            return told
        # asked along, where nobody could know whether its datastore can be reached: not to be asked over SSH for that
        return {it: answer for it, answer in told.items() if not _is_unseen_folder(it, answer)}

    def _look(self, questions: Collection[Question[Any]]) -> Answers:
        rows: dict[str, list[Row]] = {}
        untold: Answers = {}
        try:
            rows = self._rows(questions)
        except MethodFault as fault:
            untold = {it: _untold(fault) for it in questions if type(it) in ON_PROPERTIES}
        stores = Stores(self._session, rows.get("Datastore", []), self._stale)
        return {it: untold.get(it) or self._answer(it, rows, stores) for it in questions}

    def _rows(self, questions: Collection[Question[Any]]) -> dict[str, list[Row]]:
        """All that the questions need, by kind, in one property call; another one for what was refreshed before."""
        kinds = {type(question) for question in questions}
        wants: list[Want] = []
        paths = tuple(path for kind, path in HOST_PATHS.items() if kind in kinds)
        paths += ("configManager",) if kinds & {ShellTimeout, HostTime} and self._managers is None else ()
        if paths:
            wants.append(Want("HostSystem", paths, self._session.host()))
        if kinds & ON_DATASTORES:
            if Datastores in kinds:
                self._refresh()
            wants.append(Want("Datastore", ("summary", "info", "host", "browser"), HOST_DATASTORES))
        if kinds & {Machines, DisksInUse}:
            wants.append(Want("VirtualMachine", census.PATHS, HOST_VMS))
        rows: dict[str, list[Row]] = {}
        for row in self._session.read(wants) if wants else ():
            rows.setdefault(row.object._wsdlName, []).append(row)
            self._managers = row.values.get("configManager", self._managers)
        return rows

    def _refresh(self) -> None:
        """hostd tells free space as it was when it last looked (field guide, sdk.md); where it would not look again,
        that is noted. One that is away keeps nothing else from being told."""
        stale = []
        self._late = None
        for row in self._session.read([Want("Datastore", ("summary.accessible",), HOST_DATASTORES)]):
            if row.values.get("summary.accessible"):
                try:
                    self._session.call(row.object, "RefreshDatastore")
                except MethodFault as fault:
                    self._late = fault if isinstance(fault, Passing) else self._late
                    stale.append(row.object._moId)
        self._stale = frozenset(stale)

    def _answer(self, question: Question[Any], rows: Mapping[str, list[Row]], stores: Stores) -> Any:
        try:
            return self._shown(question, rows, stores)
        except Beyond as problem:
            return OutOfReach(str(problem))
        except Unclear as problem:
            return Unseen(str(problem))
        except MethodFault as fault:
            return _untold(fault)

    def _shown(self, question: Question[Any], rows: Mapping[str, list[Row]], stores: Stores) -> Any:
        """One answer. Raises Unclear, MethodFault."""
        if isinstance(question, Datastores) and self._late is not None:
            raise self._late
        if type(question) in STORE_READERS:
            return STORE_READERS[type(question)](question, stores)
        if type(question) in HOST_READERS:
            return HOST_READERS[type(question)](_only(rows, "HostSystem"))
        machines = rows.get("VirtualMachine", [])
        asked: dict[Question[Any], Callable[[], Any]] = {
            Machines(): lambda: tuple(it for row in machines for it in shown.machines(row)),
            DisksInUse(): lambda: census.uses(machines, stores.names, stores.reached),
            AuthorizedKeys(): self._keys,
            ShellTimeout(): self._timeout,
            HostTime(): self._time,
            SessionKey(): lambda: None,
            BackupOwed(): frozenset,
            Persistence(): lambda: OutOfReach(BANK),
        }
        return asked.get(question, lambda: OutOfReach(SHELL))()

    def _keys(self) -> KeysFile | OutOfReach:
        if self._product.version < FIRST_KEYS:
            return OutOfReach(OLD_KEYS)
        answer = self._session.https("GET", KEYS_PATH)
        if answer.status == 404 and self._session.https("GET", BESIDE_KEYS).status == 200:
            return KeysFile(KEYS_FILE, None)
        if answer.status == 404:
            return OutOfReach(NO_KEYS)
        if answer.status != 200:
            raise Unclear(f"GET {KEYS_PATH} was answered with {answer.status} {answer.reason}")
        return KeysFile(KEYS_FILE, answer.body)

    def _timeout(self) -> int:
        manager = self._manager("advancedOption")
        (option,) = self._session.call(manager, "QueryOptions", name=TIMEOUT)
        return int(option.value)

    def _time(self) -> int:
        return int(self._session.call(self._manager("dateTimeSystem"), "QueryDateTime").timestamp())

    def _manager(self, name: str) -> Any:
        found = getattr(self._managers, name, None)
        if found is None:
            raise Unclear(f"the host shows no {name} over the SDK")
        return found


def _only(rows: Mapping[str, list[Row]], kind: str) -> Row:
    found = rows.get(kind, [])
    if len(found) != 1:
        raise Unclear(f"the host shows {len(found)} objects of the kind {kind}, not one")
    return found[0]
