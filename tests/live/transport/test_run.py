"""What comes back from a script, and what ends one that goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from reconciler.faults import Refused, Unreachable
from reconciler.transports.shell import Output, pieces, writing_script
from reconciler.transports.ssh import Limits, SshSession, SshTarget, connect
from reconciler.transports.target import DEFAULT_LIMITS
from tests.live.transport.servers import Host, Keys, line, serving

pytestmark = pytest.mark.timeout(60)

Opener = Callable[..., AbstractContextManager[SshSession]]


@pytest.fixture
def session_with(keys: Keys) -> Opener:
    @contextmanager
    def open_session(
        answer: Any = None, limits: Limits = DEFAULT_LIMITS, **more: Any
    ) -> Iterator[SshSession]:
        served = Host(user_keys=[line(keys.user)], answer=answer, **more)
        with serving(served, [keys.host_ecdsa]) as host:
            target = SshTarget("esx", "127.0.0.1", host.port, key=keys.file, host_key=line(keys.host_ecdsa))
            session = connect(target, limits=limits)
            try:
                yield session
            finally:
                session.close()

    return open_session


def test_both_streams_and_the_status_come_back_to_the_letter(session_with: Opener) -> None:
    with session_with() as session:
        script = b"printf 'a\\000\\377\\r\\n'; printf 'e' >&2; exit 3"
        assert session.run(script, limit=10) == Output(3, b"a\x00\xff\r\n", b"e")
        assert session.run(b"", limit=10) == Output(0, b"", b"")


def test_a_written_script_is_taken_apart_again(session_with: Opener) -> None:
    with session_with() as session:
        output = session.run(
            writing_script(["echo one", "echo two >&2; false", "echo three"], "w0rd"), limit=10
        )
    found = pieces(output, "w0rd")
    assert [(piece.status, piece.out, piece.err) for piece in found.values()] == [
        (0, b"one\n", b""),
        (1, b"", b"two\n"),
    ]


def test_a_long_script_and_long_output_on_both_streams_do_not_block(session_with: Opener) -> None:
    with session_with() as session:
        script = (
            b"head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; wc -c <<E\n"
            + b"x" * 3000000
            + b"\nE\n"
        )
        output = session.run(script, limit=30)
    assert output.out[3000000:].strip() == b"3000001"
    assert len(output.err) == 3000000


def test_output_that_comes_before_the_script_was_read_does_not_block(session_with: Opener) -> None:
    async def echo(process: Any) -> None:
        process.exit(0)

    with session_with(echo) as session:
        assert session.run(b"x" * 5_000_000, limit=20).status == 0


def test_a_link_that_is_cut_is_unreachable(session_with: Opener) -> None:
    async def cut(process: Any) -> None:
        process.stdout.write(b"half")
        process.get_extra_info("connection").abort()

    with session_with(cut) as session, pytest.raises(Unreachable, match="cut") as caught:
        session.run(b"echo S3cret", limit=10)
    assert "S3cret" not in caught.value.message + caught.value.next


def test_a_host_that_says_goodbye_is_unreachable(session_with: Opener) -> None:
    async def goodbye(process: Any) -> None:
        process.get_extra_info("connection").disconnect(11, "going down")

    with session_with(goodbye) as session, pytest.raises(Unreachable, match="cut"):
        session.run(b"true", limit=10)


async def say_nothing(process: Any) -> None:
    await asyncio.Event().wait()


def test_a_command_that_takes_too_long_names_the_limit(session_with: Opener) -> None:
    with session_with(say_nothing) as session, pytest.raises(Unreachable, match="no answer within 1 s"):
        session.run(b"true", limit=1)


def test_a_command_that_falls_silent_names_the_silence(session_with: Opener) -> None:
    async def begin(process: Any) -> None:
        process.stdout.write(b"begin")
        await say_nothing(process)

    with (
        session_with(begin, Limits(silence=1)) as session,
        pytest.raises(Unreachable, match="nothing for 1 s"),
    ):
        session.run(b"true", limit=30)


def test_a_session_that_ran_out_of_time_is_closed(session_with: Opener) -> None:
    with session_with(say_nothing) as session:
        for _ in range(2):
            with pytest.raises(Unreachable):
                session.run(b"true", limit=0.5)


def test_a_host_that_prints_without_end_is_cut_off(session_with: Opener) -> None:
    async def flood(process: Any) -> None:
        while not process.is_closing():
            process.stdout.write(b"x" * 65536)
            await process.stdout.drain()

    limits = Limits(output=1024 * 1024)
    with session_with(flood, limits) as session, pytest.raises(Refused, match="prints without end"):
        session.run(b"true", limit=30)


def test_a_host_that_runs_no_commands_says_so(session_with: Opener) -> None:
    with session_with(runs_commands=False) as session, pytest.raises(Refused, match="runs no commands"):
        session.run(b"true", limit=10)


def test_a_script_that_a_signal_ended_has_no_status(session_with: Opener) -> None:
    async def killed(process: Any) -> None:
        process.stdout.write(b"half")
        process.exit_with_signal("KILL")

    with session_with(killed) as session:
        assert session.run(b"true", limit=10) == Output(None, b"half", b"")
        assert session.run(b"true", limit=10).status is None


def test_a_session_that_was_closed_is_unreachable(session_with: Opener) -> None:
    with session_with() as session:
        session.close()
        session.close()
        with pytest.raises(Unreachable):
            session.run(b"true", limit=10)
