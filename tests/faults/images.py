"""Copies, captures and evictions that are broken off at any command, and what must hold when a fresh pass has run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from subprocess import run

from reconciler.report import Status
from tests.faults.healing import all_has_ended
from tests.live.images.setup import (
    DISK,
    MIB,
    REPOSITORY,
    WIN,
    arrived,
    content,
    images_world,
    put_here,
    put_on,
    raw_digest,
    wishes,
)
from tests.live.passes.world import World

OLD = "vmwarewin7-old55-v3"
LOCK = ".reconciler-lock"
WAYS = ("clone", "stream", "capture", "fetch", "evict", "absent")


@dataclass
class Case:
    """One host with one thing to do with images."""

    there: World
    way: str
    repository: Path

    def heals(self) -> None:
        """A fresh pass converges, nothing is lost, nothing of ours is left, and the next pass finds nothing."""
        self.there.host.clear_faults()
        report = self.there.run()
        assert report.fault is None, report.fault
        assert report.status in (Status.CONVERGED, Status.IN_SYNC), report
        all_has_ended(self.there)
        self.whole()
        assert self.there.run().status is Status.IN_SYNC

    def whole(self) -> None:
        digest = raw_digest(content())
        if self.way != "absent":
            assert arrived(self.there, WIN) == digest
        if self.way in ("clone", "capture", "evict", "absent"):
            assert arrived(self.there, WIN, REPOSITORY) == digest
        if self.way == "evict":
            assert arrived(self.there, OLD, REPOSITORY) == digest
        if self.way == "fetch":
            assert _here(self.repository / WIN / f"{WIN}.vmdk") == digest
            assert [it.name for it in self.repository.iterdir() if it.name != LOCK] == [WIN]
        assert left(self.there, DISK) == ([] if self.way == "absent" else [WIN])
        assert not [name for name in left(self.there, REPOSITORY) if name.startswith(".")]


def left(there: World, volume: str) -> list[str]:
    """What lies on a volume. A lock whose holder was cut off when all was done stays until the next step there."""
    return [name for name in there.host.files.names(volume) if name != LOCK]


def _here(path: Path) -> str:
    raw = path.parent.parent.parent / "raw"
    run(["qemu-img", "convert", "-O", "raw", str(path), str(raw)], check=True)
    return md5(raw.read_bytes(), usedforsecurity=False).hexdigest()


@contextmanager
def image_case(folder: Path, version: str, way: str) -> Iterator[Case]:
    """The world of one way: a copy by clone or stream, a capture to the host or here, an eviction, a removal."""
    folder.mkdir(exist_ok=True)
    repository = folder / "repo"
    repository.mkdir()
    both = {"in": ["datastore", "repository"]}
    where = str(repository) if way in ("stream", "fetch") else REPOSITORY
    wish = {"capture": both, "fetch": both, "absent": "absent"}.get(way, {})
    spec = wishes({WIN: wish}, where, mode="dedicated" if way == "evict" else "shared")
    if way == "stream":
        put_here(repository, WIN)
    with images_world(folder, version, spec) as there:
        if way in ("clone", "evict", "absent"):
            put_on(there, REPOSITORY, WIN, "2gbsparse")
        if way in ("capture", "fetch", "absent"):
            put_on(there, DISK, WIN)
        if way == "evict":
            put_on(there, REPOSITORY, OLD, "2gbsparse")
            put_on(there, DISK, OLD)
            there.host.fill("datastore1", 6 * MIB)
        yield Case(there, way, repository)


def commands_of(folder: Path, version: str, way: str) -> int:
    """How many changing commands an undisturbed pass runs."""
    with image_case(folder, version, way) as case:
        assert case.there.run().status is Status.CONVERGED
        return sum(it.changing for it in case.there.host.executed)
