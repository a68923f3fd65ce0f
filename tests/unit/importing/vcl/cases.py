"""Tables of a VCL database as data, with what is made of them: `expected.txt` beside `tables.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from reconciler.importing.keys import NO_KEYS, Keys
from reconciler.importing.notes import CannotImport, Sort, told
from reconciler.importing.vcl.columns import COLUMNS
from reconciler.importing.vcl.rows import Tables, snapshot
from reconciler.importing.vcl.specs import Imported, Options, imported
from reconciler.importing.writing import text

CASES = Path(__file__).parents[3] / "cases" / "vcl"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIaMQHjMl4ZWEzTLbkyfGDSnSFFiHU+VdkqOyKp3qqTs VCL root account"
KEYS = Keys("/etc/vcl/vcl.key", ((KEY, "/etc/vcl/vcl.key.pub"),))


def tables(rows: dict[str, list[dict[str, Any]]]) -> Tables:
    """Rows as the database gives them: with each column that is read."""
    columns = {name.lower(): defaults for name, defaults in COLUMNS.items()}
    return {table: [{**columns[table], **row} for row in each] for table, each in rows.items()}


def texts(result: Imported) -> dict[str, str]:
    """The files that are written."""
    drafts = {"profiles.yaml": result.profiles, "hosts.yaml": result.hosts}
    return {file: text([draft.document for draft in each]) for file, each in drafts.items() if each}


def lines(result: Imported) -> list[str]:
    """What is told."""
    files = {"profiles.yaml": result.profiles, "hosts.yaml": result.hosts}
    return [line for sort in Sort for line in told(sort, result.notes, files)]


def run(folder: Path) -> Imported:
    """What is made of a case."""
    case = yaml.safe_load((folder / "tables.yaml").read_text(encoding="utf-8"))
    options = case.pop("options", {})
    keys = KEYS if options.pop("keys", False) else NO_KEYS
    return imported(snapshot(tables(case)), Options(**options, keys=keys))


def said(folder: Path) -> str:
    """Files and notes of a case, or why there are none."""
    try:
        result = run(folder)
    except CannotImport as error:
        return f"can't import: {error}\n"
    files = "".join(f"=== {file}\n{written}" for file, written in texts(result).items())
    return files + "=== notes\n" + "".join(f"{line}\n" for line in lines(result))
