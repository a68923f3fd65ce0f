"""Hosts that are far away: what is said arrives whole, in order, and no sooner than the way takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.simulator import Farm, HostHandle, HostModel
from tests.simulator.client import connected, run

ROUND_TRIP = 0.1


@pytest.fixture
def far(keys: Path) -> Iterator[HostHandle]:
    model = HostModel(name="far", version="8.0", authorized_keys=(keys / "rsa.pub").read_bytes())
    with Farm.start([model], latency=ROUND_TRIP) as farm:
        yield farm.host("far")


def test_every_answer_takes_a_round_trip_and_comes_whole(far: HostHandle, keys: Path) -> None:
    script = "".join(f"echo {number}; echo {number} >&2\n" for number in range(300))
    whole = "".join(f"{number}\n" for number in range(300))
    with connected(far, keys / "rsa") as client:
        began = time.monotonic()
        done = run(client, "sh", script.encode())
        # the channel, and the command: a test of the least that it takes, which no busy machine can break
        assert time.monotonic() - began >= 2 * ROUND_TRIP
    assert (done.status, done.out, done.err) == (0, whole, whole)


def test_a_connection_takes_the_round_trips_of_its_handshakes(far: HostHandle, keys: Path) -> None:
    began = time.monotonic()
    with connected(far, keys / "rsa"):
        # TCP, key exchange, service, authentication
        assert time.monotonic() - began >= 4 * ROUND_TRIP


def test_what_was_under_way_arrives_before_a_link_that_is_cut_ends(far: HostHandle, keys: Path) -> None:
    far.fault("cut-before", count=1)
    with connected(far, keys / "rsa") as client:
        done = run(client, "sh", b"echo heard\nmkdir /etc/one\necho never\n")
    assert (done.status, done.out) == (-1, "heard\n")
    assert not far.files.exists("/etc/one")
    with connected(far, keys / "rsa") as client:
        assert run(client, "echo again").out == "again\n"
