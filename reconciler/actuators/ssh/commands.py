"""The commands of each verb, as they are shown in the plan and as they run. Pure.

ESXi 4.x has no `esxcli storage` and no `esxcli network vswitch`, but `esxcfg-nas` and `esxcfg-vswitch`; from 5.0 on
esxcli does both. Every value goes through `quote`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.actuators.ssh import files
from reconciler.facts import NfsSource
from reconciler.image_verbs import LoadModule
from reconciler.transports.shell import quote
from reconciler.verbs import (
    AddPortGroup,
    AddSwitch,
    AppendKeys,
    ArchiveKeys,
    MakeFolder,
    MarkKeys,
    MountNfs,
    MovePortGroup,
    OweBackup,
    RemountNfs,
    ReplaceBootConfig,
    RewriteKeys,
    SaveConfiguration,
    SetSshPolicy,
    SetVlan,
    StartSsh,
    StopSsh,
    UnmountNfs,
    Verb,
)

Version = tuple[int, ...]
FIRST_ESXCLI: Version = (5, 0, 0)


def commands(verb: Verb, version: Version) -> tuple[str, ...]:
    """The shell commands that carry `verb` out on that version, in order; each runs only if the one before went well.

    Raises KeyError for a verb that SSH can't do.
    """
    return _WRITERS[type(verb)](verb, version)


def _mount(name: str, source: NfsSource, version: Version) -> str:
    if version < FIRST_ESXCLI:
        return f"esxcfg-nas -a -o {quote(source.server)} -s {quote(source.path)} {quote(name)}"
    space = "nfs41" if source.version == "4.1" else "nfs"
    flag = " -r" if source.read_only else ""
    return (
        f"esxcli storage {space} add -H {quote(source.server)} -s {quote(source.path)} -v {quote(name)}{flag}"
    )


def _unmount(name: str, nfs_version: str, version: Version) -> str:
    if version < FIRST_ESXCLI:
        return f"esxcfg-nas -d {quote(name)}"
    return f"esxcli storage {'nfs41' if nfs_version == '4.1' else 'nfs'} remove -v {quote(name)}"


def _remount(verb: RemountNfs, version: Version) -> tuple[str, ...]:
    """Out and in as one command line, so that a cut link can't come between."""
    leave = _unmount(verb.name, verb.old.version, version)
    new, old = _mount(verb.name, verb.new, version), _mount(verb.name, verb.old, version)
    return (f"{leave} && {{ {new} || {{ {old}; false; }}; }}",)


def _policy(verb: SetSshPolicy, version: Version) -> tuple[str, ...]:
    return ("vim-cmd hostsvc/enable_ssh" if verb.on else "vim-cmd hostsvc/disable_ssh",)


def _add_switch(verb: AddSwitch, version: Version) -> tuple[str, ...]:
    if version < FIRST_ESXCLI:
        return (f"esxcfg-vswitch -a {quote(verb.name)}",)
    return (f"esxcli network vswitch standard add -v {quote(verb.name)}",)


def _add_group(verb: AddPortGroup, version: Version) -> tuple[str, ...]:
    name, vswitch = quote(verb.name), quote(verb.vswitch)
    if version < FIRST_ESXCLI:
        return (f"esxcfg-vswitch -A {name} {vswitch}",)
    return (f"esxcli network vswitch standard portgroup add -p {name} -v {vswitch}",)


def _remove_group(name: str, vswitch: str, version: Version) -> str:
    if version < FIRST_ESXCLI:
        return f"esxcfg-vswitch -D {quote(name)} {quote(vswitch)}"
    return f"esxcli network vswitch standard portgroup remove -p {quote(name)} -v {quote(vswitch)}"


def _move(verb: MovePortGroup, version: Version) -> tuple[str, ...]:
    """Out and in as one command line, so that a cut link can't come between."""

    def place(vswitch: str, vlan: int) -> str:
        return " && ".join(
            (
                *_add_group(AddPortGroup(verb.name, vswitch), version),
                *_vlan(SetVlan(verb.name, vswitch, vlan), version),
            )
        )

    leave, undo = (
        _remove_group(verb.name, vswitch, version) for vswitch in (verb.old_switch, verb.new_switch)
    )
    back = f"{undo}; {place(verb.old_switch, verb.old_vlan)}; false"
    return (f"{leave} && {{ {place(verb.new_switch, verb.new_vlan)} || {{ {back}; }}; }}",)


def _vlan(verb: SetVlan, version: Version) -> tuple[str, ...]:
    if version < FIRST_ESXCLI:
        return (f"esxcfg-vswitch -v {verb.vlan} -p {quote(verb.name)} {quote(verb.vswitch)}",)
    return (f"esxcli network vswitch standard portgroup set -p {quote(verb.name)} -v {verb.vlan}",)


def _load_module(verb: LoadModule, version: Version) -> tuple[str, ...]:
    """A module that somebody else has loaded meanwhile is loaded as well."""
    name = quote(verb.module)
    return (f"vmkload_mod {name} || vmkload_mod -l | grep -q {quote(f'^{verb.module} ')}",)


_WRITERS: dict[type[Verb], Callable[[Any, Version], tuple[str, ...]]] = {
    StartSsh: lambda verb, version: ("vim-cmd hostsvc/start_ssh",),
    StopSsh: lambda verb, version: ("vim-cmd hostsvc/stop_ssh",),
    SetSshPolicy: _policy,
    MountNfs: lambda verb, version: (_mount(verb.name, verb.source, version),),
    UnmountNfs: lambda verb, version: (_unmount(verb.name, verb.version, version),),
    RemountNfs: _remount,
    AddSwitch: _add_switch,
    AddPortGroup: _add_group,
    MovePortGroup: _move,
    SetVlan: _vlan,
    MakeFolder: lambda verb, version: (f"mkdir -p {quote(verb.path)}",),
    AppendKeys: files.append_keys,
    MarkKeys: lambda verb, version: (f"chmod +t {quote(verb.path)}",),
    RewriteKeys: files.rewrite_keys,
    ArchiveKeys: files.archive_keys,
    ReplaceBootConfig: files.replace_boot_config,
    SaveConfiguration: files.save_configuration,
    OweBackup: files.owe_backup,
    LoadModule: _load_module,
}
