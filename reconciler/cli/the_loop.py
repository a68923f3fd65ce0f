"""Puts the loop together: specs, state, listeners, pages, signals."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event as Signal
from typing import Any

from reconciler import open_files
from reconciler.cli.hearing import hearing
from reconciler.cli.messages import Problem
from reconciler.cli.options import paths, state_folder
from reconciler.cli.specs import fitting, labels
from reconciler.desired.host import DesiredHost
from reconciler.desired.trust import Trust
from reconciler.events import Listener
from reconciler.fleet import Fleet, Options, fits
from reconciler.kinds.model import Risk
from reconciler.listeners.metrics import Metrics
from reconciler.listeners.notify import CannotNotify
from reconciler.loop.bell import Bell
from reconciler.loop.guard import Guard, Limit
from reconciler.loop.memory import Memory
from reconciler.loop.news import News
from reconciler.loop.schedule import Pace
from reconciler.loop.view import View
from reconciler.loop.watch import Settings, Watch
from reconciler.sources.files import FilesSource
from reconciler.sources.revision import Source
from reconciler.state.folder import HostTurns, StateFolder
from reconciler.state.history import History
from reconciler.state.refusals import Refusals
from reconciler.state.trouble import StateTrouble

_LOG = logging.getLogger("reconciler")


def run_loop(options: dict[str, Any], bell: Bell) -> int:
    """The exit status; the bell is rung when a signal came. Raises Problem when the loop can't begin."""
    open_files.raise_limit()
    hearing(options["log_level"], options["log_format"], quiet=False, bars=False, colour=False)
    folder = StateFolder(state_folder(options["state_dir"]))
    try:
        folder.open()
        with folder.only_loop():
            status = _Loop(options, folder, bell).run()
            # threads that wait for a host would keep an orderly exit from ending
            os._exit(status)
    except (StateTrouble, CannotNotify) as trouble:
        raise Problem(str(trouble)) from None


class _Loop:
    """One loop, from its options. Raises Problem."""

    def __init__(self, options: dict[str, Any], folder: StateFolder, bell: Bell) -> None:
        self._options, self._folder = options, folder
        self._labels, self._passes = labels(options["selector"]), _passes(options, folder.path)
        limit, source = _limit(options["max_failures"]), _source(options, folder.path)
        memory = Memory(folder.path, _LOG.warning)
        self._history = History(folder.history, options["history_keep"], _LOG.warning)
        self._metrics = Metrics()
        news = News(source.origin, memory, self._history, self._metrics, options["notify"])
        guard = Guard.of(memory.recall("guard"), limit)
        self.watch = Watch(self._settings(), source, self._fleet, guard, news, bell)

    def run(self) -> int:
        """Until a signal ends it."""
        with ExitStack() as stack:
            self._listen(stack)
            return self.watch.run()

    def _listen(self, stack: ExitStack) -> None:
        if not self._options["listen"]:
            return
        from reconciler.web import CannotListen, serve

        view = View(self.watch, self._history, dry_run=self._options["dry_run"])
        try:
            server = serve(self._options["listen"], view, self._metrics.page)
        except CannotListen as error:
            raise Problem(str(error)) from None
        stack.callback(server.close)
        host, port = server.address
        _LOG.info("listening on http://%s:%d/", f"[{host}]" if ":" in host else host, port)

    def _settings(self) -> Settings:
        given = self._options
        pace = Pace(given["interval"].total_seconds(), given["max_backoff"].total_seconds())
        return Settings(pace, given["concurrency"], given["grace"].total_seconds(), self._chosen)

    def _chosen(self, hosts: Sequence[DesiredHost]) -> Sequence[DesiredHost]:
        """Those that --host and --selector ask for, if --only fits anything there; some globs may fit nothing of a
        revision."""
        found, only = fitting(hosts, self._options["host"], self._labels), self._passes.only
        if only and not any(fits(host, self._passes, glob) for host in found for glob in only):
            return ()
        return found

    def _fleet(self, listener: Listener, stop: Signal) -> Fleet:
        refusals = Refusals(self._folder.path / "refusals.json", _LOG.warning)
        idle = 2 * self._options["interval"].total_seconds()
        turn = HostTurns(self._folder, _LOG.warning).on
        return Fleet((), self._passes, listener, stop, turn=turn, refusals=refusals, idle=idle)


def _passes(given: dict[str, Any], state: Path) -> Options:
    risk = Risk[given["allow"].upper()] if given["allow"] is not None else None
    return Options(given["dry_run"], risk, given["only"], given["concurrency"], state)


def _limit(text: str) -> Limit:
    try:
        return Limit(text)
    except ValueError as error:
        raise Problem(f"--max-failures: {error}") from None


def _source(options: dict[str, Any], state: Path) -> Source:
    if not options["git"]:
        return FilesSource(paths(options["filename"]), state)
    from reconciler.sources.git import GitSource
    from reconciler.sources.remote import WrongAddress

    signers = options["git_allowed_signers"]
    try:
        return GitSource(
            options["git"],
            options["git_branch"],
            options["git_path"],
            options["git_interval"].total_seconds(),
            Path(signers) if signers else None,
            state,
            _trust(options),
        )
    except WrongAddress as error:
        raise Problem(str(error)) from None


def _trust(options: dict[str, Any]) -> Trust:
    """What specs from git may name; what is not given is as `Trust` has it."""
    usual = Trust()
    return Trust(
        options["allow_exec"],
        tuple(os.path.abspath(os.path.expanduser(it)) for it in options["secrets_dir"]) or usual.secrets_dirs,
        options["secrets_env"] or usual.secrets_env,
    )
