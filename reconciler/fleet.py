"""One pass over many hosts, side by side. One host's trouble, even a bug, stops no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Signal
from threading import Lock
from time import monotonic

from reconciler.apply import Apply
from reconciler.contact import Circumstances, open_contact
from reconciler.contact.vcenter import VCenters
from reconciler.desired.host import DesiredHost
from reconciler.engine import Contact, Task, look_at, matches
from reconciler.events import Connecting, Event, Failed, Finished, Listener
from reconciler.eyes import OwnUses
from reconciler.facts import Datastore, Unseen
from reconciler.faults import Bug, Fault, FaultKind, LoginRefused, Refused
from reconciler.image_facts import InUse
from reconciler.kinds import KINDS
from reconciler.kinds.model import Resource, Risk, Wisher
from reconciler.neighbours import Neighbours
from reconciler.plan import Rules
from reconciler.render.fingerprint import fingerprint
from reconciler.report import FaultReport, HostReport, Report, Status
from reconciler.turns import Turns


class NothingMatches(Exception):
    """`--only` fits no resource of any chosen host."""


@dataclass(frozen=True)
class Options:
    """How to run. `approved` maps a host to the fingerprint of the plan that a person agreed to: another plan is not
    carried out. None: every plan is."""

    dry_run: bool
    allow: Risk | None
    only: tuple[str, ...]
    concurrency: int
    state_dir: Path
    approved: Mapping[str, str] | None = None


def _ignore(report: HostReport) -> None:
    """Nobody wants to hear of single hosts."""


def run(
    hosts: Sequence[DesiredHost],
    options: Options,
    listener: Listener,
    stop: Signal,
    each: Callable[[HostReport], None] = _ignore,
    everyone: Sequence[DesiredHost] | None = None,
) -> Report:
    """Pass over `hosts`; `each` hears of every host as it is done (from several threads, one at a time).

    `everyone` are all hosts of the loaded specs (default: `hosts`): those that are not passed over are asked as well
    before something that they might use is taken away. Once `stop` is set no step and no host begins any more.
    Raises NothingMatches.
    """
    strays = [glob for glob in options.only if not any(_fits(host, options, glob) for host in hosts)]
    if strays:
        raise NothingMatches("--only fits no resource of the chosen hosts: " + " ".join(strays))
    gate, shared = Lock(), _Shared(hosts if everyone is None else everyone, options, stop)

    def work(host: DesiredHost) -> HostReport | None:
        if stop.is_set():
            return None
        report = _Pass(host, options, listener, stop, shared).run()
        with gate:
            each(report)
        return report

    try:
        with ThreadPoolExecutor(max_workers=max(1, min(options.concurrency, len(hosts)))) as pool:
            reports = [report for report in pool.map(work, hosts) if report is not None]
    finally:
        shared.neighbours.close()
        shared.vcenters.close()
    ordered = sorted(reports, key=lambda report: report.name)
    return Report(options.dry_run, tuple(ordered), interrupted=stop.is_set())


def _fits(host: DesiredHost, options: Options, glob: str) -> bool:
    try:
        return any(matches(it.name, (glob,)) for it in task_of(host, options).resources)
    except Exception:  # noqa: BLE001 - the host's own pass will tell
        return True


def task_of(host: DesiredHost, options: Options) -> Task:
    """A host's resources, and the rules of its plan."""
    vcenter = host.access.vcenter is not None and host.access.vcenter.password is not None
    wisher = Wisher(host.name, host.key_files, host.address, vcenter)
    resources: list[Resource] = [it for kind in KINDS for it in kind.resources(host.wish(kind), wisher)]
    allow = max(host.allow, options.allow) if options.allow is not None else host.allow
    rules = Rules(allow, host.source)
    return Task(host.name, host.address, tuple(resources), rules, options.only, host.mode == "observe")


class _Shared:
    """What the passes of one run share: turns on volumes, and what any host says of a volume that others use."""

    def __init__(self, everyone: Sequence[DesiredHost], options: Options, stop: Signal) -> None:
        def still(event: Event) -> None:
            """What a host does while it is only asked is not told."""

        def pause(seconds: float) -> None:
            stop.wait(seconds)

        def contact(host: DesiredHost) -> Contact:
            around = Circumstances(pause, still, stop.is_set, refused=self.refused)
            return open_contact(host, options.state_dir, around)

        self.turns, self.vcenters = Turns(), VCenters(pause)
        self.refused: dict[tuple[object, ...], LoginRefused] = {}
        self.neighbours = Neighbours(everyone, contact)


class _Pass:
    """One host's pass, from the connection to the report."""

    def __init__(
        self, host: DesiredHost, options: Options, listener: Listener, stop: Signal, shared: _Shared
    ) -> None:
        self._host, self._options = host, options
        self._tell, self._stop, self._shared = listener, stop, shared
        self._in_hand = False

    def run(self) -> HostReport:
        began = monotonic()
        report = self._guarded()
        self._tell(Finished(self._host.name, report.status.value, monotonic() - began))
        return report

    def _guarded(self) -> HostReport:
        if self._host.mode == "paused":
            return HostReport(self._host.name, self._host.address, Status.PAUSED)
        try:
            return self._pass()
        except Fault as fault:
            return self._failed(fault)
        except Exception as error:  # noqa: BLE001 - one host's bug stops no other
            return self._failed(Bug.of(self._host.name, error))

    def _failed(self, fault: Fault) -> HostReport:
        self._tell(Failed(self._host.name, fault.kind.value, fault.message))
        status = Status.UNREACHABLE if fault.kind is FaultKind.UNREACHABLE else Status.FAILED
        return HostReport(self._host.name, self._host.address, status, fault=FaultReport.of(fault))

    def _pass(self) -> HostReport:
        if self._host.problems:
            raise Refused(
                f"{self._host.name}: nothing was sent: " + "; ".join(self._host.problems),
                next="make the file readable, or take it out of the spec",
            )
        task = task_of(self._host, self._options)
        self._tell(Connecting(self._host.name, self._host.address))
        shared = self._shared
        around = Circumstances(
            self._pause,
            self._tell,
            self._stop.is_set,
            self._others,
            shared.turns.filled,
            shared.vcenters.desk(self._host),
            shared.refused,
        )
        contact = open_contact(self._host, self._options.state_dir, around)
        try:
            return self._with(task, contact)
        finally:
            contact.close()

    def _with(self, task: Task, contact: Contact) -> HostReport:
        look, plan, report = look_at(task, contact, self._tell)
        if self._options.dry_run or task.observe_only or not plan.steps or self._disagrees(report):
            return report
        self._in_hand = True
        stopping = self._stop.is_set
        turns = self._shared.turns
        return Apply(task, contact, look, (plan, report), self._tell, stopping, self._pause, turns).run()

    def _others(self, datastore: Datastore, own: OwnUses) -> InUse | Unseen:
        return self._shared.neighbours.use(self._host, datastore, own)

    def _disagrees(self, report: HostReport) -> bool:
        """Whether this is not the plan that a person agreed to."""
        approved = self._options.approved
        return approved is not None and approved.get(self._host.name) != fingerprint(report)

    def _pause(self, seconds: float) -> None:
        """Wait. A stop cuts it short, but not while a step may be in hand: that is brought to its end."""
        (Signal() if self._in_hand else self._stop).wait(seconds)
