"""boot.cfg of a boot bank, read by the loader's own rules.

Source: VMware's published boot loader (esx-boot, 5.x to 9.0); 4.1 by analogy. Line by line, `KEY=VALUE`, keys without
regard to case, white space around both is nothing, the last of two equal keys counts, `#` begins a comment, unknown
lines are ignored, list items are parted by `---`, `bootstate` is looked for in the first 512 bytes.
"""

from __future__ import annotations

import re

from reconciler.records import record

BOOTSTATE_WINDOW = 512
_ITEM = re.compile(r"[A-Za-z0-9._/+~@][A-Za-z0-9._/+~@-]*(?: (?![-\\])[!-~]+)*")


@record
class BootConfig:
    """`modules` are file names without options; `strange` tells why nobody should write to this file."""

    modules: tuple[str, ...]
    updated: int
    bootstate: int
    audit_mode: bool
    strange: str | None

    def lists(self, module: str) -> bool:
        """Whether a boot loads `module`; the banks are FAT, so letter case is nothing."""
        return any(it.rpartition("/")[2].casefold() == module.casefold() for it in self.modules)


def read_boot_config(content: bytes) -> BootConfig:
    """Understand a boot.cfg. Never raises: what can't be understood is `strange`."""
    text = content.decode("ascii", "replace")
    pairs = [pair for line in text.split("\n") if (pair := _pair(line)) is not None]
    values = dict(pairs)
    items = _items(values.get("modules", ""))
    return BootConfig(
        tuple(item.split(" ")[0] for item in items if item),
        _number(values.get("updated")),
        _number(values.get("bootstate")),
        "auditmode=true" in values.get("kernelopt", "").casefold(),
        _strange(content, [value for key, value in pairs if key == "modules"], items, values),
    )


def with_module(content: bytes, module: str) -> bytes:
    """`content` with ` --- MODULE` at the end of its modules line and every other byte as it was.

    Raises ValueError when that can't be done safely.
    """
    match = re.search(rb"(?im)^[ \t]*modules[ \t]*=[^\r\n]*?(?=[ \t]*\r?$)", content)
    if match is None or read_boot_config(content).strange is not None:
        raise ValueError("this boot.cfg is not one to write to")
    result = content[: match.end()] + b" --- " + module.encode() + content[match.end() :]
    after = read_boot_config(result)
    if after.strange is not None or not after.lists(module):
        raise ValueError(after.strange or "the module would not be read")
    return result


def _pair(line: str) -> tuple[str, str] | None:
    key, equals, value = line.partition("#")[0].partition("=")
    return (key.strip().casefold(), " ".join(value.split())) if equals else None


def _items(modules: str) -> list[str]:
    return [item.strip() for item in modules.split("---")] if modules else []


def _number(text: str | None) -> int:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else 0


def _strange(content: bytes, lines: list[str], items: list[str], values: dict[str, str]) -> str | None:
    if len(lines) != 1:
        return f"it has {len(lines)} modules lines in place of one"
    if any(byte > 126 for byte in lines[0].encode()) or "\ufffd" in lines[0]:
        return "its modules line has letters that are no ASCII (dashes copied from a web page?)"
    odd = next((item for item in items if not _ITEM.fullmatch(item)), None)
    if odd is not None or not items:
        return (
            f"its modules line has an item that is no file name: {odd!r}"
            if items
            else "its modules line is empty"
        )
    if not values.get("build") or _number(values.get("updated")) == 0:
        return "the loader would not take this bank: `build` or `updated` is missing"
    if re.search(rb"(?im)^[ \t]*bootstate[ \t]*=", content) and not _bootstate_in_window(content):
        return f"its bootstate line does not lie in the first {BOOTSTATE_WINDOW} bytes, where the loader looks for it"
    return None


def _bootstate_in_window(content: bytes) -> bool:
    last = list(re.finditer(rb"(?im)^[ \t]*bootstate[ \t]*=[^\r\n]*", content))[-1]
    return last.end() <= BOOTSTATE_WINDOW
