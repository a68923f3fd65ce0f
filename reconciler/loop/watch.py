"""The loop: passes over every host for ever. One thread decides what begins; each pass has one for itself."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from reconciler.desired.host import DesiredHost
from reconciler.events import Event
from reconciler.faults import Bug, FaultKind
from reconciler.fleet import Fleet, Leave
from reconciler.loop.bell import Bell
from reconciler.loop.guard import Guard
from reconciler.loop.news import News
from reconciler.loop.roster import Roster, Ticket
from reconciler.loop.schedule import Pace
from reconciler.loop.shown import Shown
from reconciler.loop.threads import Threads
from reconciler.records import record
from reconciler.report import FaultReport, HostReport, Status
from reconciler.sources.revision import Fetched, Found, Rejected, Revision, Source, Trouble
from reconciler.state.logins import Stamps, access_stamps

TURN_SECONDS = 5.0
"""The scheduler turns at least so often: it looks whether a secret has changed, and shows that it lives."""
NO_HOST_NEXT = "correct them, or the specs; what is in force stays"
CLOSING_SECONDS = 5.0
"""What is left to close at the end may take so long; the process ends in any case."""


@record
class Settings:
    """How the loop runs; `grace` is in seconds, `chosen` picks the hosts that it looks after."""

    pace: Pace
    workers: int
    grace: float
    chosen: Callable[[Sequence[DesiredHost]], Sequence[DesiredHost]]


class Watch:
    """`make_fleet` makes what the passes share, with the listener and the stop that it is given; `bell` is rung when a
    signal came."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        make_fleet: Callable[[Callable[[Event], None], threading.Event], Fleet],
        guard: Guard,
        news: News,
        bell: Bell,
    ) -> None:
        self._settings, self._source, self.news, self.bell = settings, source, news, bell
        self.stop, self.shown = threading.Event(), Shown()
        self._fleet = make_fleet(self._hear, self.stop)
        self._gate, self._threads = threading.Lock(), Threads()
        self.roster = Roster(settings.pace, settings.workers, guard, random.random)
        self.news.resumed(guard)
        self._evidence: dict[str, Stamps] = {}
        self.turned = self._wakes = self._tidied = time.monotonic()

    # -- the scheduler ------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Go on until somebody asks to stop; the exit status: 0, or 1 when what was in hand had to be cut."""
        threading.Thread(target=self._source.run, args=(self._found, self.stop), daemon=True).start()
        threading.Thread(target=self._follow_secrets, daemon=True).start()
        self.news.ready()
        while not self.bell.stop:
            try:
                seconds = self._turn()
            except Exception as error:  # noqa: BLE001 - it goes on; health tells of a bug that stays
                self.news.bug(error)
                seconds = 1.0
            self.bell.wait(seconds)
        return self._ending()

    def _turn(self) -> float:
        """Begin what is due; how many seconds until the next turn."""
        now = time.monotonic()
        if self.bell.hurry:
            self._hurry(now)
        if now >= self._tidied + TURN_SECONDS:
            self._tidied = now
            self._fleet.tidy()
        with self._gate:
            turn = self.roster.begin(now)
            self._wakes = min(turn.soonest, now + TURN_SECONDS)
            self.news.queue(turn.waiting, len(self.roster.going))
        for ticket in turn.begun:
            self._start(ticket)
        self.turned = time.monotonic()
        self.news.turned()
        return max(0.0, self._wakes - self.turned)

    def _hurry(self, now: float) -> None:
        """A person wants every host looked at now: what failed, what was refused and what the guard holds too."""
        self.bell.hurry = False
        self.news.reloading()
        self._fleet.afresh()
        with self._gate:
            before = self.roster.guard
            self.roster.all_due(now)
            self.news.guard(before, self.roster.guard)
        self.news.ready()

    def _follow_secrets(self) -> None:
        """In a thread of its own: a file that a spec names may lie on a server that says nothing."""
        while not self.stop.wait(TURN_SECONDS):
            try:
                self._heed_new_secrets()
            except Exception as error:  # noqa: BLE001 - it goes on
                self.news.bug(error)

    def _heed_new_secrets(self) -> None:
        """Hosts that failed are due at once when a file that their spec names has changed since their pass began."""
        with self._gate:
            failed = [(name, seen, self.roster.places[name].host) for name, seen in self._evidence.items()]
        changed = [name for name, seen, host in failed if access_stamps(host) != seen]
        with self._gate:
            for name in changed:
                if self._evidence.pop(name, None) is not None and name in self.roster.places:
                    self.roster.due_now(name, time.monotonic())
        if changed:
            self.bell.ring()

    def _ending(self) -> int:
        """No step begins any more, transfers are cut, the step in hand ends; what outlasts the grace is cut."""
        self.news.stopping()
        self.stop.set()
        limit = time.monotonic() + self._settings.grace
        while self._changing() and time.monotonic() < limit:
            self.bell.wait(min(0.5, limit - time.monotonic()))
        status = 1 if self._changing() else 0
        closing = threading.Thread(target=self._close, daemon=True)
        closing.start()
        closing.join(max(1.0, min(CLOSING_SECONDS, limit - time.monotonic())))
        return status

    def _changing(self) -> bool:
        with self._gate:
            return any(ticket.changing for ticket in self.roster.going)

    def _close(self) -> None:
        self.news.close(CLOSING_SECONDS / 2)
        self._fleet.close()

    # -- passes -------------------------------------------------------------------------------------------------

    def _start(self, ticket: Ticket) -> None:
        try:
            self._threads.start(partial(self._work, ticket))
        except Exception as error:  # noqa: BLE001 - where the machine has no thread left for it, for one
            self._ended(ticket, _failed(ticket, error), Stamps())

    def _work(self, ticket: Ticket) -> None:
        threading.current_thread().name = ticket.host.name
        began, evidence = time.monotonic(), Stamps()
        try:
            evidence = access_stamps(ticket.host)
            report = self._fleet.pass_over(
                ticket.host, self._leave(ticket), self.news.journal(ticket.revision)
            )
        except Exception as error:  # noqa: BLE001 - no bug of a pass ends the loop
            report = _failed(ticket, error)
        try:
            self._tell(ticket, report, time.monotonic() - began)
        except Exception as error:  # noqa: BLE001 - whoever can't be told, the host has its next pass
            self.news.bug(error)
        self._ended(ticket, report, evidence)

    def _leave(self, ticket: Ticket) -> Leave:
        return Leave(
            begin=lambda planned: self._may_change(ticket, planned),
            stopping=lambda: self._halts(ticket),
            halted=ticket.halted,
            waits=lambda waits: self._waits(ticket, waits),
        )

    def _halts(self, ticket: Ticket) -> bool:
        """Whether no step of a pass may begin any more; none was begun, and its host is wished otherwise: that too."""
        return (
            self.bell.stop or self.roster.guard.tripped or not (ticket.changing or self.roster.stands(ticket))
        )

    def _waits(self, ticket: Ticket, waits: bool) -> None:
        """A pass that waits for another run needs no worker."""
        with self._gate:
            ticket.waiting = waits
        if waits:
            self.bell.ring()

    def _may_change(self, ticket: Ticket, planned: HostReport) -> bool:
        with self._gate:
            if self.bell.stop or not self.roster.may_change(ticket):
                return False
        self.shown.planned(planned, datetime.now(UTC), ticket.revision)
        # a worker is free now
        self.bell.ring()
        return True

    def _tell(self, ticket: Ticket, report: HostReport, seconds: float) -> None:
        """What came of a pass is told before the host's next one can begin; what a stop did to a look is nothing."""
        cut = self.stop.is_set() and not ticket.changing and report.fault is not None
        if report.status is not Status.PENDING and not cut:
            self.news.kept(report, ticket.revision)
            if self._is_ours(ticket):
                self.news.passed(report, ticket.host.mode, seconds)

    def _is_ours(self, ticket: Ticket) -> bool:
        """Whether its host has neither been let go nor paused."""
        with self._gate:
            place = self.roster.places.get(ticket.host.name)
            return place is not None and not place.paused

    def _ended(self, ticket: Ticket, report: HostReport, evidence: Stamps) -> None:
        """Give the host back. What a restart must not forget is kept before another one may be changed."""
        name, now, at = ticket.host.name, time.monotonic(), datetime.now(UTC)
        # another run has the host, and the wait for it was cut short
        ticket.again = ticket.again or report.status is Status.PENDING
        wait = self._refused_for(ticket.host, report, at)
        with self._gate:
            newer = None if self.roster.stands(ticket) else self.roster.places.get(name)
        if wait is not None and newer is not None:
            # refused under a spec that is no longer in force
            self._fleet.refusals.forgive([newer.host])
        with self._gate:
            before = self.roster.guard
            ours = self.roster.end(ticket, report, now, at.isoformat(timespec="seconds"))
            self.news.guard(before, self.roster.guard)
            self._evidence.pop(name, None)
            if ours and wait is not None and not ticket.again:
                self.roster.put_off(name, now + wait)
            if ours and report.fault is not None:
                self._evidence[name] = evidence
            if ours and report.status is not Status.PENDING:
                self._show(ticket, report, at)
            awaited = self.bell.stop or self.roster.behind or not ours or self._soon(name)
        if awaited:
            self.bell.ring()

    def _soon(self, name: str) -> bool:
        """Whether a host is due before the scheduler looks by itself."""
        return self.roster.places[name].due <= self._wakes

    def _show(self, ticket: Ticket, report: HostReport, at: datetime) -> None:
        """On the pages; a host that was paused meanwhile stays so."""
        place = self.roster.places[ticket.host.name]
        if not place.paused:
            self.shown.passed(report, at, ticket.revision, place.failures)

    def _refused_for(self, host: DesiredHost, report: HostReport, at: datetime) -> float | None:
        """For how many seconds a login that was refused is not tried again; None: none was."""
        if report.fault is None or report.fault.kind is not FaultKind.LOGIN:
            return None
        try:
            until = self._fleet.refusals.until(host)
        except Exception as error:  # noqa: BLE001 - the gate itself still holds
            self.news.bug(error)
            return None
        return None if until is None else (until - at).total_seconds()

    def _hear(self, event: Event) -> None:
        self.shown.hear(event)
        self.news.hear(event)

    # -- specs --------------------------------------------------------------------------------------------------

    def _found(self, found: Found) -> None:
        """The source tells something, in its own thread, which no bug here must end."""
        try:
            self._take(found)
        except Exception as error:  # noqa: BLE001 - the next revision may be better
            self.news.bug(error)
        self.bell.ring()

    def _take(self, found: Found) -> None:
        match found:
            case Revision():
                self._renew(found)
            case Rejected():
                self.news.rejected(found)
            case Trouble():
                self.news.trouble(found)
            case Fetched():
                self.news.fetched(found.ok)

    def _renew(self, revision: Revision) -> None:
        hosts = self._settings.chosen(revision.hosts)
        if not hosts:
            self.news.trouble(
                Trouble("--host, --selector and --only fit nothing of the newest specs", NO_HOST_NEXT)
            )
            return
        self._fleet.know(revision.hosts)
        with self._gate:
            changed = self.roster.changed(hosts)
        # whoever changes a spec may have put the login right in a way that can't be seen here
        self._fleet.refusals.forgive(changed)
        self.news.known([*self.roster.places, *(host.name for host in hosts)])
        with self._gate:
            before = self.roster.guard
            self.roster.renew(revision.name, hosts, time.monotonic())
            self.news.guard(before, self.roster.guard)
            self._evidence = {name: it for name, it in self._evidence.items() if name in self.roster.places}
            self.shown.renew(hosts)
        self.news.revision(revision, hosts)

    # -- for the pages ------------------------------------------------------------------------------------------

    def next_dues(self) -> dict[str, datetime]:
        """When each host is due, in UTC; hosts that are paused never are."""
        now, at = time.monotonic(), datetime.now(UTC)
        with self._gate:
            places = list(self.roster.places.items())
        return {name: at + timedelta(seconds=it.due - now) for name, it in places if not it.paused}

    def unready(self) -> list[str]:
        """The hosts that wait for their first pass."""
        with self._gate:
            return list(self.roster.unready())


def _failed(ticket: Ticket, error: Exception) -> HostReport:
    fault = FaultReport.of(Bug.of(ticket.host.name, error))
    return HostReport(ticket.host.name, ticket.host.address, Status.FAILED, fault=fault)
