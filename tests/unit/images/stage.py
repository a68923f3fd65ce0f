"""Several runs that want one volume's lock, on one simulated host. One of them moves at a time: up to its next command
there, or its next wait. Who moves next, and who is cut off where, is told from outside."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.actuators.ssh.images.lock import FOLDER, LockTaken, VolumeLock
from reconciler.actuators.ssh.images.owner import OURS, Clock
from reconciler.actuators.ssh.images.runner import HostRunner
from reconciler.simulator.host import Host
from reconciler.simulator.shell.process import Link
from reconciler.transports.shell import Output
from tests.simulator.support import host, script

VOLUME = "/vmfs/volumes/datastore1"
BEATS = 3
"""So often a run that has the lock beats, and works in between, before it lets go."""
Do = Literal["go", "sleep", "cut", "kill"]


@dataclass(frozen=True)
class Move:
    """Run `who` goes up to its `count`th stop from here; or `count` seconds pass for all; or `who` is cut off together
    with its command on the host, or it is killed and its command there goes on."""

    do: Do
    who: int
    count: int


class CutOff(BaseException):
    """It is gone."""


class Run(threading.Thread):
    """One reconciler that takes the lock, works, and lets go."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self._stage, self._turn, self._stopped = stage, threading.Semaphore(0), threading.Semaphore(0)
        self.until = 0.0
        self.cut_off = self.killed = self.over = self.had = False
        self.worked = 0
        self.problem: BaseException | None = None
        clock = Clock(lambda: stage.seconds, self.pause, lambda event, seconds: True)
        self.lock = VolumeLock(HostRunner(_Session(self)), VOLUME, "copy", clock)
        OURS.add(self.lock.token)

    # -- from outside ----------------------------------------------------------------------------------------

    @property
    def can_go(self) -> bool:
        return not self.over and self._stage.seconds >= self.until

    def go(self) -> None:
        """On to the next stop, or the end."""
        if not self.is_alive():
            self.start()
        else:
            self._turn.release()
        assert self._stopped.acquire(timeout=60)
        if self.over:
            self.join()

    # -- inside ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            self._work()
        except CutOff:
            pass
        except BaseException as problem:  # noqa: BLE001 - told to the test
            self.problem = problem
        self.over = True
        self._stopped.release()

    def _work(self) -> None:
        try:
            self.lock.acquire(lambda: False)
        except LockTaken:
            return
        self.had = True
        for _ in range(BEATS):
            self.pause(5)
            if not self.lock.beat() or self._runs(f"{self.lock.guard}mkdir -p {VOLUME}/work") == 97:
                break
            self.worked += 1
        self.lock.release()

    def _runs(self, command: str) -> int:
        return self.lock._runner.ask(command).status

    def stop(self) -> None:
        """Wait for the next turn."""
        self._stopped.release()
        self._turn.acquire()
        if self.cut_off:
            raise CutOff

    def pause(self, seconds: float) -> None:
        self.until = self._stage.seconds + seconds
        self.stop()
        if self.killed:
            raise CutOff

    # -- on the host -----------------------------------------------------------------------------------------

    def on_host(self, text: bytes) -> Output:
        done = script(self._stage.host, text, link=self)
        if self.killed:
            raise CutOff
        return Output(done.status, done.out.encode(), done.err.encode())

    def cut(self) -> None:
        raise AssertionError("no fault of the host's was asked for")


@dataclass(frozen=True)
class _Session:
    """A session of a run; nothing is sent and nothing received beside scripts."""

    of: Run

    def run(self, script: bytes, *, limit: float, urgent: bool = False) -> Output:
        return self.of.on_host(script)

    def send(self, command: str, data: Iterable[bytes | memoryview], *, limit: float) -> Output:
        raise AssertionError(command)

    def receive(self, command: str, sink: Callable[[bytes], None], *, limit: float) -> Output:
        raise AssertionError(command)


class Stage:
    """The host, the time, and the runs."""

    def __init__(self, runs: int, before: str) -> None:
        self.host, self.seconds = _Host.of(), 1000.0
        if before:
            assert script(self.host, f"cd {VOLUME}; {before}").status == 0
        self.runs = [Run(self) for _ in range(runs)]

    def play(self, move: Move) -> None:
        run = self.runs[move.who % len(self.runs)]
        if move.do == "sleep":
            self.seconds += move.count
        elif move.do == "go":
            for _ in range(move.count):
                self._on(run)
        elif run.is_alive():
            run.cut_off, run.killed = move.do == "cut", True
            OURS.discard(run.lock.token)

    def _on(self, run: Run) -> None:
        if run.can_go:
            run.go()
            assert run.problem is None, repr(run.problem)
            self.check()

    def check(self) -> None:
        """There is one holder at most: who was given the lock, and whose folder is there."""
        holders = [run for run in self.runs if run.had and run.lock.token in self.owners]
        assert len(holders) <= 1, "two have the lock at once"

    @property
    def owners(self) -> list[str]:
        names = self.host.files.names(VOLUME)
        inside = self.host.files.names(f"{VOLUME}/{FOLDER}") if FOLDER in names else []
        return [name.removeprefix("owner-") for name in inside if name.startswith("owner-")]

    def end(self) -> None:
        """All go on in turn, until each has ended."""
        for _ in range(400):
            for run in self.runs:
                while run.can_go:
                    self._on(run)
            if all(run.over for run in self.runs):
                return
            self.seconds += 1
        raise AssertionError("somebody waits for ever")

    def fresh(self) -> float:
        """One more comes, alone: seconds until it has the lock. It works and lets go."""
        last = Run(self)
        self.runs, began = [*self.runs, last], self.seconds
        while not last.had:
            assert not last.over, "it was not given the lock"
            self._on(last)
            self.seconds += last.until > self.seconds
        taken = self.seconds
        self.end()
        assert last.worked == BEATS
        return taken - began

    def close(self) -> None:
        """Whoever is still there goes."""
        for run in self.runs:
            OURS.discard(run.lock.token)
            run.cut_off = True
            if not run.over and run.is_alive():
                run.go()


class _Host(Host):
    """A host on which each command waits for the turn of the run from which it comes."""

    @classmethod
    def of(cls) -> Host:
        made = host("6.7")
        made.__class__ = cls
        return made

    async def command(
        self, argv: list[str], changing: bool, link: Link | None, work: Callable[[], Awaitable[int]]
    ) -> int:
        if isinstance(link, Run):
            link.stop()
        return await super().command(argv, changing, None, work)
