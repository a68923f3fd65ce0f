"""One pass over many hosts, side by side. One host's trouble, even a bug, stops no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from pathlib import Path
from threading import Event as Signal
from threading import Lock
from time import monotonic

from reconciler.apply import Apply
from reconciler.contact import Circumstances, PutOff, open_contact
from reconciler.contact.vcenter import VCenters
from reconciler.desired.host import DesiredHost
from reconciler.engine import Contact, Journal, NoJournal, Settled, Task, look_at, matches
from reconciler.events import Connecting, Event, Failed, Finished, Listener, Postponed, Waiting
from reconciler.eyes import OwnUses
from reconciler.facts import Datastore, Unseen
from reconciler.faults import Bug, Fault, FaultKind, Refused
from reconciler.image_facts import InUse
from reconciler.kinds import KINDS
from reconciler.kinds.model import Resource, Risk, Wisher
from reconciler.neighbours import Neighbours
from reconciler.plan import Rules
from reconciler.records import record
from reconciler.render.fingerprint import fingerprint
from reconciler.report import FaultReport, HostReport, Report, Status
from reconciler.state.refusals import Refusals
from reconciler.transports.pool import Pool
from reconciler.turns import Turns

HostTurn = Callable[[str, Callable[[], bool], Callable[[], None]], AbstractContextManager[bool]]
"""Gives the turn on a host, by what `machine` says, against other runs; called as `turns.Turns.on`, and yields whether
it was had: not when `stopping` ended the wait."""


def every_turn(
    host: str, stopping: Callable[[], bool], waiting: Callable[[], None]
) -> AbstractContextManager[bool]:
    """No other run has to be minded."""
    return nullcontext(True)


_PLAIN = re.compile(r"[a-z0-9._-]{1,200}")
FILLED_SECONDS = 600.0
"""A loop tries a volume again that filled up so long ago."""


def machine(host: DesiredHost) -> str:
    """What tells a host from others, whatever its spec is called: address and port, fit for the name of a file."""
    place = f"{host.address.lower()}_{host.access.ssh.port}"
    return place if _PLAIN.fullmatch(place) else sha256(place.encode()).hexdigest()


class NothingMatches(Exception):
    """`--only` fits no resource of any chosen host."""


@record
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
    journal: Callable[[], Journal] = NoJournal,
    turn: HostTurn = every_turn,
) -> Report:
    """Pass over `hosts`; `each` hears of every host as it is done (from several threads, one at a time).

    `everyone` are all hosts of the loaded specs (default: `hosts`): those that are not passed over are asked as well
    before something that they might use is taken away. Hosts that say nothing come last. Once `stop` is set no step and
    no host begins any more.
    Raises NothingMatches.
    """
    strays = [glob for glob in options.only if not any(fits(host, options, glob) for host in hosts)]
    if strays:
        raise NothingMatches("--only fits no resource of the chosen hosts: " + " ".join(strays))
    gate = Lock()
    fleet = Fleet(hosts if everyone is None else everyone, options, listener, stop, journal, turn)

    reports: list[HostReport] = []
    put_off: list[Future[None]] = []

    def work(host: DesiredHost, hasty: bool) -> None:
        if stop.is_set():
            return
        report = fleet.pass_over(host, hasty=hasty)
        with gate:
            if report.status is not Status.PENDING:
                each(report)
                reports.append(report)
            elif hasty:
                # it comes behind all others now
                put_off.append(pool.submit(work, host, False))

    try:
        with ThreadPoolExecutor(max_workers=max(1, min(options.concurrency, len(hosts)))) as pool:
            for tried in [pool.submit(work, host, len(hosts) > 1) for host in hosts]:
                tried.result()
            for tried in put_off:
                tried.result()
    finally:
        fleet.close()
    ordered = sorted(reports, key=lambda report: report.name)
    return Report(options.dry_run, tuple(ordered), interrupted=stop.is_set())


def fits(host: DesiredHost, options: Options, glob: str) -> bool:
    """Whether a glob of `--only` fits one of the host's resources, or can't be told before its pass."""
    try:
        return any(matches(it.name, (glob,)) for it in task_of(host, options).resources)
    except Exception:  # noqa: BLE001 - the host's own pass will tell
        return True


def task_of(
    host: DesiredHost, options: Options, halted: str | None = None, before: Settled | None = None
) -> Task:
    """A host's resources, and the rules of its plan; the task of `before`, of the same spec, where that is the same."""
    if before is not None and before.task.rules.halted == halted:
        return before.task
    vcenter = host.access.vcenter is not None and host.access.vcenter.password is not None
    wisher = Wisher(host.name, host.key_files, host.address, vcenter)
    resources: list[Resource] = [it for kind in KINDS for it in kind.resources(host.wish(kind), wisher)]
    allow = max(host.allow, options.allow) if options.allow is not None else host.allow
    rules = Rules(allow, host.source, halted=halted)
    return Task(host.name, host.address, tuple(resources), rules, options.only, host.mode == "observe")


