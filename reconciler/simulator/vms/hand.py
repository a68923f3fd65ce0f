"""What tests and tools do to the machines of a host; part of its handle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.model import Machine
from reconciler.simulator.vms import files, power, registry

if TYPE_CHECKING:
    from reconciler.simulator.host import Host


T = TypeVar("T")


class Doer(Protocol):
    """Does something in the farm's thread and hands the result over."""

    def __call__(self, work: Callable[[], T]) -> T: ...


class Machines:
    """The machines of one host. What is registered here is saved at once, unless `saved` is False."""

    name: str
    _host: Host
    _do: Doer

    def _change(self, work: Callable[[], Any], saved: bool) -> None:
        raise NotImplementedError

    @property
    def machines(self) -> list[Machine]:
        """The machines that are registered."""
        return self._do(lambda: list(self._host.machines))

    def register_vm(self, machine: Machine, saved: bool = True) -> None:
        """A machine that is there already, with its .vmx, .vmsd and deltas; its base disks are left as they are.

        Raises SimulatorError for one that is to run and can't.
        """
        self._change(lambda: self._host.place_machine(machine), saved)

    def add_machine_files(self, machine: Machine, vmx: bool = True) -> None:
        """The files of a machine that no host knows; without `vmx` only the deltas of its disks."""
        self._do(lambda: files.lay(self._host, machine, vmx))

    def unregister_vm(self, machine_id: int, saved: bool = True) -> None:
        """Let a machine go; its files stay."""
        self._change(lambda: registry.unregister(self._host, self._machine(machine_id)), saved)

    def power_vm(self, machine_id: int, on: bool) -> None:
        """Power a machine on or off; raises SimulatorError for one that can't run."""
        turn = power.place if on else power.stop
        self._do(lambda: turn(self._host, self._machine(machine_id)))

    def snapshot_vm(self, machine_id: int, name: str) -> None:
        """Take a snapshot: each persistent disk gets a further delta."""
        self._do(lambda: power.snapshot(self._host, self._machine(machine_id), name))

    def break_vm(self, machine_id: int) -> None:
        """What the machine stands on is lost: it lists as invalid."""

        def work() -> None:
            self._machine(machine_id).broken = True

        self._do(work)

    def _machine(self, machine_id: int) -> Machine:
        found = registry.find(self._host, str(machine_id))
        if found is None:
            raise SimulatorError(f"{self.name} has no machine {machine_id}")
        return found
