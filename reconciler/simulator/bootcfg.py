"""boot.cfg as the loader reads it (VMware's published esx-boot; field guide, section 5.4), and the choice of a bank."""

from __future__ import annotations

import re
from dataclasses import dataclass

BOOTSTATE_WINDOW = 512


@dataclass(frozen=True)
class BootConfig:
    """What the loader takes from a boot.cfg. `modules` are file names, without their options."""

    modules: tuple[str, ...]
    kernel: str
    options: str
    build: str
    updated: int
    bootstate: int
    prefix: str

    @property
    def valid(self) -> bool:
        """Whether the loader would boot this bank: `updated` above 0, a build, and not tried in vain or blank."""
        return self.updated > 0 and bool(self.build) and self.bootstate in (0, 1)

    @property
    def audit(self) -> bool:
        """Audit mode: nothing is saved (field capture: 4.1)."""
        return "auditmode=true" in self.options.lower()


def parse(data: bytes) -> BootConfig:
    """Read line by line: keys without regard to case, the last of two counts, unknown ones are nothing."""
    values = _values(data.decode("utf-8", "surrogateescape"))
    head = _values(data[:BOOTSTATE_WINDOW].decode("utf-8", "surrogateescape"))
    items = [" ".join(item.split()) for item in re.split("---", values.get("modules", ""))]
    return BootConfig(
        modules=tuple(item.split(" ")[0].rsplit("/", 1)[-1] for item in items if item),
        kernel=values.get("kernel", "").rsplit("/", 1)[-1],
        options=values.get("kernelopt", ""),
        build=values.get("build", ""),
        updated=_number(values.get("updated", "")),
        bootstate=_number(head.get("bootstate", "0")),
        prefix=values.get("prefix", ""),
    )


def _values(text: str) -> dict[str, str]:
    values = {}
    for line in re.split("[\r\n]", text):
        key, equals, value = line.partition("=")
        if equals and not key.strip().startswith("#"):
            values[key.strip().lower()] = " ".join(value.split())
    return values


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,9}", text) else 0


def choose(banks: list[BootConfig | None]) -> int | None:
    """Which bank boots: the highest `updated` of the valid ones, on a tie the first; None when none is valid."""
    valid = [(bank.updated, -index) for index, bank in enumerate(banks) if bank is not None and bank.valid]
    return -max(valid)[1] if valid else None


def render(
    version: tuple[int, int, int], modules: tuple[str, ...], build: str, updated: int, bootstate: int
) -> bytes:
    """A boot.cfg as the installer of that version writes it (samples boot_cfg_*.txt)."""
    listed = f"modules={' --- '.join(modules)}"
    if version < (5,):
        lines = [
            "kernel=b.z",
            "kernelopt=",
            listed,
            f"build={build}",
            f"updated={updated}",
            f"bootstate={bootstate}",
        ]
    elif version < (6,):
        lines = [
            f"bootstate={bootstate}",
            "kernel=tboot.b00",
            "title=Loading VMware ESXi",
            "kernelopt=no-auto-partition",
            listed,
            f"build={build}",
            f"updated={updated}",
        ]
    else:
        options = "autoPartition=FALSE" if version >= (8,) else " installerDiskDumpSlotSize=2560"
        lines = [
            f"bootstate={bootstate}",
            "title=Loading VMware ESXi",
            "timeout=5",
            "prefix=",
            "kernel=b.b00",
            f"kernelopt={options}",
            listed,
            f"build={build}",
            f"updated={updated}",
        ]
    return ("\n".join(lines) + "\n").encode()
