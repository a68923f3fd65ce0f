"""`vim-cmd`: what it shows and does through hostd. Faults go to standard output, and the status is 0 all the same."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from reconciler.simulator.esx.command import HOSTD_DOWN, Refusal
from reconciler.simulator.esx.network import Net
from reconciler.simulator.esx.vimdump import Array, Dumped, Null, Object, Ref, dump
from reconciler.simulator.shell.process import Shell
from reconciler.simulator.tools.call import Call, program
from reconciler.simulator.volumes import Attached

Verb = Callable[[Call, list[str]], Awaitable[None]]
VERBS: dict[str, Verb] = {}
SINCE: dict[str, tuple[int, ...]] = {}
MENU = (
    "Commands available under /:\n"
    "hbrsvc/       internalsvc/  solo/         vmsvc/\n"
    "hostsvc/      proxysvc/     vimsvc/       help\n"
)
CHANGING = {
    "enable_ssh",
    "disable_ssh",
    "start_ssh",
    "stop_ssh",
    "maintenance_mode_enter",
    "maintenance_mode_exit",
}
CHANGING |= {"vswitch_add", "vswitch_remove", "portgroup_add", "portgroup_set", "portgroup_remove"}
CHANGING |= {"power.on", "power.off", "snapshot.create", "unregister", "registervm"}


def verb(*names: str, since: tuple[int, ...] = ()) -> Callable[[Verb], Verb]:
    """Put a function into the table of vim-cmd's verbs; `since` is the first version that has it."""

    def register(work: Verb) -> Verb:
        VERBS.update(dict.fromkeys(names, work))
        SINCE.update(dict.fromkeys(names, since))
        return work

    return register


def _changes(shell: Shell, argv: list[str]) -> bool:
    return any(word.rsplit("/", 1)[-1] in CHANGING for word in argv[1:3])


@program("/bin/vim-cmd", "/bin/vmware-vim-cmd", changing=_changes)
async def vim_cmd(call: Call) -> int:
    """`vim-cmd VERB [ARGUMENTS]`."""
    words = call.argv[1:]
    if words[:1] == ["-U"]:
        words = words[2:]
    if not call.host.hostd_answers():
        await call.out(HOSTD_DOWN)
        return 1
    name = words[0].strip("/") if words else ""
    if name not in VERBS or not call.host.release.since(*SINCE[name]):
        await call.out(MENU if not name else f"Invalid command '{name}'.\n")
        return 0 if not name else 1
    try:
        await VERBS[name](call, words[1:])
    except Refusal as refusal:
        await call.out(f"{refusal}\n")
    except OSError as problem:
        await call.out(f"{fault(call, 'HostConfigFault', str(problem.strerror))}\n")
    return 0


def fault(call: Call, name: str, message: str, *fields: tuple[str, Dumped]) -> Refusal:
    """(vim.fault.NAME) as this version prints it (field captures: NotFound of 8.0, InvalidPowerState of 4.x)."""
    head: list[tuple[str, Dumped]] = [("faultCause", Null("vmodl.MethodFault"))]
    if call.host.release.since(5):
        head.append(("faultMessage", None))
    fields = (*head, *fields, ("msg", message))
    text = dump(Object(f"vim.fault.{name}", fields), call.host.release).rstrip("\n")
    if call.host.release.since(8):
        text = text.replace("faultMessage = <unset>,", "faultMessage = <unset>")
    return Refusal(text)


# -- the SSH service -------------------------------------------------------------------------------------------


@verb("hostsvc/enable_ssh", "hostsvc/enable_remote_tsm")
async def enable_ssh(call: Call, words: list[str]) -> None:
    set_policy(call, True)


@verb("hostsvc/disable_ssh", "hostsvc/disable_remote_tsm")
async def disable_ssh(call: Call, words: list[str]) -> None:
    set_policy(call, False)


def set_policy(call: Call, on: bool) -> None:
    """Whether SSH starts with the host."""
    if call.host.ssh_policy != on:
        call.host.room()
        call.host.ssh_policy = on
        call.host.commit()


@verb("hostsvc/start_ssh", "hostsvc/start_remote_tsm")
async def start_ssh(call: Call, words: list[str]) -> None:
    call.host.set_ssh(True)


@verb("hostsvc/stop_ssh", "hostsvc/stop_remote_tsm")
async def stop_ssh(call: Call, words: list[str]) -> None:
    call.host.set_ssh(False)


# -- the host --------------------------------------------------------------------------------------------------


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e6):06d}Z"


@verb("hostsvc/runtimeinfo")
async def runtimeinfo(call: Call, words: list[str]) -> None:
    fields = (
        ("connectionState", "connected"),
        ("powerState", "poweredOn"),
        ("standbyMode", None),
        ("inMaintenanceMode", call.host.maintenance),
        ("bootTime", stamp(call.host.boot_time)),
    )
    await call.out(dump(Object("vim.host.RuntimeInfo", fields), call.host.release))


