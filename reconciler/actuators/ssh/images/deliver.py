"""The chunks of a disk on their way to a host: sent, written to their places, read back, compared and noted.

Two are at it at a time: one has the link, while the other one is written to its place or gets ready to be sent. So the
link has no pause between them, however long an answer takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

from reconciler.actuators.ssh.images import parts
from reconciler.actuators.ssh.images.jobs import Job
from reconciler.actuators.ssh.images.loads import Load, loads
from reconciler.actuators.ssh.images.lock import Stopped, VolumeLock
from reconciler.actuators.ssh.images.runner import HostRunner, Stumbled
from reconciler.disks.chunks import Chunk
from reconciler.disks.sources import Source

SEND_SECONDS, APPLY_SECONDS = 3600.0, 900.0
WAITING_SECONDS = 5.0
"""So often a command that waits for its turn shows that it is not dead."""
STEP = 1 << 20
STOPPED = "what has arrived stays; the next run goes on"


class Turns:
    """Which of the chunks has the link."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._holder: Load | None = None
        self._over = False

    def take(self, load: Load) -> bool:
        """Have it, or False: somebody else has it still. Raises Stumbled when another one's trouble ended all."""
        with self._news:
            free = self._news.wait_for(
                lambda: self._over or self._holder is None or self._holder is load, WAITING_SECONDS
            )
            if self._over:
                raise Stumbled("another part could not be sent")
            if free:
                self._holder = load
            return free

    def leave(self, load: Load) -> None:
        """Give it to the next one; without effect for who does not have it."""
        with self._news:
            if self._holder is load:
                self._holder = None
                self._news.notify_all()

    def end(self) -> None:
        """Nobody gets it any more."""
        with self._news:
            self._over = True
            self._news.notify_all()


class Delivery:
    """Of one disk. `tell` hears of bytes that are in their places, and of bytes that passed."""

    def __init__(
        self,
        runner: HostRunner,
        job: Job,
        lock: VolumeLock,
        stopping: Callable[[], bool],
        tell: Callable[[int, int], None],
    ) -> None:
        self._runner, self._job, self._lock = runner, job, lock
        self._stopping, self._tell = stopping, tell
        self._flat = job.file("-flat.vmdk")
        self._turns = Turns()
        self._link: float | None = None

    def carry(self, source: Source, todo: Sequence[Chunk]) -> None:
        """Raises OSError, QemuFailed, Stopped, Stumbled, LockLost, faults.Unreachable."""
        with ThreadPoolExecutor(max_workers=2) as pool, closing(loads(source, todo)) as read:
            before: Future[None] | None = None
            try:
                for load in read:
                    self.heed()
                    now = pool.submit(self._deliver, load)
                    if before is not None:
                        before.result()
                    before = now
                if before is not None:
                    before.result()
            except BaseException:
                self._turns.end()
                raise

    def heed(self) -> None:
        """Raises Stopped, LockLost."""
        if self._stopping():
            raise Stopped(STOPPED)
        self._lock.check()

    def _deliver(self, load: Load) -> None:
        self._upload(load)
        self._apply(load.chunk, load.digest)

    def _upload(self, load: Load) -> None:
        packed = parts.worth_packing(load.content, self._link)
        payload = memoryview(parts.packed(load.content)) if packed else load.content
        unpack = "gunzip -c" if packed else "cat"
        command = f"{self._lock.input_guard}{unpack} > {self._job.path(f'in.{load.chunk.number}')}"
        try:
            output = self._runner.session.send(command, self._pieces(load, payload), limit=SEND_SECONDS)
        finally:
            self._turns.leave(load)
        if output.status != 0:
            raise Stumbled(
                (output.err + output.out).decode("utf-8", "replace").strip() or "the host took no more"
            )

    def _pieces(self, load: Load, payload: memoryview) -> Iterator[memoryview]:
        """What is sent, with progress told where it passes."""
        while not self._turns.take(load):
            yield payload[:0]
        began = time.monotonic()
        for start in range(0, len(payload), STEP):
            self._turns.take(load)
            if self._stopping():
                raise Stopped(STOPPED)
            piece = payload[start : start + STEP]
            yield piece
            self._tell(0, len(piece))
        self._link = len(payload) / max(1e-6, time.monotonic() - began)
        self._turns.leave(load)

    def _apply(self, chunk: Chunk, digest: str) -> None:
        job, part = self._job, self._job.path(f"in.{chunk.number}")
        wrong = "echo 'the disk does not hold what was sent'; exit 5"
        piece = self._runner.ask(
            f"{self._lock.guard}{parts.write_commands(chunk, part, self._flat)} || exit 6; "
            f"{parts.holds(chunk, self._flat, digest)} || {{ {wrong}; }}; "
            f"echo '{chunk.number} {digest}' >> {job.path('journal')} && rm -f {part}",
            APPLY_SECONDS,
        )
        if piece.status != 0:
            said = [line for line in piece.said.splitlines() if "records" not in line]
            raise Stumbled("\n".join(said) or f"exit status {piece.status}")
        self._tell(chunk.size, 0)
