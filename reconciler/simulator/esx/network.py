"""`esxcli network` and its older form `esxcfg-vswitch`.

Layouts: field captures of 5.0, 6.5 and 7.x, public ones of esxcfg-vswitch on 5.5 and 6.x. Inferred: that esxcfg-vswitch
of 4.x prints as that of 5.5; the refusal of a VLAN out of range.
"""

from __future__ import annotations

from reconciler.simulator.config import Configuration, Switch
from reconciler.simulator.esx.command import Option, Refusal, command
from reconciler.simulator.esx.render import Result, Structure
from reconciler.simulator.host import Host
from reconciler.simulator.model import PortGroup
from reconciler.simulator.shell.process import Shell
from reconciler.simulator.tools.call import Call, Usage, program
from reconciler.simulator.volumes import TEMPLATE

MISSING = "Sysinfo error: Not found"
SWITCH = Option("v", "vswitch-name", required=True)
GROUP = Option("p", "portgroup-name", required=True)


class Net:
    """Changes of the standard switches, each with the refusal that a host has for it."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def config(self) -> Configuration:
        return self._host.config

    def add_switch(self, name: str, ports: int = 128) -> None:
        if self.config.switch(name) is not None:
            raise Refusal("A portset with this name already exists")
        if not name or len(name) > 31:
            raise Refusal(TEMPLATE.format("Bad parameter"))
        self._host.room()
        self.config.switches.append(Switch(name, ports))
        self._host.commit()

    def remove_switch(self, name: str) -> None:
        switch = self._switch(name)
        groups = [each for each in self.config.port_groups if each.vswitch == name]
        if any(each.clients for each in groups):
            raise Refusal(TEMPLATE.format("Busy"))
        self._host.room()
        self.config.switches.remove(switch)
        self.config.port_groups = [each for each in self.config.port_groups if each.vswitch != name]
        self._host.commit()

    def set_mtu(self, name: str, mtu: int) -> None:
        self._host.room()
        self._switch(name).mtu = mtu
        self._host.commit()

    def add_group(self, name: str, vswitch: str) -> None:
        self._switch(vswitch)
        if self.config.port_group(name) is not None:
            raise Refusal(f"A portgroup with the name {name} already exists")
        if not name or len(name) > 80:
            raise Refusal(TEMPLATE.format("Bad parameter"))
        self._host.room()
        self.config.port_groups.append(PortGroup(name, vswitch))
        self._host.commit()

    def remove_group(self, name: str, vswitch: str) -> None:
        group = self._group(name)
        if group.vswitch != vswitch:
            raise Refusal(MISSING)
        if group.clients:
            raise Refusal(TEMPLATE.format("Busy"))
        self._host.room()
        self.config.port_groups.remove(group)
        self._host.commit()

    def set_vlan(self, name: str, vlan: str) -> None:
        group = self._group(name)
        if not vlan.isdigit() or int(vlan) > 4095:
            raise Refusal(TEMPLATE.format("Bad parameter"))
        self._host.room()
        group.vlan = int(vlan)
        self._host.commit()

    def _switch(self, name: str) -> Switch:
        switch = self.config.switch(name)
        if switch is None:
            raise Refusal(MISSING)
        return switch

    def _group(self, name: str) -> PortGroup:
        group = self.config.port_group(name)
        if group is None:
            raise Refusal(MISSING)
        return group

    def groups(self, vswitch: str) -> list[PortGroup]:
        return [each for each in self.config.port_groups if each.vswitch == vswitch]

    def used(self, vswitch: str) -> int:
        switch = self._switch(vswitch)
        return 1 + 2 * len(switch.uplinks) + sum(each.clients for each in self.groups(vswitch))


@command("network vswitch standard list", Option("v", "vswitch-name"))
async def switch_list(call: Call, options: dict[str, str]) -> Result:
    net, wanted = Net(call.host), options.get("vswitch-name")
    switches = [each for each in net.config.switches if wanted in (None, each.name)]
    if wanted is not None and not switches:
        raise Refusal(MISSING)
    return Result("blocks", [_switch_block(call, net, each) for each in switches], title="Name")


def _switch_block(call: Call, net: Net, switch: Switch) -> Structure:
    new = call.host.release.since(6, 5)
    return Structure(
        "VirtualSwitch",
        (
            ("Name", switch.name),
            ("Class", "cswitch" if new else "etherswitch"),
            ("Num Ports", 2816 if new else switch.ports),
            ("Used Ports", net.used(switch.name)),
            ("Configured Ports", switch.ports),
            ("MTU", switch.mtu),
            ("CDP Status", "listen"),
            ("Beacon Enabled", False),
            ("Beacon Interval", 1),
            ("Beacon Threshold", 3),
            ("Beacon Required By", []),
            ("Uplinks", list(switch.uplinks)),
            ("Portgroups", [each.name for each in net.groups(switch.name)]),
        ),
    )


@command("network vswitch standard add", SWITCH, Option("P", "ports"), changing=True)
async def switch_add(call: Call, options: dict[str, str]) -> None:
    ports = options.get("ports", "128")
    if not ports.isdigit():
        raise Refusal(f"Error: Invalid value for integer parameter: {ports}")
    Net(call.host).add_switch(options["vswitch-name"], int(ports))


@command("network vswitch standard remove", SWITCH, changing=True)
async def switch_remove(call: Call, options: dict[str, str]) -> None:
    Net(call.host).remove_switch(options["vswitch-name"])


@command("network vswitch standard set", SWITCH, Option("m", "mtu"), changing=True)
async def switch_set(call: Call, options: dict[str, str]) -> None:
    mtu = options.get("mtu", "1500")
    if not mtu.isdigit() or not 1280 <= int(mtu) <= 9000:
        raise Refusal(TEMPLATE.format("Bad parameter"))
    Net(call.host).set_mtu(options["vswitch-name"], int(mtu))


@command("network vswitch standard portgroup list")
async def group_list(call: Call, options: dict[str, str]) -> Result:
    rows = [
        Structure(
            "Portgroup",
            (
                ("Name", each.name),
                ("Virtual Switch", each.vswitch),
                ("Active Clients", each.clients),
                ("VLAN ID", each.vlan),
            ),
        )
        for each in sorted(call.host.config.port_groups, key=lambda group: group.name)
    ]
    return Result("table", rows)


@command("network vswitch standard portgroup add", GROUP, SWITCH, changing=True)
async def group_add(call: Call, options: dict[str, str]) -> None:
    Net(call.host).add_group(options["portgroup-name"], options["vswitch-name"])


@command("network vswitch standard portgroup remove", GROUP, SWITCH, changing=True)
async def group_remove(call: Call, options: dict[str, str]) -> None:
    Net(call.host).remove_group(options["portgroup-name"], options["vswitch-name"])


@command("network vswitch standard portgroup set", GROUP, Option("v", "vlan-id"), changing=True)
async def group_set(call: Call, options: dict[str, str]) -> None:
    Net(call.host).set_vlan(options["portgroup-name"], options.get("vlan-id", "0"))


# -- esxcfg-vswitch --------------------------------------------------------------------------------------------


def _changes(shell: Shell, argv: list[str]) -> bool:
    return bool({"-a", "-d", "-A", "-D", "-v", "-m", "-L", "-U"} & {word[:2] for word in argv[1:]})


@program("/sbin/esxcfg-vswitch", "/usr/sbin/esxcfg-vswitch", changing=_changes)
async def esxcfg_vswitch(call: Call) -> int:
    """`-l`, `-a V`, `-d V`, `-A PG V`, `-D PG V`, `-v VLAN -p PG V`, `-m MTU V`."""
    options, words = call.options("ladA:D:v:p:m:")
    if "l" in options:
        await call.out(_listing(call))
        return 0
    if len(words) != 1:
        raise Usage("esxcfg-vswitch [options] [vswitch[:ports]]")
    try:
        _apply(Net(call.host), options, words[0])
    except Refusal as refusal:
        await call.out(f"{refusal}\n")
        return 1
    except OSError as problem:
        await call.out(f"Error: {problem.strerror}\n")
        return 1
    return 0


def _apply(net: Net, options: dict[str, str], vswitch: str) -> None:
    if "a" in options:
        name, _, ports = vswitch.partition(":")
        net.add_switch(name, int(ports) if ports.isdigit() else 128)
    elif "d" in options:
        net.remove_switch(vswitch)
    elif "A" in options:
        net.add_group(options["A"], vswitch)
    elif "D" in options:
        net.remove_group(options["D"], vswitch)
    elif "v" in options and "p" in options:
        net.set_vlan(options["p"], options["v"])
    elif "m" in options and options["m"].isdigit():
        net.set_mtu(vswitch, int(options["m"]))
    else:
        raise Refusal("esxcfg-vswitch [options] [vswitch[:ports]]")


def _listing(call: Call) -> str:
    net, blocks, wide = Net(call.host), [], call.host.release.since(7)
    for switch in net.config.switches:
        uplinks = ",".join(switch.uplinks)
        ports = 2816 if call.host.release.since(6, 5) else switch.ports
        lines = [
            _switch_line("Switch Name", "Num Ports", "Used Ports", "Configured Ports", "MTU", "Uplinks"),
            _switch_line(switch.name, ports, net.used(switch.name), switch.ports, switch.mtu, uplinks),
            "",
            _group_line(wide, "PortGroup Name", "VLAN ID", "Used Ports", "Uplinks"),
        ]
        lines += [
            _group_line(wide, each.name, each.vlan, each.clients, uplinks) for each in net.groups(switch.name)
        ]
        blocks.append("".join(f"{line.rstrip() if wide else line}\n" for line in lines))
    return "\n".join(blocks)


def _switch_line(*cells: str | int) -> str:
    return "{:<16} {:<11} {:<11} {:<17} {:<7} {:<10}".format(*cells)


def _group_line(wide: bool, name: str, vlan: str | int, used: str | int, uplinks: str) -> str:
    """A port group's row (captures: 40 columns for the name on 7.x, 20 before)."""
    return f"  {name:<{40 if wide else 20}}  {vlan:<7}  {used:<10}  {uplinks:<10}"
