"""`esxcli system`, `esxcli network firewall` and `esxcli vm`."""

from __future__ import annotations

import asyncio
import hashlib

from reconciler.simulator.errors import BootFailure
from reconciler.simulator.esx.command import Option, Refusal, command, truth
from reconciler.simulator.esx.render import Result, Structure, Value
from reconciler.simulator.host import Host
from reconciler.simulator.model import Machine
from reconciler.simulator.tools.call import Call, always, program

RULESETS_ON = (
    "CIMHttpServer",
    "CIMHttpsServer",
    "CIMSLP",
    "DVSSync",
    "HBR",
    "NFC",
    "WOL",
    "dhcp",
    "dns",
    "faultTolerance",
    "snmp",
    "updateManager",
    "vMotion",
    "vSphereClient",
    "vpxHeartbeats",
    "webAccess",
)
RULESETS_OFF = (
    "DVFilter",
    "activeDirectoryAll",
    "ftpClient",
    "gdbserver",
    "httpClient",
    "iSCSI",
    "nfsClient",
    "ntpClient",
    "remoteSerialPort",
    "sshClient",
    "syslog",
    "vSPC",
)


@command("system version get")
async def version_get(call: Call, options: dict[str, str]) -> Result:
    release = call.host.release
    fields: list[tuple[str, Value]] = [
        ("Product", release.product),
        ("Version", release.number),
        ("Build", f"Releasebuild-{release.build}"),
        ("Update", release.update),
    ]
    if release.patch is not None:
        fields.append(("Patch", release.patch))
    return Result("single", [Structure("VersionGet", tuple(fields))])


@command("system hostname get")
async def hostname_get(call: Call, options: dict[str, str]) -> Result:
    host, _, domain = call.host.name.partition(".")
    fields = (("Domain Name", domain), ("Fully Qualified Domain Name", call.host.name), ("Host Name", host))
    return Result("single", [Structure("FQDNHostname", fields)])


@command("system maintenanceMode get")
async def maintenance_get(call: Call, options: dict[str, str]) -> Result:
    return Result("primitive", primitive="Enabled" if call.host.maintenance else "Disabled")


@command(
    "system maintenanceMode set", Option("e", "enable", required=True), Option("t", "timeout"), changing=True
)
async def maintenance_set(call: Call, options: dict[str, str]) -> None:
    wanted = truth(options["enable"])
    if wanted == call.host.maintenance:
        raise Refusal(f"Maintenance mode is already {'enabled' if wanted else 'disabled'}.")
    call.host.maintenance = wanted


@command("system stats uptime get", since=(5, 5))
async def uptime_get(call: Call, options: dict[str, str]) -> Result:
    return Result("primitive", primitive=int((call.host.now() - call.host.boot_time) * 1e6))


@command("system shutdown reboot", Option("r", "reason", required=True), Option("d", "delay"), changing=True)
async def shutdown_reboot(call: Call, options: dict[str, str]) -> None:
    if not call.host.maintenance:
        raise Refusal(
            "Error: The host must be in maintenance mode to reboot (reboot with the reboot command instead)"
        )
    start_reboot(call.host)


@program("/bin/reboot", "/sbin/reboot", changing=always)
async def reboot(call: Call) -> int:
    """The host goes down at once; the connection is lost."""
    call.options("nfd:")
    start_reboot(call.host)
    return 0


def start_reboot(host: Host) -> None:
    """Reboot as soon as the command in hand has answered."""

    def go() -> None:
        try:
            host.reboot(power_loss=False)
        except BootFailure:
            return

    asyncio.get_running_loop().call_later(0.05, go)


# -- firewall --------------------------------------------------------------------------------------------------


def rulesets(host: Host) -> dict[str, bool]:
    """The firewall's rulesets and whether they are enabled."""
    found = {**dict.fromkeys(RULESETS_ON, True), **dict.fromkeys(RULESETS_OFF, False)}
    if host.release.since(6):
        found["nfs41Client"] = False
    return {**found, "sshServer": True, **host.config.rulesets}


@command("network firewall get")
async def firewall_get(call: Call, options: dict[str, str]) -> Result:
    fields: tuple[tuple[str, Value], ...] = (("Default Action", "DROP"), ("Enabled", True), ("Loaded", True))
    return Result("single", [Structure("Firewall", fields)])


@command("network firewall ruleset list", Option("r", "ruleset-id"))
async def ruleset_list(call: Call, options: dict[str, str]) -> Result:
    found = rulesets(call.host)
    wanted = options.get("ruleset-id")
    if wanted is not None and wanted not in found:
        raise Refusal(f"Invalid ruleset id {wanted}")
    rows = [
        Structure("Ruleset", (("Name", name), ("Enabled", on)))
        for name, on in found.items()
        if wanted in (None, name)
    ]
    return Result("table", rows)


@command(
    "network firewall ruleset set",
    Option("r", "ruleset-id", required=True),
    Option("e", "enabled", required=True),
    changing=True,
)
async def ruleset_set(call: Call, options: dict[str, str]) -> None:
    if options["ruleset-id"] not in rulesets(call.host):
        raise Refusal(f"Invalid ruleset id {options['ruleset-id']}")
    call.host.room()
    call.host.config.rulesets[options["ruleset-id"]] = truth(options["enabled"])
    call.host.commit()


# -- virtual machines ------------------------------------------------------------------------------------------


@command("vm process list")
async def vm_process_list(call: Call, options: dict[str, str]) -> Result:
    rows = [_process(call.host, each) for each in call.host.machines if each.running]
    return Result("blocks", rows, title="Display Name")


def _process(host: Host, machine: Machine) -> Structure:
    digest = hashlib.md5(f"{host.name}/{machine.path}".encode(), usedforsecurity=False).hexdigest()
    world = 1000000 + machine.id * 1000 + 3
    pairs = [digest[start : start + 2] for start in range(0, 32, 2)]
    return Structure(
        "VirtualMachine",
        (
            ("World ID", world),
            ("Process ID", 0),
            ("VMX Cartel ID", world - 1),
            ("UUID", f"{' '.join(pairs[:8])}-{' '.join(pairs[8:])}"),
            ("Display Name", machine.name),
            ("Config File", host.vmx_path(machine)),
        ),
    )
