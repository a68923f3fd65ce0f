"""The table of `vim-cmd vmsvc/getallvms` (field captures: 5.x, 8.0; inferred for 4.x, from a description)."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.simulator.model import Machine
from reconciler.simulator.versions import Release

HEADER = ("Vmid", "Name", "File", "Guest OS", "Version", "Annotation")


def getallvms(machines: Sequence[Machine], release: Release) -> str:
    """From 5.0: gaps of three blanks, headings centred, ids sorted as text; before: gaps of one blank, all left."""
    rows = [
        (
            str(each.id),
            each.name,
            f"[{each.datastore}] {each.path}",
            each.guest,
            each.hardware,
            each.annotation,
        )
        for each in sorted(machines, key=lambda machine: str(machine.id))
    ]
    widths = [
        max([len(HEADER[index]), *(len(row[index]) for row in rows)]) for index in range(len(HEADER) - 1)
    ]
    annotation = max([len(HEADER[-1]), *(len(row[-1].split("\n")[0]) for row in rows)])
    gap = "   " if release.since(5) else " "
    head = [
        _centred(cell, width) if release.since(5) else cell.ljust(width)
        for cell, width in zip(HEADER, [*widths, annotation], strict=True)
    ]
    lines = [gap.join(head).rstrip()]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append(gap.join([*cells, row[-1]]).rstrip())
    return "\n".join(lines) + "\n"


def _centred(cell: str, width: int) -> str:
    left = (width - len(cell)) // 2
    return " " * left + cell + " " * (width - len(cell) - left)
