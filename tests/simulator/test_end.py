"""Simulated hosts are stopped while somebody is on the way to them."""

from __future__ import annotations

import gc
import socket
import threading
from contextlib import suppress

import pytest

from reconciler.simulator import Farm, HostModel


@pytest.mark.parametrize("sdk", [False, True], ids=["ssh", "sdk"])
def test_who_comes_in_the_moment_of_the_end_is_hung_up_on(sdk: bool) -> None:
    farm = Farm.start([HostModel("esx", "6.7", sdk=True)])
    host = farm.host("esx")
    port = host.sdk_port if sdk else host.port
    met, goes_on = threading.Event(), threading.Event()

    def busy() -> None:
        met.set()
        goes_on.wait(20)

    farm._loop.call_soon_threadsafe(busy)
    assert met.wait(20)
    callers = [socket.create_connection((host.address, port), timeout=20) for _ in range(5)]
    # the end is asked for before they are seen, and comes when they have just been let in
    closing = threading.Thread(target=farm.close)
    closing.start()
    while not farm._loop._ready:  # type: ignore[attr-defined]
        pass
    goes_on.set()
    closing.join(20)
    # a connection that was left open is a warning here, and warnings are errors
    gc.collect()
    for caller in callers:
        with caller, suppress(ConnectionResetError):
            while caller.recv(1024):
                continue