@record
class Leave:
    """Whether a pass may change its host.

    `halted` is why nothing is changed anywhere (its steps are held for it); `begin` is asked once there is a plan, just
    before the first step, and says whether it may be carried out now; `stopping` whether no step may begin any more.
    `waits` is told when the pass begins to wait for another run that has the host (True), and when that is over.
    """

    begin: Callable[[HostReport], bool] = lambda planned: True
    stopping: Callable[[], bool] = lambda: False
    halted: str | None = None
    waits: Callable[[bool], None] = lambda waits: None


FREELY = Leave()


class Fleet:
    """What passes share: turns on volumes, what any host says of a volume that others use, sessions, refused logins.

    `everyone` are all hosts of the loaded specs. `refusals` is the gate before every login. `idle` is how many seconds
    a session may rest between passes; None: this fleet is for one run, which keeps none. Safe to use from any thread.
    """

    def __init__(
        self,
        everyone: Sequence[DesiredHost],
        options: Options,
        listener: Listener,
        stop: Signal,
        journal: Callable[[], Journal] = NoJournal,
        turn: HostTurn = every_turn,
        refusals: Refusals | None = None,
        idle: float | None = None,
    ) -> None:
        def still(event: Event) -> None:
            """What a host does while it is only asked is not told."""

        def pause(seconds: float) -> None:
            stop.wait(seconds)

        def contact(host: DesiredHost) -> Contact:
            around = Circumstances(pause, still, stop.is_set, pool=self.pool, refusals=self.refusals)
            return open_contact(host, options.state_dir, around)

        self.options, self.tell, self.stop = options, listener, stop
        self.journal, self.turn = journal, turn
        self.refusals, self.pool = refusals or Refusals(), Pool(idle)
        self._settled: dict[str, tuple[DesiredHost, Settled]] = {}
        self.turns = Turns() if idle is None else Turns(FILLED_SECONDS)
        self.vcenters = VCenters(pause, self.refusals, idle)
        self.neighbours = Neighbours(everyone, contact, hold=idle is None)

    def pass_over(
        self,
        host: DesiredHost,
        leave: Leave = FREELY,
        journal: Journal | None = None,
        *,
        hasty: bool = False,
    ) -> HostReport:
        """One pass, whose steps that `journal` keeps, or else one of the fleet's; whatever goes wrong is in its report.
        It is `pending` when a stop ended the wait for its turn, and when the host said nothing in a `hasty` pass."""
        began = monotonic()
        try:
            report = _Pass(self, host, leave, journal or self.journal(), hasty=hasty).run()
        except PutOff:
            self.tell(Postponed(host.name))
            return HostReport(host.name, host.address, Status.PENDING)
        self.tell(Finished(host.name, report.status.value, monotonic() - began))
        return report

    def settled(self, host: DesiredHost) -> Settled | None:
        """How the last pass found the host, if all was in order and the spec is the same. It is told once: after a pass
        that failed the next one looks step by step."""
        before, settled = self._settled.pop(host.name, (None, None))
        return settled if before == host else None

    def note(self, host: DesiredHost, settled: Settled | None) -> None:
        """A look has come to this."""
        if settled is not None and self.pool.idle is not None:
            self._settled[host.name] = (host, settled)

    def know(self, everyone: Sequence[DesiredHost]) -> None:
        """From now on these are all hosts. A pass in progress goes on with what it began with."""
        self.neighbours.know(everyone)
        self.vcenters.know(everyone)
        names = {host.name for host in everyone}
        self.pool.tidy(names)
        for name in self._settled.keys() - names:
            self._settled.pop(name, None)

    def tidy(self) -> None:
        """Hang up where nothing was asked for long. Quick: a loop does it every few seconds."""
        self.pool.tidy()
        self.vcenters.tidy()

    def afresh(self) -> None:
        """Somebody says that things have changed: every next pass logs in anew, also where that was refused."""
        self.refusals.forgive()
        self.pool.afresh()
        self.vcenters.afresh()

    def close(self) -> None:
        """Hang up everywhere."""
        self.neighbours.close()
        self.pool.close()
        self.vcenters.close()


