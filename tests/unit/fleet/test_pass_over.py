"""What is told of a pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.desired import load
from reconciler.events import Event, Finished, Waiting
from reconciler.fleet import Fleet, Options
from reconciler.report import Status

SPEC = """\
apiVersion: reconciler/v1
kind: Host
metadata: {name: esx}
spec: {address: 127.0.0.1}
"""


@contextmanager
def never_had(host: str, stopping: Callable[[], bool], waiting: Callable[[], None]) -> Iterator[bool]:
    """Another run has the host, and the wait for it is cut short."""
    waiting()
    yield False


def test_a_pass_whose_wait_for_its_turn_was_cut_short_has_an_end_so_that_nobody_shows_it_waiting(
    tmp_path: Path,
) -> None:
    (tmp_path / "esx.yaml").write_text(SPEC)
    hosts, heard = load([tmp_path]).hosts, list[Event]()
    options = Options(dry_run=False, allow=None, only=(), concurrency=1, state_dir=tmp_path)
    fleet = Fleet(hosts, options, heard.append, threading.Event(), turn=never_had)
    assert fleet.pass_over(hosts[0]).status is Status.PENDING
    assert [type(event) for event in heard] == [Waiting, Finished]
