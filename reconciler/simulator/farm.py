"""A farm of simulated hosts: real SSH servers on loopback addresses, in one background thread."""

from __future__ import annotations

import asyncio
import difflib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from reconciler.simulator.clock import Clock
from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.handle import HostHandle
from reconciler.simulator.host import Host
from reconciler.simulator.listener import Addresses, Listener
from reconciler.simulator.model import HostModel, Storage
from reconciler.simulator.programs import load
from reconciler.simulator.rings import KeyRing

if TYPE_CHECKING:
    from reconciler.simulator.sdk.certificates import Certificates
    from reconciler.simulator.sdk.port import SdkPort

T = TypeVar("T")
TURNS = 5
"""asyncio closes a connection that was cut in one of its next turns, one with TLS in one after that."""


class Farm:
    """Hosts that run until `close`; also a context manager. `start` makes one."""

    def __init__(self, storage: Storage, latency: float = 0.0) -> None:
        self.storage, self._latency = storage, latency
        self.clock = Clock()
        self.hosts: dict[str, HostHandle] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulated hosts", daemon=True)
        self._listeners: list[Listener] = []
        self._addresses = Addresses()
        self._certificates: Certificates | None = None
        self._ports: list[SdkPort] = []

    @classmethod
    def start(cls, models: Iterable[HostModel], storage: Storage | None = None, latency: float = 0.0) -> Farm:
        """Boot the hosts and open their ports; a round trip over SSH takes `latency` seconds. Raises SimulatorError."""
        load()
        farm = cls(storage or Storage(), latency)
        farm._thread.start()
        try:
            farm._do(lambda: farm._add(list(models)))
        except BaseException:
            farm.close()
            raise
        return farm

    async def _added(self, models: list[HostModel]) -> None:
        ring = KeyRing()
        for index, model in enumerate(models):
            if model.name in self.hosts:
                raise SimulatorError(f"two hosts are called {model.name!r} (give each its own name)")
            host = Host(model, self.storage, self.clock)
            listener = Listener(host, ring.keys(host, index), self._addresses.of(index), self._latency)
            await listener.open()
            self._listeners.append(listener)
            sdk = await self._sdk(host, listener) if model.sdk else None
            self.hosts[model.name] = HostHandle(host, listener, self._do, sdk)

    async def _sdk(self, host: Host, listener: Listener) -> SdkPort:
        """pyVmomi is loaded only for farms that have a host with the SDK."""
        from reconciler.simulator.sdk.certificates import Certificates
        from reconciler.simulator.sdk.port import SdkPort

        self._certificates = self._certificates or Certificates()
        port = SdkPort(host, listener.address, self._certificates, lambda: listener.host_keys)
        port.open()
        self._ports.append(port)
        return port

    def _add(self, models: list[HostModel]) -> object:
        return self._added(models)

    def host(self, name: str) -> HostHandle:
        """The host called `name`; raises SimulatorError."""
        if name not in self.hosts:
            near = difflib.get_close_matches(name, self.hosts, 3, 0.0)
            raise SimulatorError(
                f"there is no host {name!r} (there are {len(self.hosts)}, such as {', '.join(near)})"
            )
        return self.hosts[name]

    def advance(self, seconds: float) -> None:
        """Move the time of all hosts."""
        self.clock.advance(seconds)

    def set_server(self, server: str, state: str) -> None:
        """An NFS server becomes `up`, `down` or `deny`, for all hosts."""
        self._do(lambda: self.storage.set_state(server, state))

    def _do(self, work: Callable[[], T]) -> T:
        """Do `work` in the loop's thread and hand its result over; a coroutine is awaited there."""
        if not self._thread.is_alive():
            raise SimulatorError("the simulated hosts are stopped")
        done: Future[T] = asyncio.run_coroutine_threadsafe(_called(work), self._loop)
        return done.result()

    def close(self) -> None:
        """Stop all hosts; connections are cut."""
        if not self._thread.is_alive():
            return

        async def stop() -> None:
            for port in self._ports:
                port.shut()
            for listener in self._listeners:
                listener.shut()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            for _ in range(TURNS):
                await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)
        self._loop.close()
        self._addresses.release()

    def __enter__(self) -> Farm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def _called(work: Callable[[], T]) -> T:
    result = work()
    if asyncio.iscoroutine(result):
        awaited: T = await result
        return awaited
    return result
