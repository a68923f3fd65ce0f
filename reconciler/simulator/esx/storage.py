"""`esxcli storage` and its older form `esxcfg-nas`.

Columns by version: field captures of 5.0, 6.5, 7.0.3. Inferred: the row of a mount that can't be reached in
`filesystem list`, and the columns that came with 8.0 U1.
"""

from __future__ import annotations

from reconciler.simulator.esx.command import Option, command
from reconciler.simulator.esx.render import Result, Structure, Value
from reconciler.simulator.model import NfsMount
from reconciler.simulator.shell.process import Shell
from reconciler.simulator.tools.call import Call, Usage, program
from reconciler.simulator.volumes import TEMPLATE, Attached, NasRefusal

NAME = Option("v", "volume-name", required=True)
SHARE = Option("s", "share", required=True)
READ_ONLY = Option("r", "readonly", flag=True)
PE = Option("I", "ispe", flag=True)
USAGE = (
    "esxcfg-nas <options> [<label>]\n-a|--add\n-o|--host <host>\n-s|--share <share>\n-d|--delete\n-l|--list\n"
    "-r|--restore"
)


def _seen(volume: Attached) -> bool:
    """Whether a list shows the mount as accessible; a fresh one may need a few lists."""
    if volume.hidden > 0:
        volume.hidden -= 1
        return False
    return volume.reached


@command("storage nfs list")
async def nfs_list(call: Call, options: dict[str, str]) -> Result:
    return Result("table", [_nfs_row(call, volume) for volume in call.host.volumes.mounts("3")])


def _nfs_row(call: Call, volume: Attached) -> Structure:
    release, mount = call.host.release, volume.mount
    assert mount is not None
    accessible = _seen(volume)
    fields: list[tuple[str, Value]] = [
        ("Volume Name", volume.name),
        ("Host", mount.server),
        ("Share", mount.share),
    ]
    if release.since(8, 0, 1):
        fields.append(("Vmknic", ""))
    fields += [("Accessible", accessible), ("Mounted", True)]
    if release.since(8, 0, 1):
        fields.append(("Connections", 1))
    if release.since(5, 1):
        fields.append(("Read-Only", mount.read_only))
    if release.since(6):
        fields.append(("isPE", False))
    fields.append(("Hardware Acceleration", "Not Supported" if accessible else "Unknown"))
    return Structure("NFSVolume", tuple(fields))


@command("storage nfs add", Option("H", "host", required=True), SHARE, NAME, READ_ONLY, PE, changing=True)
async def nfs_add(call: Call, options: dict[str, str]) -> None:
    await _add(call, options, options["host"], "3")


@command("storage nfs remove", NAME, changing=True)
async def nfs_remove(call: Call, options: dict[str, str]) -> None:
    _remove(call, options["volume-name"], "3")


@command("storage nfs41 list", since=(6,))
async def nfs41_list(call: Call, options: dict[str, str]) -> Result:
    rows = []
    for volume in call.host.volumes.mounts("4.1"):
        mount, accessible = volume.mount, _seen(volume)
        assert mount is not None
        fields: list[tuple[str, Value]] = [
            ("Volume Name", volume.name),
            ("Host(s)", mount.server),
            ("Share", mount.share),
            ("Accessible", accessible),
            ("Mounted", accessible),
            ("Read-Only", mount.read_only),
            ("Security", "AUTH_SYS"),
            ("isPE", False),
            ("Hardware Acceleration", "Not Supported" if accessible else "Unknown"),
        ]
        if call.host.release.since(8, 0, 1):
            fields.insert(3, ("Vmknic", ""))
        rows.append(Structure("NFS41Volume", tuple(fields)))
    return Result("table", rows)


HOSTS = Option("H", "hosts", required=True)


@command(
    "storage nfs41 add", HOSTS, SHARE, NAME, READ_ONLY, PE, Option("a", "sec"), changing=True, since=(6,)
)
async def nfs41_add(call: Call, options: dict[str, str]) -> None:
    await _add(call, options, options["hosts"], "4.1")


@command("storage nfs41 remove", NAME, changing=True, since=(6,))
async def nfs41_remove(call: Call, options: dict[str, str]) -> None:
    _remove(call, options["volume-name"], "4.1")


