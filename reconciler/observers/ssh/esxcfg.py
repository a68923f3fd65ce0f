"""The esxcfg commands, which all versions have and 4.x has alone: NFS mounts, switches, advanced options."""

from __future__ import annotations

import re

from reconciler.facts import Datastore, Network, NfsSource, PortGroup
from reconciler.observers.ssh.errors import Unreadable, lines_of

# A name holds no slash, but may hold " is "; a path may hold " from ", a server no blank.
MOUNT = re.compile(r"(.+?) is (/.*|\S+) from (\S+?)( mounted)?( available| unavailable)?")
NO_MOUNTS = "no nas datastore found"
COUNTS = re.compile(r"Switch Name +Num Ports +Used Ports +Configured Ports +MTU +Uplinks")
GROUPS = re.compile(r"PortGroup Name +VLAN ID +Used Ports +Uplinks")
# Distributed switches (DVS Name, DVPort ID), and those of NSX, which have no Configured Ports.
FOREIGN = re.compile(
    r"DVS Name +Num Ports +Used Ports +Configured Ports +(?:MTU +)?Uplinks"
    r"|Switch Name +Num Ports +Used Ports +Uplinks"
)
# Counted from the right: names hold blanks and overflow their column; an uplink begins with a letter.
SWITCH_ROW = re.compile(r"(\S.*?) +\d+ +\d+ +\d+ +\d+(?: +[A-Za-z]\S*)?", re.ASCII)
GROUP_ROW = re.compile(r"(\S.*?) +(\d{1,9}) +(\d{1,9})(?: +[A-Za-z]\S*)?", re.ASCII)


def nas_list(text: str) -> list[Datastore]:
    """`esxcfg-nas -l`: `NAME is PATH from SERVER mounted`; with a lost server the last word is missing.

    Some builds append `available` or `unavailable`. Whether a mount is read-only is not told. Raises
    Unreadable.
    """
    lines = [line.strip(" ") for line in lines_of(text)]
    return [_mount(line) for line in lines if line and line.lower().rstrip(".") != NO_MOUNTS]


def _mount(line: str) -> Datastore:
    match = MOUNT.fullmatch(line)
    if match is None:
        raise Unreadable("no line of esxcfg-nas", line)
    name, path, server, mounted, state = match.groups()
    accessible = mounted is not None and state != " unavailable"
    return Datastore(name, "NFS", accessible, NfsSource(server, path), read_only_known=False)


def vswitch_list(text: str) -> Network:
    """`esxcfg-vswitch -l`: standard switches and their port groups; other kinds of switch are left out.

    `clients` counts the used ports. Raises Unreadable.
    """
    switches: list[str] = []
    groups: list[PortGroup] = []
    section: re.Pattern[str] | None = None
    for line in (line.strip(" ") for line in lines_of(text)):
        heading = _heading(line)
        if section is FOREIGN and heading is not COUNTS:
            continue
        if heading is not None:
            section = heading
        elif line and section is COUNTS:
            switches.append(_row(SWITCH_ROW, line)[1])
        elif line and section is GROUPS and switches:
            row = _row(GROUP_ROW, line)
            groups.append(PortGroup(row[1], switches[-1], int(row[2]), int(row[3])))
        elif line:
            raise Unreadable("no list of switches", line)
    if section is None:
        raise Unreadable("no list of switches", text)
    return Network(tuple(groups), tuple(switches))


def _heading(line: str) -> re.Pattern[str] | None:
    return next((kind for kind in (COUNTS, GROUPS, FOREIGN) if kind.fullmatch(line)), None)


def _row(pattern: re.Pattern[str], line: str) -> re.Match[str]:
    match = pattern.fullmatch(line)
    if match is None:
        raise Unreadable("no row of a list of switches", line)
    return match