class _Pass:
    """One host's pass, from the connection to the report."""

    def __init__(
        self, fleet: Fleet, host: DesiredHost, leave: Leave, journal: Journal, *, hasty: bool
    ) -> None:
        self._fleet, self._host, self._leave, self._journal = fleet, host, leave, journal
        self._hasty = hasty
        self._tell = fleet.tell
        self._in_hand = False

    def run(self) -> HostReport:
        """Raises PutOff."""
        if self._host.mode == "paused":
            return HostReport(self._host.name, self._host.address, Status.PAUSED)
        try:
            return self._pass()
        except PutOff:
            raise
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
        fleet, options = self._fleet, self._fleet.options
        looks_only = options.dry_run or self._host.mode == "observe"
        halted = None if looks_only else self._leave.halted
        before = fleet.settled(self._host)
        task = task_of(self._host, options, halted, before)
        if looks_only or self._leave.halted:
            return self._opened(task, before)
        with fleet.turn(machine(self._host), self._stopping, self._waits) as had:
            self._leave.waits(False)
            if not had:
                return HostReport(self._host.name, self._host.address, Status.PENDING)
            return self._opened(task, before)

    def _waits(self) -> None:
        self._leave.waits(True)
        self._tell(Waiting(self._host.name, "another run works on this host", 0.0))

    def _opened(self, task: Task, before: Settled | None) -> HostReport:
        fleet, options = self._fleet, self._fleet.options
        self._tell(Connecting(self._host.name, self._host.address))
        around = Circumstances(
            self._pause,
            self._tell,
            self._stopping,
            self._others,
            fleet.turns.filled,
            fleet.vcenters.desk(self._host),
            fleet.pool,
            fleet.refusals,
            lambda: self._hasty and not self._in_hand,
        )
        contact = open_contact(self._host, options.state_dir, around)
        try:
            return self._with(task, contact, before)
        finally:
            contact.close()

    def _with(self, task: Task, contact: Contact, before: Settled | None) -> HostReport:
        fleet = self._fleet
        look, plan, report = look_at(task, contact, self._tell, before)
        fleet.note(self._host, look.settled(plan, report))
        if fleet.options.dry_run or task.observe_only or not plan.steps or self._disagrees(report):
            return report
        if not self._leave.begin(report):
            return report
        self._in_hand = True
        apply = Apply(
            task,
            contact,
            look,
            (plan, report),
            self._tell,
            self._stopping,
            self._pause,
            fleet.turns,
            self._journal,
        )
        return apply.run()

    def _stopping(self) -> bool:
        return self._fleet.stop.is_set() or self._leave.stopping()

    def _others(self, datastore: Datastore, own: OwnUses) -> InUse | Unseen:
        return self._fleet.neighbours.use(self._host, datastore, own)

    def _disagrees(self, report: HostReport) -> bool:
        """Whether this is not the plan that a person agreed to."""
        approved = self._fleet.options.approved
        return approved is not None and approved.get(self._host.name) != fingerprint(report)

    def _pause(self, seconds: float) -> None:
        """Wait. A stop cuts it short, but not while a step may be in hand: that is brought to its end."""
        (Signal() if self._in_hand else self._fleet.stop).wait(seconds)
