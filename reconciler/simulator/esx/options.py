"""Advanced options: what they are, and `esxcli system settings advanced`, `esxcfg-advcfg`.

Defaults: public dumps of 6.0U3 to 9.0. Layout: field capture of 6.0.
Inferred: the descriptions.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.simulator.esx.command import Option, Refusal, command
from reconciler.simulator.esx.render import Result, Structure
from reconciler.simulator.host import Host
from reconciler.simulator.shell.process import Shell
from reconciler.simulator.tools.call import Call, Usage, program

MAX_VOLUMES = "Maximum number of mounted NFS v3 volumes. Requires reboot to take effect"


@dataclass(frozen=True)
class Advanced:
    """An integer option."""

    path: str
    default: int
    low: int
    high: int
    description: str


def known(host: Host) -> dict[str, Advanced]:
    """The options of a host's version, by path."""
    release = host.release
    heap = 1024 if release.since(6, 7) else 512
    found = [
        Advanced("/NFS/MaxVolumes", release.max_volumes, 8, 256 if release.since(5) else 64, MAX_VOLUMES),
        Advanced(
            "/NFS/HeartbeatFrequency", 12, 5, 86400, "Frequency in seconds at which servers are checked"
        ),
        Advanced("/NFS/VolumeRemountFrequency", 30, 30, 3600, "Frequency to try to remount a lost volume"),
        Advanced("/Net/TcpipHeapMax", heap, 32, 1536, "Max megabytes the tcpip module heap can grow to"),
        Advanced("/Net/TcpipDefLROEnabled", 1, 0, 1, "LRO enabled for TCP/IP"),
        Advanced("/UserVars/DcuiTimeOut", 600, 0, 86400, "Idle time before DCUI is automatically logged out"),
    ]
    if release.since(5):
        found += [
            Advanced(
                "/UserVars/SuppressShellWarning", 0, 0, 1, "Don't show warning for enabled shell access"
            ),
            Advanced("/UserVars/ESXiShellTimeOut", 0, 0, 86400, "Time before shell access is disabled"),
            Advanced(
                "/UserVars/ESXiShellInteractiveTimeOut", 0, 0, 86400, "Idle time before a shell is logged out"
            ),
        ]
    if release.since(6):
        found.append(
            Advanced("/NFS41/MaxVolumes", release.max_volumes, 8, 256, MAX_VOLUMES.replace("v3", "v4.1"))
        )
    return {each.path: each for each in found}


def value_of(host: Host, option: Advanced) -> int:
    return int(host.config.advanced.get(option.path, option.default))


def _option(host: Host, path: str) -> Advanced:
    options = known(host)
    if path not in options:
        raise Refusal(f"Unable to find option {path.rsplit('/', 1)[-1]}")
    return options[path]


def _set(host: Host, path: str, text: str) -> None:
    option = _option(host, path)
    if not text.isdigit() or not option.low <= int(text) <= option.high:
        raise Refusal(f"Unable to set option {path.rsplit('/', 1)[-1]}: Bad parameter")
    host.room()
    host.config.advanced[path] = text
    host.commit()


@command("system settings advanced list", Option("o", "option"), Option("d", "delta", flag=True))
async def advanced_list(call: Call, options: dict[str, str]) -> Result:
    host = call.host
    wanted = [_option(host, options["option"])] if "option" in options else list(known(host).values())
    if "delta" in options:
        wanted = [each for each in wanted if value_of(host, each) != each.default]
    rows = [
        Structure(
            "SettingsAdvancedOption",
            (
                ("Path", each.path),
                ("Type", "integer"),
                ("Int Value", value_of(host, each)),
                ("Default Int Value", each.default),
                ("Min Value", each.low),
                ("Max Value", each.high),
                ("String Value", ""),
                ("Default String Value", ""),
                ("Valid Characters", ""),
                ("Description", each.description),
                *((("Host Specific", False), ("Impact", "none")) if host.release.since(8) else ()),
            ),
        )
        for each in wanted
    ]
    return Result("blocks", rows)


@command(
    "system settings advanced set",
    Option("o", "option", required=True),
    Option("i", "int-value"),
    Option("s", "string-value"),
    Option("d", "default", flag=True),
    changing=True,
)
async def advanced_set(call: Call, options: dict[str, str]) -> None:
    path = options["option"]
    if "default" in options:
        _option(call.host, path)
        call.host.room()
        call.host.config.advanced.pop(path, None)
        call.host.commit()
    elif "int-value" in options:
        _set(call.host, path, options["int-value"])
    else:
        raise Refusal(f"Unable to set option {path.rsplit('/', 1)[-1]}: Bad parameter")


def _changes(shell: Shell, argv: list[str]) -> bool:
    return "-s" in argv


@program("/sbin/esxcfg-advcfg", "/usr/sbin/esxcfg-advcfg", changing=_changes)
async def esxcfg_advcfg(call: Call) -> int:
    """`-g PATH` and `-s VALUE PATH`; both print `Value of MaxVolumes is 8` (field knowledge, no capture)."""
    options, words = call.options("gs:")
    if len(words) != 1 or not options:
        raise Usage("Usage: esxcfg-advcfg <options> [<adv cfg Path>]")
    try:
        if "s" in options:
            _set(call.host, words[0], options["s"])
        option = _option(call.host, words[0])
    except Refusal as refusal:
        await call.out(f"{refusal}\n")
        return 1
    await call.out(f"Value of {option.path.rsplit('/', 1)[-1]} is {value_of(call.host, option)}\n")
    return 0
