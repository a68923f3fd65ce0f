"""Simulated ESXi hosts over real SSH, for trying the reconciler out and for users' own CI.

    farm = Farm.start([HostModel(name="esx-67", version="6.7")], storage=Storage({"filer": ("/export",)}))
    host = farm.host("esx-67")     # host.address, host.port, host.host_keys

The simulator imports nothing of the rest of the program, and is as strict as a real host: it refuses what one
refuses and forgets at a boot what one forgets.
"""

from reconciler.simulator.errors import BootFailure, SimulatorError
from reconciler.simulator.farm import Farm
from reconciler.simulator.faults import FAULTS
from reconciler.simulator.handle import HostHandle
from reconciler.simulator.host import Executed
from reconciler.simulator.model import Disk, HostModel, Machine, NfsMount, PortGroup, Storage
from reconciler.simulator.versions import RELEASES

__all__ = [
    "FAULTS",
    "RELEASES",
    "BootFailure",
    "Disk",
    "Executed",
    "Farm",
    "HostHandle",
    "HostModel",
    "Machine",
    "NfsMount",
    "PortGroup",
    "SimulatorError",
    "Storage",
]
