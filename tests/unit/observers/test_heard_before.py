"""What a session remembers of its last look saves work, and never tells anything that a fresh session would not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.facts import BackupOwed, Facts, Folder, Identity, Product, Question, SshState
from reconciler.image_facts import DisksInUse, ModuleLoaded
from reconciler.observers.ssh.eyes import HEARD_BYTES, SshEyes
from reconciler.transports.shell import Output
from tests.unit.observers.printed import HOSTD_DOWN

Answers = dict[Question[Any], Any]

KNOWN = (Facts(), Facts({Identity(): Product("VMware ESXi", (6, 7, 0), "1")}))
QUESTIONS: list[Question[Any]] = [
    BackupOwed(),
    SshState(),
    ModuleLoaded("multiextent"),
    DisksInUse(),
    Folder("/vmfs/volumes/a/vms"),
    Folder("/vmfs/volumes/b/vms"),
]
PRINTED = [b"", b"1\n", b"true\n", b"\x1e 0 0\x1e", b"0\0", HOSTD_DOWN.encode(), b"x" * HEARD_BYTES]
PIECES = st.lists(st.tuples(st.sampled_from(PRINTED), st.sampled_from([0, 1, 127])), min_size=1, max_size=4)
LOOKS = st.tuples(
    st.lists(st.sampled_from(QUESTIONS), min_size=1, unique=True), st.sampled_from(KNOWN), PIECES
)


class Host:
    """Prints for its commands what it is told to, over and over; of 6.7 when it is asked for that."""

    public_key = "ssh-rsa AAAA"

    def __init__(self) -> None:
        self.prints: Sequence[tuple[bytes, int]] = ()
        self.script = b""

    def run(self, script: bytes, *, limit: float) -> Output:
        self.script = script
        word = re.search(rb"\\036 ([0-9a-f]{16}) ", script)
        assert word is not None
        out = b""
        for number in range(8):
            printed, status = self.prints[number % len(self.prints)]
            if number == 0 and b"reconciler_mark 0\ncase" in script:
                printed, status = b"VMware ESXi 6.7.0 build-8169922\n", 0
            out += printed + b"\x1e " + word[1] + b" %d %d\x1e" % (number, status)
        return Output(0, out, b"")

    def look(self, questions: Sequence[Question[Any]], known: Facts) -> Answers:
        eyes = SshEyes(self, lambda seconds: None, lambda why, seconds: None)
        return dict(eyes.look(questions, known))


def check(looks: Sequence[tuple[Sequence[Question[Any]], Facts, Sequence[tuple[bytes, int]]]]) -> None:
    warm = Host()
    for questions, known, prints in looks:
        fresh = Host()
        warm.prints = fresh.prints = prints
        assert warm.look(questions, known) == fresh.look(questions, known)


@given(st.lists(LOOKS, min_size=2, max_size=5))
def test_a_warm_session_tells_what_a_fresh_one_would(looks: list[Any]) -> None:
    check(looks)


def test_pinned_the_same_is_printed_for_other_folders() -> None:
    check([([QUESTIONS[4]], KNOWN[1], [(b"", 1)]), ([QUESTIONS[5]], KNOWN[1], [(b"", 1)])])


def test_pinned_the_same_folders_are_asked_for_in_another_order() -> None:
    check(
        [
            (QUESTIONS[4:], KNOWN[1], [(b"", 1), (b"1", 0)]),
            (QUESTIONS[:3:-1], KNOWN[1], [(b"", 1), (b"1", 0)]),
        ]
    )


def test_the_path_that_is_sent_is_that_of_the_folder_asked_for_now() -> None:
    host = Host()
    host.prints = [(b"", 1)]
    for name in "ab":
        folder = Folder(f"/vmfs/volumes/{name}/vms")
        assert set(host.look([folder], KNOWN[1])) == {folder}
        assert f"=/vmfs/volumes/{name}/vms\n".encode() in host.script
