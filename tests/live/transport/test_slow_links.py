"""On a slow link, what is urgent is not kept waiting by the data of a copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from reconciler.actuators.ssh.images.lock import volume_lock
from reconciler.actuators.ssh.images.owner import BEAT_SECONDS, Clock, Pace
from reconciler.actuators.ssh.images.runner import HostRunner
from reconciler.faults import Unreachable
from reconciler.simulator import Farm, HostModel
from reconciler.transports.ssh import SshSession, SshTarget, connect
from reconciler.transports.ssh_exec import window_for
from tests.live.transport.servers import Keys
from tests.live.transport.slow_link import SlowLink, slow_link

KIB = 1024
VOLUME = "/vmfs/volumes/datastore1"
DATA = os.urandom(3 << 20)
BEATS = 5


@contextmanager
def far_away(keys: Keys, version: str = "6.7") -> Iterator[tuple[SshSession, SlowLink, Any]]:
    """A session with a simulated host over a link of 1 MiB per second."""
    model = HostModel("esx", version, authorized_keys=keys.user.export_public_key())
    with Farm.start([model]) as farm:
        host = farm.host("esx")
        with slow_link(host.address, host.port, 1 << 20) as link:
            target = SshTarget("esx", "127.0.0.1", link.port, key=keys.file, host_key=host.host_keys[0])
            session = connect(target)
            try:
                yield session, link, host
            finally:
                session.close()


def send(session: SshSession) -> None:
    session.send(f"cat > {VOLUME}/data", [DATA], limit=60)


def test_what_is_urgent_goes_before_the_data_of_a_copy(keys: Keys) -> None:
    with far_away(keys) as (session, link, host), ThreadPoolExecutor() as pool:
        copy = pool.submit(send, session)
        link.wait_for(512 * KIB)
        before = link.passed
        assert session.run(b"mkdir /tmp/beat", limit=20, urgent=True).status == 0
        assert link.passed - before < 768 * KIB
        assert host.files.exists("/tmp/beat")
        session.close()
        with pytest.raises(Unreachable):
            copy.result()


def test_the_data_goes_on_when_what_was_urgent_is_done(keys: Keys) -> None:
    with far_away(keys) as (session, link, host), ThreadPoolExecutor() as pool:
        copy = pool.submit(send, session)
        link.wait_for(256 * KIB)
        assert session.run(b"exit 3", limit=20, urgent=True).status == 3
        copy.result()
        assert host.files.read(f"{VOLUME}/data") == DATA


def test_a_lock_beats_on_while_data_fills_the_link(keys: Keys) -> None:
    """With beats a twentieth of what they are, at four times the speed of a link of 2 Mbit/s."""
    hasty = Clock(pace=Pace(beat=BEAT_SECONDS / 20))
    with far_away(keys) as (session, _, host):

        def beats() -> list[str]:
            return [it.argv[1] for it in host.executed if it.argv[0] == "mv" and "/beat-" in it.argv[1]]

        def data() -> Iterator[bytes]:
            for piece in [DATA[at : at + 64 * KIB] for at in range(0, len(DATA), 64 * KIB)] * 3:
                yield piece
                if len(beats()) >= BEATS:
                    return

        with volume_lock(HostRunner(session), VOLUME, "a copy", lambda: False, hasty) as lock:
            session.send(f"cat > {VOLUME}/data", data(), limit=60)
            lock.check()
            assert len(beats()) >= BEATS, beats()


@pytest.mark.parametrize(
    ("rate", "ahead"), [(1_000.0, 128 * KIB), (250_000.0, 250_000), (1e9, 8 << 20), (0.0, 128 * KIB)]
)
def test_a_host_sends_a_second_ahead_and_no_more(rate: float, ahead: int) -> None:
    assert window_for(rate) == ahead
