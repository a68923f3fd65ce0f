"""The calls of each verb, as the plan shows them. Pure: no call is made for it.

Values stand in double quotes; what a terminal would obey is shown as an escape, so that each call is one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reconciler.actuators.sdk.reach import DISK_TYPES
from reconciler.actuators.ssh.images.jobs import Job
from reconciler.facts import NfsSource
from reconciler.image_verbs import CloneDisk
from reconciler.kinds.paths import parse_datastore_path
from reconciler.render.visible import visible
from reconciler.verbs import (
    AddPortGroup,
    AddSwitch,
    AppendKeys,
    MakeFolder,
    MountNfs,
    MovePortGroup,
    RemountNfs,
    RewriteKeys,
    SetSshPolicy,
    SetVlan,
    StartSsh,
    StopSsh,
    UnmountNfs,
    Verb,
)

SSH_SERVICE = "TSM-SSH"
KEYS_PATH = "/host/ssh_root_authorized_keys"
SWITCH_PORTS = 128
"""What `esxcli network vswitch standard add` takes when it is not told."""


def calls(verb: Verb, endpoint: str) -> tuple[str, ...]:
    """One readable line for each call of `verb`; none for a verb that the SDK can't do.

    `endpoint` is `ADDRESS:PORT` of the host.
    """
    describe = _DESCRIBERS.get(type(verb))
    return () if describe is None else describe(verb, endpoint)


def _call(method: str, **arguments: Any) -> str:
    return f"{method}({', '.join(f'{name}={_shown(value)}' for name, value in arguments.items())})"


def _shown(value: Any) -> str:
    return visible(json.dumps(value, ensure_ascii=False))


def _mounting(name: str, source: NfsSource) -> str:
    server: Any = source.server.split(",") if source.version == "4.1" else source.server
    return _call(
        "HostDatastoreSystem.CreateNasDatastore",
        localPath=name,
        **{"remoteHostNames" if source.version == "4.1" else "remoteHost": server},
        remotePath=source.path,
        accessMode=access_mode(source),
        type=nas_type(source),
    )


def access_mode(source: NfsSource) -> str:
    """`HostMountMode` of a mount."""
    return "readOnly" if source.read_only else "readWrite"


def nas_type(source: NfsSource) -> str:
    """`HostNasVolumeSpec.type` of a mount."""
    return "NFS41" if source.version == "4.1" else "NFS"


def _unmounting(name: str) -> str:
    return _call("HostDatastoreSystem.RemoveDatastore", datastore=name)


def _folder(verb: MakeFolder, endpoint: str) -> tuple[str, ...]:
    path = parse_datastore_path(verb.path).spelled
    return (_call("FileManager.MakeDirectory", name=path, createParentDirectories=True),)


def _cloning(verb: CloneDisk, endpoint: str) -> tuple[str, ...]:
    """Below the lock's own calls; the folder in which the copy grows has another name at each try."""
    cargo, job = verb.cargo, Job(verb.room, verb.cargo.image)
    source = parse_datastore_path(f"{cargo.folder}/{cargo.file}").spelled
    grown = parse_datastore_path(f"{job.folder}/…").spelled
    final = parse_datastore_path(verb.room.folder).spelled
    copied = _call(
        "VirtualDiskManager.CopyVirtualDisk_Task",
        sourceName=source,
        destName=f"{grown}/{verb.room.disk}.vmdk",
        diskType=DISK_TYPES.get(verb.format, verb.format),
    )
    return (copied, _call("FileManager.MoveDatastoreFile_Task", sourceName=grown, destinationName=final))


def _adding(name: str, vswitch: str, vlan: int) -> str:
    return _call("HostNetworkSystem.AddPortGroup", name=name, vlanId=vlan, vswitchName=vswitch)


def _moving(verb: MovePortGroup, endpoint: str) -> tuple[str, ...]:
    return (
        _call("HostNetworkSystem.RemovePortGroup", pgName=verb.name),
        _adding(verb.name, verb.new_switch, verb.new_vlan),
    )


def _putting(endpoint: str, change: str) -> tuple[str, ...]:
    return (f"PUT https://{visible(endpoint)}{KEYS_PATH} ({change})",)


def _lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"


def _service(method: str) -> Callable[[Any, str], tuple[str, ...]]:
    return lambda verb, endpoint: (_call(f"HostServiceSystem.{method}", id=SSH_SERVICE),)


def _policy(verb: SetSshPolicy, endpoint: str) -> tuple[str, ...]:
    policy = "on" if verb.on else "off"
    return (_call("HostServiceSystem.UpdateServicePolicy", id=SSH_SERVICE, policy=policy),)


_DESCRIBERS: dict[type[Verb], Callable[[Any, str], tuple[str, ...]]] = {
    StartSsh: _service("StartService"),
    StopSsh: _service("StopService"),
    SetSshPolicy: _policy,
    AppendKeys: lambda verb, endpoint: _putting(endpoint, f"+{_lines(len(verb.lines))}"),
    RewriteKeys: lambda verb, endpoint: _putting(endpoint, f"-{_lines(verb.removed)}"),
    MountNfs: lambda verb, endpoint: (_mounting(verb.name, verb.source),),
    UnmountNfs: lambda verb, endpoint: (_unmounting(verb.name),),
    RemountNfs: lambda verb, endpoint: (_unmounting(verb.name), _mounting(verb.name, verb.new)),
    MakeFolder: _folder,
    CloneDisk: _cloning,
    AddSwitch: lambda verb, endpoint: (
        _call("HostNetworkSystem.AddVirtualSwitch", vswitchName=verb.name, numPorts=SWITCH_PORTS),
    ),
    AddPortGroup: lambda verb, endpoint: (_adding(verb.name, verb.vswitch, 0),),
    MovePortGroup: _moving,
    SetVlan: lambda verb, endpoint: (
        _call("HostNetworkSystem.UpdatePortGroup", pgName=verb.name, vlanId=verb.vlan),
    ),
}
