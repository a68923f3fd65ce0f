"""`reconcile`: one pass over the hosts. Look, show the plan, ask, do it, look again, report."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from reconciler import fleet
from reconciler.cli.hearing import Hearing, hearing
from reconciler.cli.keeping import Kept, keeping
from reconciler.cli.messages import Problem, say, tell
from reconciler.cli.options import state_folder
from reconciler.cli.output import Output, coloured
from reconciler.cli.specs import chosen, loaded
from reconciler.cli.stopping import stopping
from reconciler.desired.host import DesiredHost
from reconciler.fleet import NothingMatches, Options
from reconciler.kinds.model import Risk
from reconciler.render.fingerprint import fingerprint
from reconciler.render.words import many
from reconciler.report import HostReport, Report, exit_status

Each = Callable[[HostReport], None]


def one_pass(
    *,
    filename: tuple[str, ...],
    host: tuple[str, ...],
    selector: tuple[str, ...],
    only: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    allow: str | None,
    concurrency: int,
    output: str,
    quiet: bool,
    detailed_exitcode: bool,
    state_dir: str | None,
    history_keep: timedelta,
    log_level: str | None,
    log_format: str,
    no_color: bool,
) -> int:
    """The exit status. Raises Problem before any host is contacted when the pass can't be carried out."""
    specs = loaded(filename, quiet=quiet)
    hosts = chosen(specs.hosts, host, selector)
    if not (dry_run or yes):
        _need_terminal(log_format)
    risk = Risk[allow.upper()] if allow is not None else None
    options = Options(dry_run, risk, only, concurrency, state_folder(state_dir))
    writing = Output(output, quiet, no_color)
    ears = hearing(
        log_level, log_format, quiet=quiet, bars=output != "jsonl", colour=coloured(sys.stderr, no_color)
    )
    keep = partial(keeping, options.state_dir, history_keep, specs.digest)
    with ExitStack() as stack:
        work = _Work(hosts, specs.hosts, options, writing, ears, lambda: stack.enter_context(keep()))
        report, agreed = work.at_once() if dry_run or yes else work.asking()
    return max(exit_status(report, detailed=detailed_exitcode), 0 if agreed else 1, key=_rank)


def _rank(status: int) -> int:
    """Which exit status wins: 130, 1, 3, 4, 2, 0."""
    return (0, 2, 4, 3, 1, 130).index(status)


def _need_terminal(log_format: str) -> None:
    if log_format == "json":
        raise Problem("a question is no JSON line: with --log-format json, give --yes or --dry-run")
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise Problem(
            "there is no terminal to ask on, so nothing was done; --yes does it without asking, "
            "--dry-run only shows the plan"
        )


@dataclass
class _Work:
    """One command's hosts, out of everyone in the specs, and how to work on them. `keep` opens the state folder: once,
    and only when hosts may be changed."""

    hosts: Sequence[DesiredHost]
    everyone: Sequence[DesiredHost]
    options: Options
    output: Output
    ears: Hearing
    keep: Callable[[], Kept]
    kept: Kept = field(default_factory=Kept)
    done: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def at_once(self) -> tuple[Report, bool]:
        """Do all of it, or with a dry run nothing, without asking."""
        if not self.options.dry_run:
            self.kept = self.keep()
        report = self._run(self.hosts, self.options, self._done)
        self.output.report(report)
        return report, True

    def asking(self) -> tuple[Report, bool]:
        """Look, and do what is agreed to, until no plan differs from what was agreed to; False after a no."""
        plan = self._run(self.hosts, replace(self.options, dry_run=True), _ignore)
        latest = {it.name: it for it in plan.hosts}
        agreed, tried = True, False
        while (waiting := [it for it in plan.hosts if _open(it)]) and not self.stop.is_set():
            self.output.plan(replace(plan, hosts=tuple(waiting)) if tried else plan)
            agreed = self._ask(waiting, again=tried)
            if not agreed:
                break
            self.kept = self.kept if tried else self.keep()
            plan, tried = self._apply(waiting), True
            latest |= {it.name: it for it in plan.hosts}
        if agreed and not tried:
            self.kept = self.keep()
        final = Report(False, tuple(latest[name] for name in sorted(latest)), self.stop.is_set())
        self._show(final, already=not (agreed or tried))
        return final, agreed

    def _ask(self, waiting: Sequence[HostReport], *, again: bool) -> bool:
        """A person's answer; Ctrl-C is a no that ends the pass as well."""
        try:
            return _answer(waiting, again=again)
        except KeyboardInterrupt:
            self.stop.set()
            tell("")
            say("interrupted", "warning")
            return False

    def _apply(self, waiting: Sequence[HostReport]) -> Report:
        """Do exactly the plans that were agreed to."""
        approved = {it.name: fingerprint(it) for it in waiting}
        hosts = [host for host in self.hosts if host.name in approved]
        return self._run(hosts, replace(self.options, approved=approved), self._each)

    def _each(self, host: HostReport) -> None:
        if not _open(host):
            self._done(host)

    def _done(self, host: HostReport) -> None:
        """A host that is done with: told and kept once."""
        if host.name not in self.done:
            self.done.add(host.name)
            self.output.host(host)
            self.kept.passed(host)
        if self.options.dry_run and self.output.unread:
            # what is only looked at is looked at for the reader
            self.stop.set()

    def _show(self, final: Report, *, already: bool) -> None:
        """The report; people who said no have just read it."""
        for host in final.hosts:
            self._done(host)
        if not (already and self.output.shows_plans):
            self.output.report(final)

    def _run(self, hosts: Sequence[DesiredHost], options: Options, each: Each) -> Report:
        try:
            with self.ears.working(len(hosts)) as listener, stopping(self.stop, self.ears.tidy):
                return fleet.run(
                    hosts,
                    options,
                    listener,
                    self.stop,
                    each,
                    self.everyone,
                    self.kept.journal,
                    self.kept.turn,
                )
        except NothingMatches as error:
            raise Problem(str(error)) from None


def _open(host: HostReport) -> bool:
    """Whether there is a plan that waits for a yes."""
    untouched = all(step.outcome is None for step in host.steps)
    return bool(host.steps) and untouched and not host.observe_only and host.fault is None


def _answer(waiting: Sequence[HostReport], *, again: bool) -> bool:
    """A person's answer. Raises KeyboardInterrupt."""
    steps = sum(len(it.steps) for it in waiting)
    changed = "These plans have changed meanwhile. " if again else ""
    what = f"{many(steps, 'step')} on {many(len(waiting), 'host')}"
    sys.stderr.write(f"\n{changed}Do this ({what})? Only 'yes' is taken as a yes: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if line.strip() == "yes":
        return True
    if not line:
        tell("")
    tell("Nothing more is done." if again else "Nothing was done.")
    return False


def _ignore(report: HostReport) -> None:
    """A look before the question is not the host's report."""
