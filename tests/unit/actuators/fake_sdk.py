"""A host in memory behind an SDK session: it refuses what a host refuses, and each call can be made to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pyVmomi import VmomiSupport, vim

from reconciler.actuators.sdk.describing import KEYS_PATH
from reconciler.actuators.sdk.hands import SdkHands
from reconciler.actuators.work import Work
from reconciler.facts import Product
from reconciler.transports.sdk import HttpAnswer, Row, Want
from reconciler.transports.sdk.answers import MethodFault, NoRight, Passing
from reconciler.transports.sdk.target import SdkTarget

ESXI67 = Product("VMware ESXi", (6, 7, 0), "8169922")
TARGET = SdkTarget("a", "127.0.0.1", lambda: "geheim", "{env: X}", port=8443)


host: Any = vim.host
KINDS: dict[Any, Any] = {
    "services": host.ServiceSystem,
    "datastores": host.DatastoreSystem,
    "network": host.NetworkSystem,
    "files": vim.FileManager,
}


def fault(name: str, said: str = "") -> MethodFault:
    return MethodFault(f"vim.fault.{name}", said or f"{name}.")


def answered(status: int, body: bytes) -> HttpAnswer:
    """As the session tells it: some answers are exceptions."""
    if status == 503:
        raise Passing("https", "503 Service Unavailable")
    if status in (401, 403):
        raise NoRight("https", f"{status} Refused")
    return HttpAnswer(status, "Reason", body)


def data(name: str, /, **fields: Any) -> Any:
    """A data object of the library, which checks names and types."""
    support: Any = VmomiSupport
    return support.GetWsdlType("urn:vim25", name)(**fields)


def is_a(name: str, thing: Any) -> bool:
    """Whether it is a data object of that name."""
    return type(thing) is type(data(name))


def checked(kind: Any, method: str, arguments: Mapping[str, Any]) -> None:
    """The library knows the method and these arguments; none that it must have is missing."""
    known = {it.name: it for it in getattr(kind, method).info.params}
    assert set(arguments) <= set(known)
    support: Any = VmomiSupport
    needed = {name for name, it in known.items() if not it.flags & support.F_OPTIONAL}
    assert needed <= set(arguments)
    for name, value in arguments.items():
        if not isinstance(value, SimpleNamespace):
            support.CheckField(known[name], value)


def datastore(name: str, folder: str = "", nas: Any = None, mode: str = "readWrite") -> SimpleNamespace:
    """A managed object; its properties stand in it."""
    url = f"/vmfs/volumes/{folder}/" if folder else "/tmp/somewhere"
    mount = data("DatastoreHostMount", mountInfo=data("HostMountInfo", accessMode=mode))
    info = data("VmfsDatastoreInfo") if nas is None else data("NasDatastoreInfo", nas=nas)
    return SimpleNamespace(summary=data("DatastoreSummary", name=name, url=url), info=info, host=[mount])


def nas(server: str, path: str, type: str = "NFS", **more: Any) -> Any:
    return data("HostNasVolume", remoteHost=server, remotePath=path, type=type, **more)


def group(name: str, vswitch: str, vlan: int = 0, policy: Any = None) -> SimpleNamespace:
    policy = policy or data(
        "HostNetworkPolicy", security=data("HostNetworkSecurityPolicy", forgedTransmits=True)
    )
    spec = data("HostPortGroupSpec", name=name, vswitchName=vswitch, vlanId=vlan, policy=policy)
    return SimpleNamespace(spec=spec)


@dataclass
class FakeSession:
    """`faults` has for a method what is raised before it, one after the other (None: nothing); `late` what is raised
    after it had its effect. `puts` has for each PUT what becomes of the file, and the status."""

    datastores: list[SimpleNamespace] = field(default_factory=list)
    groups: list[SimpleNamespace] = field(default_factory=list)
    switches: list[str] = field(default_factory=lambda: ["vSwitch0", "vSwitch1"])
    folders: set[str] = field(default_factory=set)
    keys: bytes | None = None
    services: dict[str, object] = field(default_factory=dict)
    faults: dict[str, list[Exception | None]] = field(default_factory=dict)
    late: dict[str, list[Exception | None]] = field(default_factory=dict)
    gets: list[int] = field(default_factory=list)
    puts: list[Callable[[bytes], tuple[bytes | None, int]]] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    rows: bool = True
    calls: list[str] = field(default_factory=list)
    https_calls: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    target: SdkTarget = TARGET
    managers: Any = field(
        default_factory=lambda: SimpleNamespace(
            serviceSystem="services", datastoreSystem="datastores", networkSystem="network"
        )
    )

    @property
    def content(self) -> Any:
        return SimpleNamespace(fileManager="files")

    def hands(self, product: Product = ESXI67) -> SdkHands:
        return SdkHands(
            self, product, Work(lambda it: None, lambda: False, self.pauses.append, Path("spool"))
        )

    def host(self) -> Any:
        return "ha-host"

    def make(self, name: str, /, **fields: Any) -> Any:
        return data(name, **fields)

    def read(self, wants: Sequence[Want]) -> list[Row]:
        self._fail(self.faults, "read")
        (want,) = wants
        if want.kind == "Datastore":
            return [self._row(it, {path: getattr(it, path) for path in want.paths}) for it in self.datastores]
        found = {"configManager": self.managers, "config.network": SimpleNamespace(portgroup=self.groups)}
        return [self._row("ha-host", {path: found[path] for path in want.paths})] if self.rows else []

    def _row(self, thing: Any, values: dict[str, Any]) -> Row:
        shown = {path: value for path, value in values.items() if path not in self.hidden}
        return Row(thing, shown, {path: "no right to see it" for path in values if path in self.hidden})

    def call(self, obj: Any, method: str, **arguments: Any) -> Any:
        self.calls.append(method)
        checked(KINDS[obj], method, arguments)
        self._fail(self.faults, method)
        getattr(self, f"_{method}")(obj, **arguments)
        self._fail(self.late, method)

    def wait(self, task: Any, limit: float) -> Any:
        raise AssertionError("no task was started")

    def https(self, method: str, path: str, body: bytes | None = None) -> HttpAnswer:
        assert path == KEYS_PATH
        self.https_calls.append(method)
        self._fail(self.faults, method)
        if method == "PUT":
            assert body is not None
            put = self.puts.pop(0) if self.puts else lambda text: (text, 200)
            self.keys, status = put(body)
            return answered(status, b"")
        status = self.gets.pop(0) if self.gets else 200 if self.keys is not None else 404
        return answered(status, self.keys or b"")

    def _fail(self, faults: dict[str, list[Exception | None]], method: str) -> None:
        waiting = faults.get(method, [])
        problem = waiting.pop(0) if waiting else None
        if problem is not None:
            raise problem

    def _StartService(self, obj: Any, id: str) -> None:
        self._service(obj, id, "running")

    def _StopService(self, obj: Any, id: str) -> None:
        self._service(obj, id, "stopped")

    def _UpdateServicePolicy(self, obj: Any, id: str, policy: str) -> None:
        self._service(obj, id, policy)

    def _service(self, obj: Any, id: str, what: str) -> None:
        assert id == "TSM-SSH"
        self.services[what] = True

    def _CreateNasDatastore(self, obj: Any, spec: Any) -> None:
        assert is_a("HostNasVolumeSpec", spec)
        if any(it.summary.name == spec.localPath for it in self.datastores):
            raise fault("DuplicateName")
        made = nas(
            spec.remoteHost,
            spec.remotePath,
            spec.type,
            remoteHostNames=spec.remoteHostNames,
            securityType=spec.securityType,
        )
        self.datastores.append(datastore(spec.localPath, nas=made, mode=spec.accessMode))

    def _RemoveDatastore(self, obj: Any, datastore: Any) -> None:
        self.datastores.remove(datastore)

    def _MakeDirectory(self, obj: Any, name: str, **more: Any) -> None:
        assert more == {"createParentDirectories": True}
        if name in self.folders:
            raise fault("FileAlreadyExists")
        self.folders.add(name)

    def _AddVirtualSwitch(self, obj: Any, spec: Any, **given: str) -> None:
        assert is_a("HostVirtualSwitchSpec", spec)
        assert spec.numPorts == 128
        self.switches.append(given["vswitchName"])

    def _AddPortGroup(self, obj: Any, portgrp: Any) -> None:
        assert is_a("HostPortGroupSpec", portgrp)
        if portgrp.vswitchName not in self.switches:
            raise fault("NotFound")
        if any(it.spec.name == portgrp.name for it in self.groups):
            raise fault("AlreadyExists")
        self.groups.append(SimpleNamespace(spec=portgrp))

    def _RemovePortGroup(self, obj: Any, **given: str) -> None:
        before = len(self.groups)
        self.groups = [it for it in self.groups if it.spec.name != given["pgName"]]
        assert len(self.groups) == before - 1

    def _UpdatePortGroup(self, obj: Any, portgrp: Any, **given: str) -> None:
        (found,) = (it for it in self.groups if it.spec.name == given["pgName"])
        found.spec = portgrp