@verb("hostsvc/hostsummary")
async def hostsummary(call: Call, words: list[str]) -> None:
    host, release = call.host, call.host.release
    product = (
        ("name", release.product),
        ("fullName", f"{release.product} {release.number} build-{release.build}"),
        ("vendor", "VMware, Inc."),
        ("version", release.number),
        ("build", release.build),
        ("osType", "vmnix-x86"),
        ("productLineId", "embeddedEsx"),
        ("apiType", "HostAgent"),
        ("apiVersion", f"{release.version[0]}.{release.version[1]}"),
    )
    hardware = (
        ("vendor", "Simulated"),
        ("model", "Simulated host"),
        ("memorySize", 34359738368),
        ("numCpuCores", 8),
    )
    config = (("name", host.name), ("port", 902), ("product", Object("vim.AboutInfo", product)))
    fields = (
        ("host", Ref("vim.HostSystem:ha-host")),
        ("hardware", Object("vim.host.Summary.HardwareSummary", hardware)),
        ("config", Object("vim.host.Summary.ConfigSummary", config)),
        (
            "quickStats",
            Object("vim.host.Summary.QuickStats", (("uptime", int(host.now() - host.boot_time)),)),
        ),
        ("overallStatus", "green"),
        ("rebootRequired", False),
    )
    await call.out(dump(Object("vim.host.Summary", fields), release))


@verb("hostsvc/maintenance_mode_enter", "hostsvc/maintenance_mode_exit")
async def maintenance(call: Call, words: list[str]) -> None:
    enter = call.argv[-1].endswith("enter")
    call.host.maintenance = enter
    kind = "enterMaintenanceMode" if enter else "exitMaintenanceMode"
    await call.out(f"'vim.Task:haTask-ha-host-vim.HostSystem.{kind}-{call.host.new_pid()}'\n")


# -- datastores ------------------------------------------------------------------------------------------------


def _summary(call: Call, volume: Attached) -> Object:
    mount, release = volume.mount, call.host.release
    ref = f"{mount.server}:{mount.share}" if mount else volume.id
    fields: list[tuple[str, object]] = [
        ("datastore", Ref(f"vim.Datastore:{ref}")),
        ("name", volume.name),
        ("url", f"/vmfs/volumes/{volume.id}"),
        ("capacity", volume.volume.capacity if volume.reached else 0),
        ("freeSpace", volume.volume.free if volume.reached else 0),
        ("uncommitted", 0),
        ("accessible", volume.reached),
        ("multipleHostAccess", None),
        ("type", volume.type if mount else "VMFS"),
    ]
    if release.since(5):
        fields.append(("maintenanceMode", "normal"))
    return Object("vim.Datastore.Summary", tuple(fields))  # type: ignore[arg-type]


def _datastores(call: Call) -> list[Attached]:
    return [
        each
        for each in call.host.volumes.attached
        if each.mount or (each.type.startswith("VMFS-") and each in call.host.vmfs)
    ]


@verb("hostsvc/datastore/listsummary")
async def listsummary(call: Call, words: list[str]) -> None:
    summaries = Array("vim.Datastore.Summary", tuple(_summary(call, each) for each in _datastores(call)))
    heading = "Listsummary:\n\n" if call.host.release.since(5) else ""
    await call.out(heading + dump(summaries, call.host.release))


@verb("hostsvc/datastore/summary", "hostsvc/datastore/info")
async def datastore_summary(call: Call, words: list[str]) -> None:
    found = next((each for each in _datastores(call) if words and each.name == words[0]), None)
    if found is None:
        raise Refusal("Datastore not found.")
    await call.out(dump(_summary(call, found), call.host.release))


# -- network ---------------------------------------------------------------------------------------------------


@verb("hostsvc/net/vswitch_info")
async def vswitch_info(call: Call, words: list[str]) -> None:
    net = Net(call.host)
    for switch in net.config.switches:
        if words and switch.name != words[0]:
            continue
        groups = tuple(f"key-vim.host.PortGroup-{group.name}" for group in net.groups(switch.name))
        fields = (
            ("key", f"key-vim.host.VirtualSwitch-{switch.name}"),
            ("name", switch.name),
            ("numPorts", switch.ports),
            ("mtu", switch.mtu),
            ("portgroup", Array("string", groups)),
        )
        await call.out(dump(Object("vim.host.VirtualSwitch", fields), call.host.release))


@verb("hostsvc/net/vswitch_add")
async def vswitch_add(call: Call, words: list[str]) -> None:
    Net(call.host).add_switch(words[0] if words else "")


@verb("hostsvc/net/vswitch_remove")
async def vswitch_remove(call: Call, words: list[str]) -> None:
    Net(call.host).remove_switch(words[0] if words else "")


@verb("hostsvc/net/portgroup_add")
async def portgroup_add(call: Call, words: list[str]) -> None:
    vswitch, group = ([*words, "", ""])[:2]
    Net(call.host).add_group(group, vswitch)


@verb("hostsvc/net/portgroup_remove")
async def portgroup_remove(call: Call, words: list[str]) -> None:
    vswitch, group = ([*words, "", ""])[:2]
    Net(call.host).remove_group(group, vswitch)


@verb("hostsvc/net/portgroup_set")
async def portgroup_set(call: Call, words: list[str]) -> None:
    vlan = next((word.partition("=")[2] for word in words if word.startswith("--portgroup-vlanid=")), "0")
    names = [word for word in words if not word.startswith("--")]
    Net(call.host).set_vlan(([*names, "", ""])[1], vlan)


@verb("hostsvc/net/refresh", "hostsvc/storage/refresh")
async def refresh(call: Call, words: list[str]) -> None:
    return None
