"""The formats of esxcli, all from the same typed structures (field guide, sections 1.1 and 1.2).

The rules re-render real captures of 5.0 to 8.0.2 byte for byte. Inferred: how keyvalue shows lists inside a structure,
and how csv quotes a comma inside a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from xml.sax.saxutils import escape

Scalar = str | int | bool
Value = Scalar | list[str]
NAMESPACE = "http://www.vmware.com/Products/ESX/5.0/esxcli"


@dataclass(frozen=True)
class Structure:
    """Labels as the text shows them, in its order, and values."""

    type: str
    fields: tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Result:
    """What a command returns. `layout` is `table`, `blocks`, `single` or `primitive`.

    `title` is the label whose value heads each block ("": blocks have no heading).
    """

    layout: str
    structures: Sequence[Structure] = field(default_factory=tuple)
    title: str = ""
    primitive: Scalar = ""


def shown(value: Value) -> str:
    """A value as text shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)


def text(result: Result) -> str:
    """The default format. An empty list prints nothing at all."""
    if result.layout == "primitive":
        return shown(result.primitive) + "\n"
    if not result.structures:
        return ""
    if result.layout == "table":
        return _table(result.structures)
    return "\n".join(_block(each, result.title) for each in result.structures)


def _table(structures: Sequence[Structure]) -> str:
    labels = [label for label, _ in structures[0].fields]
    right = [not isinstance(value, (str, list)) for _, value in structures[0].fields]
    rows = [[shown(value) for _, value in each.fields] for each in structures]
    widths = [max(len(row[index]) for row in [labels, *rows]) for index in range(len(labels))]

    def line(cells: list[str]) -> str:
        padded = [
            cell.rjust(width) if on_right else cell.ljust(width)
            for cell, width, on_right in zip(cells, widths, right, strict=True)
        ]
        return "  ".join(padded).rstrip() + "\n"

    return "".join([line(labels), line(["-" * width for width in widths]), *(line(row) for row in rows)])


def _block(structure: Structure, title: str) -> str:
    lines = [f"   {label}: {shown(value)}\n" for label, value in structure.fields]
    heading = [f"{shown(value)}\n" for label, value in structure.fields if label == title]
    return "".join(heading + lines)


def machine_fields(structure: Structure) -> list[tuple[str, Value]]:
    """Field names without blanks and punctuation, in alphabetical order, as all machine formats have them."""
    return sorted((_machine_name(label), value) for label, value in structure.fields)


@lru_cache(maxsize=1024)
def _machine_name(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", label)


def xml(result: Result) -> str:
    """`--formatter=xml` (field capture: 5.0)."""
    if result.layout == "primitive":
        body = f"   {_xml_value(result.primitive, '')}"
    elif result.layout == "single":
        body = _xml_structure(result.structures[0], 1)
    else:
        inner = "".join(_xml_structure(each, 2) for each in result.structures)
        body = f'   <list type="structure">\n{inner}   </list>\n'
    return f'<?xml version="1.0" encoding="utf-8"?>\n<output xmlns="{NAMESPACE}">\n<root>\n{body}</root>\n</output>\n'


def _xml_structure(structure: Structure, depth: int) -> str:
    pad = "   " * depth
    lines = [f'{pad}<structure typeName="{structure.type}">\n']
    for name, value in machine_fields(structure):
        lines.append(
            f'{pad}   <field name="{name}">\n{pad}      {_xml_value(value, pad + "      ")}{pad}   </field>\n'
        )
    return "".join([*lines, f"{pad}</structure>\n"])


def _xml_value(value: Value, pad: str) -> str:
    if isinstance(value, list):
        inner = "".join(f"{pad}   <string>{escape(item)}</string>\n" for item in value)
        return f'<list type="string">\n{inner}{pad}</list>\n'
    kind = _kind(value)
    return f"<{kind}>{escape(shown(value))}</{kind}>\n"


def _kind(value: Scalar) -> str:
    return "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "string"


def csv(result: Result) -> str:
    """`--formatter=csv`: header and rows end with a comma (field capture: 6.0)."""
    if result.layout == "primitive":
        return f"{_kind(result.primitive).capitalize()},\n{shown(result.primitive)},\n"
    if not result.structures:
        return ""
    names = [name for name, _ in machine_fields(result.structures[0])]
    rows = [[_csv_value(value) for _, value in machine_fields(each)] for each in result.structures]
    return "".join("".join(f"{cell}," for cell in row) + "\n" for row in [names, *rows])


def _csv_value(value: Value) -> str:
    if isinstance(value, list):
        return '"' + "".join(f"{item}," for item in value) + '"'
    cell = shown(value).replace("\n", "\\n")
    return '"' + cell.replace('"', '""') + '"' if re.search('[,"]', cell) else cell


def keyvalue(result: Result) -> str:
    """`--formatter=keyvalue` (field capture: 8.0)."""
    if result.layout == "primitive":
        return f"{_kind(result.primitive)}={shown(result.primitive)}\n"
    if not result.structures:
        return "structure[] = \n"
    lines = []
    for index, structure in enumerate(result.structures):
        prefix = structure.type if result.layout == "single" else f"structure[{index}].{structure.type}"
        for name, value in machine_fields(structure):
            if isinstance(value, list):
                lines += [f"{prefix}.{name}.string[{number}]={item}\n" for number, item in enumerate(value)]
            else:
                lines.append(f"{prefix}.{name}.{_kind(value)}={shown(value)}\n")
    return "".join(lines)


def jsoned(result: Result) -> str:
    """`--formatter=json` (field capture: 7.0.1): one line, slashes escaped."""
    if result.layout == "primitive":
        return _json(result.primitive) + "\n"
    return _json([dict(machine_fields(each)) for each in result.structures]) + "\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("/", "\\/")


FORMATTERS: dict[str, Callable[[Result], str]] = {
    "xml": xml,
    "csv": csv,
    "keyvalue": keyvalue,
    "json": jsoned,
}
