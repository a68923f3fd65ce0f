"""The configuration of a host, and its text in /etc/vmware/esx.conf and its neighbours.

The text is the truth: what a boot finds there is what comes back. Line shapes are those of a real esx.conf
(`/net/vswitch/child[0000]/name = "vSwitch0"`); which keys stand there is a subset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from reconciler.simulator.model import NfsMount, PortGroup

LINE = re.compile(r'^(/\S.*?) = "((?:[^"\\]|\\.)*)"$', re.MULTILINE)
FREE_RULESETS = {"nfsClient": False, "nfs41Client": False}


@dataclass
class Switch:
    """A standard switch."""

    name: str
    ports: int = 128
    mtu: int = 1500
    uplinks: list[str] = field(default_factory=list)


@dataclass
class Configuration:
    """What esx.conf holds. `advanced` are options that were set, by path (`/NFS/MaxVolumes`)."""

    switches: list[Switch] = field(default_factory=list)
    port_groups: list[PortGroup] = field(default_factory=list)
    mounts: list[NfsMount] = field(default_factory=list)
    advanced: dict[str, str] = field(default_factory=dict)
    rulesets: dict[str, bool] = field(default_factory=dict)

    def switch(self, name: str) -> Switch | None:
        return next((each for each in self.switches if each.name == name), None)

    def port_group(self, name: str) -> PortGroup | None:
        return next((each for each in self.port_groups if each.name == name), None)

    def mount(self, name: str) -> NfsMount | None:
        return next((each for each in self.mounts if each.name == name), None)


def render(config: Configuration) -> bytes:
    """The text of esx.conf."""
    lines = []
    for option, value in sorted(config.advanced.items()):
        lines.append((f"/adv{option}", value))
    for name, enabled in sorted(config.rulesets.items()):
        lines.append((f"/firewall/services/{name}", str(enabled).lower()))
    for mount in config.mounts:
        lines += _mount_lines(mount)
    for number, switch in enumerate(config.switches):
        lines += _switch_lines(f"/net/vswitch/child[{number:04d}]", switch, config.port_groups)
    return "".join(f'{key} = "{_escaped(value)}"\n' for key, value in lines).encode(
        "utf-8", "surrogateescape"
    )


def _mount_lines(mount: NfsMount) -> list[tuple[str, str]]:
    base = f"/{'nas' if mount.version == '3' else 'nfs41'}/{_name(mount.name)}"
    return [
        (f"{base}/enabled", "true"),
        (f"{base}/host", mount.server),
        (f"{base}/readOnly", str(mount.read_only).lower()),
        (f"{base}/share", mount.share),
    ]


def _switch_lines(base: str, switch: Switch, groups: list[PortGroup]) -> list[tuple[str, str]]:
    lines = [
        (f"{base}/mtu", str(switch.mtu)),
        (f"{base}/name", switch.name),
        (f"{base}/numPorts", str(switch.ports)),
    ]
    for index, group in enumerate([each for each in groups if each.vswitch == switch.name]):
        child = f"{base}/portgroup/child[{index:04d}]"
        lines += [(f"{child}/name", group.name), (f"{child}/vlanId", str(group.vlan))]
    lines += [(f"{base}/uplinks/child[{index:04d}]/pnic", nic) for index, nic in enumerate(switch.uplinks)]
    return lines


def parse(data: bytes) -> Configuration:
    """Read the text of an esx.conf; lines that it does not know are nothing to it."""
    config = Configuration()
    switches: dict[str, Switch] = {}
    groups: dict[str, PortGroup] = {}
    for key, raw in LINE.findall(data.decode("utf-8", "surrogateescape")):
        value = _unescaped(raw)
        if key.startswith("/adv/"):
            config.advanced[key.removeprefix("/adv")] = value
        elif key.startswith("/firewall/services/"):
            config.rulesets[key.rsplit("/", 1)[-1]] = value == "true"
        elif match := re.fullmatch(r"/(nas|nfs41)/([^/]+)/(enabled|host|readOnly|share)", key):
            _take_mount(config, match, value)
        elif match := re.fullmatch(r"(/net/vswitch/child\[\d+\])/(.*)", key):
            _take_switch(switches, groups, match[1], match[2], value)
    config.switches = list(switches.values())
    config.port_groups = list(groups.values())
    return config


def _take_mount(config: Configuration, match: re.Match[str], value: str) -> None:
    name = _unescaped_name(match[2])
    mount = config.mount(name)
    if mount is None:
        mount = NfsMount(name, "", "", "3" if match[1] == "nas" else "4.1")
        config.mounts.append(mount)
    if match[3] == "host":
        mount.server = value
    elif match[3] == "share":
        mount.share = value
    elif match[3] == "readOnly":
        mount.read_only = value == "true"


def _take_switch(
    switches: dict[str, Switch], groups: dict[str, PortGroup], base: str, rest: str, value: str
) -> None:
    switch = switches.setdefault(base, Switch(""))
    if rest == "name":
        switch.name = value
        for key, group in groups.items():
            if key.startswith(base):
                group.vswitch = value
    elif rest in ("mtu", "numPorts"):
        setattr(switch, {"mtu": "mtu", "numPorts": "ports"}[rest], int(value))
    elif match := re.fullmatch(r"portgroup/child\[\d+\]/(name|vlanId)", rest):
        group = groups.setdefault(base + rest.rsplit("/", 1)[0], PortGroup("", switch.name))
        if match[1] == "name":
            group.name = value
        else:
            group.vlan = int(value)
    elif rest.startswith("uplinks/"):
        switch.uplinks.append(value)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), value)


def _name(name: str) -> str:
    return name.replace("%", "%25").replace("/", "%2f").replace(chr(34), "%22")


def _unescaped_name(name: str) -> str:
    return name.replace("%22", chr(34)).replace("%2f", "/").replace("%25", "%")
