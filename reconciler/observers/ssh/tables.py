"""esxcli's default text: tables with a dash line, blocks of `Label: value`, and single structures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reconciler.observers.ssh.errors import Unreadable, lines_of

FIELD = re.compile(r"   (\S[^:]*):(?: (.*))?")
GAP = 2


def field_name(label: str) -> str:
    """The label as the machine formats spell it: `Read-Only` is ReadOnly, `Host(s)` is Hosts."""
    return re.sub(r"[^A-Za-z0-9]", "", label)


def text_records(text: str) -> list[dict[str, str]]:
    """The structures in a text, in its order. Raises Unreadable when it is none of the three layouts."""
    lines = [line.rstrip(" ") for line in lines_of(text.strip("\r\n"))]
    if len(lines) > 1 and re.fullmatch(r"-+(?:  -+)*", lines[1]):
        return _table(lines[0], lines[1], lines[2:])
    return _blocks(lines)


def _table(header: str, dashes: str, rows: Sequence[str]) -> list[dict[str, str]]:
    """Columns are found by the dash line: its runs are as wide (field captures: 5.0 to 8.0.2)."""
    starts = [run.start() for run in re.finditer(r"-+", dashes)]
    names = [field_name(cell) for cell in _cells(header, starts)]
    return [dict(zip(names, _cells(row, starts), strict=True)) for row in rows if row]


def _cells(row: str, starts: Sequence[int]) -> list[str]:
    """The row's cells; columns count characters, or bytes of UTF-8, if only one of these makes sense."""
    raw = row.encode("utf-8", "surrogateescape").decode("latin-1")
    readings = []
    if _keeps_to(row, starts):
        readings.append(_cut(row, starts))
    if _keeps_to(raw, starts):
        readings.append(
            [cell.encode("latin-1").decode("utf-8", "surrogateescape") for cell in _cut(raw, starts)]
        )
    if not readings or readings[0] != readings[-1]:
        raise Unreadable("a row that does not keep to the columns", row)
    return readings[0]


def _keeps_to(line: str, starts: Sequence[int]) -> bool:
    return all(not line[start - GAP : start].strip(" ") for start in starts[1:])


def _cut(line: str, starts: Sequence[int]) -> list[str]:
    # The last cell goes to the end of the line: in 8.x its run may be only as long as the header.
    ends: list[int | None] = [*starts[1:], None]
    return [line[start:end].strip(" ") for start, end in zip(starts, ends, strict=True)]


def _blocks(lines: Sequence[str]) -> list[dict[str, str]]:
    """Blocks are parted by a blank line and begin with a title; a single structure has none."""
    records = []
    for block in _parted(lines):
        fields = block if block[0].startswith("   ") else block[1:]
        records.append(_fields(fields, block[0]))
    return records


def _parted(lines: Sequence[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in [*lines, ""]:
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


def _fields(lines: Sequence[str], first: str) -> dict[str, str]:
    record: dict[str, str] = {}
    for line in lines:
        if line.startswith("    "):
            # Fields of a structure inside this one: nobody asks for them.
            continue
        match = FIELD.fullmatch(line)
        if match is None or field_name(match[1]) in record:
            raise Unreadable("neither a table nor fields", line)
        record[field_name(match[1])] = (match[2] or "").strip(" ")
    if not record:
        raise Unreadable("neither a table nor fields", first)
    return record