async def _add(call: Call, options: dict[str, str], server: str, version: str) -> None:
    name = options["volume-name"]
    mount = NfsMount(name, server, options["share"], version, "readonly" in options)
    try:
        await call.host.volumes.mount(mount)
    except NasRefusal as refusal:
        connecting = "Unable to connect" in str(refusal) or "denied" in str(refusal)
        raise NasRefusal(
            f"Unable to connect to NAS volume {name}: {refusal}" if connecting else str(refusal)
        ) from None


def _remove(call: Call, name: str, version: str) -> None:
    try:
        call.host.volumes.unmount(name, version)
    except NasRefusal as refusal:
        busy = "Busy" in str(refusal)
        raise NasRefusal(f"Error performing operation: {refusal}" if busy else str(refusal)) from None


@command("storage filesystem list")
async def filesystem_list(call: Call, options: dict[str, str]) -> Result:
    volumes = call.host.volumes.attached
    ordered = [each for each in volumes if each.mount] + [each for each in volumes if not each.mount]
    return Result("table", [_volume_row(call, volume) for volume in ordered])


def _volume_row(call: Call, volume: Attached) -> Structure:
    there = volume.reached
    kind = volume.type if there else "NFS-unknown version"
    if kind == "VMFS-L" and call.host.release.since(8):
        kind = "VMFSOS"
    return Structure(
        "FilesystemVolume",
        (
            ("Mount Point", f"/vmfs/volumes/{volume.id}" if there else ""),
            ("Volume Name", volume.name),
            ("UUID", volume.id),
            ("Mounted", there),
            ("Type", kind),
            ("Size", volume.volume.capacity if there else 0),
            ("Free", volume.volume.free if there else 0),
        ),
    )


@command("storage filesystem rescan", changing=False)
async def filesystem_rescan(call: Call, options: dict[str, str]) -> None:
    call.host.volumes.remount()


# -- esxcfg-nas ------------------------------------------------------------------------------------------------


def _nas_changes(shell: Shell, argv: list[str]) -> bool:
    return bool({"-a", "--add", "-d", "--delete"} & set(argv))


@program("/sbin/esxcfg-nas", "/usr/sbin/esxcfg-nas", changing=_nas_changes)
async def esxcfg_nas(call: Call) -> int:
    """`-l`, `-a -o HOST -s SHARE NAME`, `-d NAME`, `-r` (field captures: 4.1, 5.0, 6.x)."""
    options, words = call.options("lado:s:ry")
    if "l" in options:
        for volume in call.host.volumes.mounts("3"):
            assert volume.mount is not None
            mounted = " mounted" if _seen(volume) else ""
            await call.out(f"{volume.name} is {volume.mount.share} from {volume.mount.server}{mounted}\n")
        return 0
    if "r" in options:
        call.host.volumes.remount()
        return 0
    if "a" in options and {"o", "s"} <= set(options) and len(words) == 1:
        return await _nas_add(call, NfsMount(words[0], options["o"], options["s"], "3", "y" in options))
    if "d" in options and len(words) == 1:
        return await _nas_delete(call, words[0])
    raise Usage(USAGE)


async def _nas_add(call: Call, mount: NfsMount) -> int:
    await call.out(f"Connecting to NAS volume: {mount.name}\n")
    try:
        await call.host.volumes.mount(mount)
    except NasRefusal as refusal:
        plain = str(refusal).startswith("Unable to create")
        await call.out(
            f"{refusal}\n" if plain else f"Unable to connect to NAS volume {mount.name}: {refusal}\n"
        )
        return 1
    except OSError as problem:
        await call.out(f"Error: {problem.strerror}\n")
        return 1
    await call.out(f"{mount.name} created and connected.\n")
    return 0


async def _nas_delete(call: Call, name: str) -> int:
    try:
        call.host.volumes.unmount(name, "3")
    except NasRefusal as refusal:
        missing = str(refusal) == TEMPLATE.format("Not found")
        await call.out(
            f"Unable to find volume with name {name}.\n"
            if missing
            else f"Error performing operation: {refusal}\n"
        )
        return 1
    except OSError as problem:
        await call.out(f"Error: {problem.strerror}\n")
        return 1
    await call.out(f"NAS volume {name} deleted.\n")
    return 0
