"""df and vdf (field captures: 5.0, 5.5, 7.0)."""

from __future__ import annotations

from reconciler.simulator.nodes import Volume
from reconciler.simulator.tools.call import Call, Usage, program
from reconciler.simulator.volumes import Attached

UNITS = "BKMGTP"


def human(size: int) -> str:
    """`249.7M`, `0.0`-free for bytes: as df -h prints."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{int(value)}B" if unit == 0 else f"{value:.1f}{UNITS[unit]}"


@program("/bin/df")
async def df(call: Call) -> int:
    """Volumes that can be reached, by name where they have one; `-h`, `-k`, or 1-byte blocks."""
    options, words = call.options("hkm")
    unit = "Size" if "h" in options else "1k-blocks" if "k" in options else "Bytes"
    chosen = [each for each in call.host.volumes.attached if each.reached]
    if words:
        chosen = [_volume_of(call, word) for word in words]
    rows = [("Filesystem", unit, "Used", "Available", "Use%", "Mounted on")]
    for each in chosen:
        sizes = (each.volume.capacity, each.volume.capacity - each.volume.free, each.volume.free)
        use = f"{round(sizes[1] * 100 / max(1, sizes[0]))}%"
        shown = [
            human(size) if "h" in options else str(size // 1024 if "k" in options else size) for size in sizes
        ]
        rows.append((each.type, *shown, use, f"/vmfs/volumes/{each.name or each.id}"))  # type: ignore[arg-type]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [
            row[0].ljust(widths[0]),
            *(row[column].rjust(widths[column]) for column in range(1, 5)),
            row[5],
        ]
        await call.out(" ".join(cells) + "\n")
    return 0


def _volume_of(call: Call, path: str) -> Attached:
    try:
        volume: Volume = call.files.node(path, call.cwd).volume
    except OSError as problem:
        raise Usage(f"df: {path}: can't find mount point") from problem
    found = next((each for each in call.host.volumes.attached if each.volume is volume), None)
    return found or Attached("", "", "visorfs", volume)


@program("/sbin/vdf")
async def vdf(call: Call) -> int:
    """`vdf -h`: the RAM disks."""
    call.options("h")
    root, tmp = call.files.root, call.files.node("/tmp").volume
    await call.out("Ramdisk                   Size      Used Available Use% Mounted on\n")
    for name, volume in (("MAINSYS" if not call.host.release.since(5) else "root", root), ("tmp", tmp)):
        used = volume.capacity - volume.free
        use = f"{round(used * 100 / max(1, volume.capacity))}%"
        await call.out(
            f"{name:<20} {human(volume.capacity):>9} {human(used):>9} {human(volume.free):>9} {use:>4} --\n"
        )
    return 0
