"""Every release answers every question about images, in the one exec of a look."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reconciler.facts import Facts, Identity, Product, Question, Unseen
from reconciler.image_facts import (
    DisksInUse,
    FileBlock,
    Filled,
    HalfCopies,
    ImageFolder,
    Library,
    ModuleLoaded,
    TopDisks,
    VolumeUse,
)
from reconciler.observers.ssh import answers
from reconciler.observers.ssh.eyes import SshEyes
from reconciler.observers.ssh.inquiries import LIMIT_SECONDS, LONG_SECONDS
from reconciler.observers.ssh.readings import Release, reading
from reconciler.transports.shell import Output
from tests.unit.observers.printed import HOSTD_DOWN, filesystems, framed, piece, processes, rows, summaries

KNOWN = Facts({Identity(): Product("VMware ESXi", (6, 7, 0), "1")})
ON_THE_HOST: list[Question[Any]] = [
    DisksInUse(),
    FileBlock("/vmfs/volumes/ds"),
    HalfCopies("/vmfs/volumes/ds"),
    ImageFolder("/vmfs/volumes/ds", "win", "win"),
    Library("/vmfs/volumes/ds"),
    ModuleLoaded("multiextent"),
    TopDisks(("/vmfs/volumes/ds/a.vmx",)),
]
ELSEWHERE: list[Question[Any]] = [
    ImageFolder("/srv", "win", "win", here=True),
    Library("/srv", here=True),
    VolumeUse("/vmfs/volumes/ds"),
    Filled("/vmfs/volumes/ds"),
]


@pytest.mark.parametrize("release", list(Release))
def test_every_release_answers_what_is_asked_of_the_host(release: Release) -> None:
    assert all(reading(question, release) is not None for question in ON_THE_HOST)
    assert not any(reading(question, release) for question in ELSEWHERE)


def test_a_function_travels_once_however_many_images_are_asked_for() -> None:
    session = Session(away=0)
    questions = [ImageFolder("/vmfs/volumes/ds", f"image-{number}", "x") for number in range(100)]
    SshEyes(session, lambda seconds: None, lambda why, seconds: None).look(questions, KNOWN)
    assert session.script.count(b"reconciler_look_into() {") == 1
    assert len(session.script) < 20000


class Session:
    """A host of 6.7 without machines, whose hostd is away for the first looks."""

    public_key = None

    def __init__(self, away: int) -> None:
        self._away = away
        self.limits: list[float] = []
        self.script = b""

    def run(self, script: bytes, *, limit: float) -> Output:
        self.limits.append(limit)
        self.script = script
        word = re.search(rb"\\036 ([0-9a-f]{16}) ", script)
        assert word is not None
        hostd = framed(1, HOSTD_DOWN) if len(self.limits) <= self._away else framed(0, rows([]))
        outs = [hostd, processes([]).encode(), framed(0, filesystems([]))]
        marked = [b"%s\x1e %s %d 0\x1e" % (out, word[1], number) for number, out in enumerate(outs)]
        return Output(0, b"".join(marked), b"")


def look(session: Session) -> Any:
    eyes = SshEyes(session, lambda seconds: None, lambda why, seconds: None)
    return eyes.look([DisksInUse()], KNOWN)[DisksInUse()]


def test_hostd_that_is_coming_up_is_waited_for() -> None:
    session = Session(away=2)
    assert look(session) == ()
    assert session.limits == [LONG_SECONDS] * 3
    assert LONG_SECONDS > LIMIT_SECONDS


def test_hostd_that_stays_away_is_no_answer() -> None:
    seen = look(Session(away=99))
    assert isinstance(seen, Unseen)
    assert "hostd" in seen.why


def test_a_mount_that_hostd_does_not_list_is_not_accessible() -> None:
    """On 4.x two programs tell of mounts, one after the other."""
    nas, listed = b"images is /i from 10.0.0.1 mounted\n", summaries([("5f-1", "datastore1", True)])
    seen = answers.datastores_4x([piece(nas), piece(listed.encode())])
    assert [(it.name, it.accessible, it.id) for it in seen] == [
        ("images", False, None),
        ("datastore1", True, "5f-1"),
    ]
