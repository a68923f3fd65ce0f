"""How a host's answer to a verb is understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.hands import SshHands
from reconciler.actuators.work import Work
from reconciler.facts import NfsSource
from reconciler.image_verbs import DeleteFolder, Room
from reconciler.transports.shell import Output
from reconciler.verbs import MountNfs, RemountNfs, SaveConfiguration, StartSsh, Verb
from tests.unit.test_commands import MOUNT41, NEW, OLD


class NoStreams:
    """A session over which no disk travels."""

    def send(self, command: str, data: Iterable[bytes | memoryview], *, limit: float) -> Output:
        raise AssertionError(f"nothing should be sent: {command}")

    def receive(self, command: str, sink: Callable[[bytes], None], *, limit: float) -> Output:
        raise AssertionError(f"nothing should be fetched: {command}")


class Saying(NoStreams):
    """A session in which each command says what the test wants it to say."""

    def __init__(self, *said: tuple[int, bytes, bytes], rest: bytes = b"") -> None:
        self.said, self.rest, self.sent = said, rest, b""

    def run(self, script: bytes, *, limit: float, urgent: bool = False) -> Output:
        self.sent = script
        word = re.findall(rb"\\036 ([0-9a-f]+) %s", script)[0]
        ends = [b"\x1e " + word + b" %d %d\x1e" % (at, it[0]) for at, it in enumerate(self.said)]
        out = b"".join(it[1] + end for it, end in zip(self.said, ends, strict=True))
        err = b"".join(it[2] + end for it, end in zip(self.said, ends, strict=True))
        return Output(0, out + self.rest, err)


WORK = Work(lambda carried: None, lambda: False, lambda seconds: None, Path("spool"))


def answer(verb: Verb, *said: tuple[int, bytes, bytes], **more: Any) -> Answer:
    return SshHands(Saying(*said, **more), NEW, WORK).do(verb)


def test_what_is_described_is_what_is_sent() -> None:
    session = Saying((0, b"", b""), (0, b"", b""))
    hands = SshHands(session, OLD, WORK)
    verb = RemountNfs("ds", NfsSource("a", "/a"), NfsSource("b", "/b"))
    assert hands.do(verb) == Answer(True)
    assert all(line.encode() in session.sent for line in hands.describe(verb))


def test_a_refusal_is_quoted() -> None:
    said = answer(StartSsh(), (1, b"Unable to add\n", b"really\n"))
    assert (said.ok, said.passing, said.next) == (False, False, "")
    assert said.said.split() == ["Unable", "to", "add", "really"]


def test_a_refusal_without_words_tells_its_status() -> None:
    assert answer(StartSsh(), (3, b"", b" \n")).said == "exit status 3, without a word"


def test_a_fault_is_a_refusal_whatever_the_exit_status() -> None:
    said = answer(
        StartSsh(), (0, b"(vim.fault.NotFound) {\n   faultCause = (vmodl.MethodFault) null\n}", b"")
    )
    assert not said.ok
    assert answer(StartSsh(), (0, b"a (vim.fault.NotFound) in the midst", b"")).ok


@pytest.mark.parametrize(
    "text",
    [b"Connect to localhost failed: Connection failure\n", b"Failed to login: Connection reset by peer\n"],
)
def test_an_agent_that_is_away_is_no_refusal(text: bytes) -> None:
    assert answer(StartSsh(), (1, b"", text)).passing


def test_the_setting_for_more_volumes_is_named() -> None:
    text = (
        b"Sysinfo error: NFS has reached the maximum number of supported volumesSee VMkernel log for details."
    )
    assert "NFS.MaxVolumes" in answer(MountNfs("a", MOUNT41), (1, text, b"")).next


def test_a_shell_that_ended_before_its_command_is_no_success() -> None:
    assert not answer(SaveConfiguration(), (0, b"", b"")).ok
    assert answer(StartSsh()).said == "the host's shell ended before the command did"
    assert answer(StartSsh(), rest=b"Killed\n").said == "Killed"


def test_an_image_is_carried_below_the_lock_of_its_volume() -> None:
    volume = "/vmfs/volumes/ds"
    verb = DeleteFolder(Room(volume, f"{volume}/_delete_win", "win", False), 0)
    hands = SshHands(Saying((1, b"", b"Read-only file system\n")), NEW, WORK)
    assert "/vmfs/volumes/ds/_delete_win" in "".join(hands.describe(verb))
    said = hands.do(verb)
    assert not said.ok
    assert "Read-only file system" in said.said


def test_ssh_can_do_every_verb() -> None:
    assert SshHands(Saying(), (6, 7, 0), WORK).cannot(StartSsh()) is None
