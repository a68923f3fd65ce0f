"""Which machines a host knows: registering a .vmx, and letting it go."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.simulator.model import Disk, Machine
from reconciler.simulator.vms import texts
from reconciler.simulator.vms.files import chain_of
from reconciler.simulator.vms.places import named, placed, text_of

if TYPE_CHECKING:
    from reconciler.simulator.host import Host


def find(host: Host, machine_id: str) -> Machine | None:
    return next((each for each in host.machines if str(each.id) == machine_id), None)


def registered(host: Host, path: str) -> Machine | None:
    """The machine whose .vmx this is; `path` is absolute."""
    return next((each for each in host.machines if host.vmx_path(each) == path), None)


def register(host: Host, path: str, name: str = "") -> Machine | None:
    """Register the .vmx at an absolute path, read from its file; None when there is none on a datastore."""
    text, found = text_of(host, path), placed(host, path)
    if text is None or found is None:
        return None
    machine = read(host, text, path, found[0].name, found[1])
    machine.name = name or machine.name
    admit(host, machine)
    return machine


def admit(host: Host, machine: Machine) -> None:
    """Put a machine into the inventory; what the host knew of its .vmx before is forgotten."""
    path = host.vmx_path(machine)
    host.known_machines = [each for each in host.known_machines if host.vmx_path(each) != path]
    host.known_machines.append(machine)
    host.machines.append(machine)


def read(host: Host, text: str, path: str, datastore: str, relative: str) -> Machine:
    """The machine that a .vmx describes, with the chains of its disks."""
    values = texts.read_vmx(text)
    version = int(values.get("virtualhw.version", "7"))
    return Machine(
        max([0, *(each.id for each in host.known_machines)]) + 1,
        values.get("displayname", posixpath.basename(path).removesuffix(".vmx")),
        datastore,
        relative,
        values.get("guestos", "other") + "Guest",
        f"vmx-{version:02d}",
        values.get("annotation", ""),
        disks=tuple(_disks(host, values, posixpath.dirname(path))),
        computer_id=values.get("#computer_id", ""),
    )


def _disks(host: Host, values: dict[str, str], folder: str) -> Iterator[Disk]:
    for key, file in values.items():
        device, _, field = key.partition(".")
        number = texts.key_of(device)
        if number is None or field != "filename" or values.get(f"{device}.present", "").upper() != "TRUE":
            continue
        if file.lower().endswith((".vmdk", ".dsk")):
            chain = tuple(chain_of(host, named(host, posixpath.join(folder, file))))[::-1]
            yield Disk(chain, values.get(f"{device}.mode", "persistent"), number)


def unregister(host: Host, machine: Machine) -> None:
    """Its files stay."""
    host.machines.remove(machine)
