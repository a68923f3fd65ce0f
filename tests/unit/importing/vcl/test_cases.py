"""Databases as data: what is written of each, and what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.desired import load
from reconciler.importing.notes import CannotImport
from tests.unit.importing.vcl.cases import CASES, run, said, texts

FOLDERS = sorted(CASES.iterdir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_writes_and_says_what_is_expected(folder: Path) -> None:
    assert said(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_written_is_valid(folder: Path, tmp_path: Path) -> None:
    try:
        files = texts(run(folder))
    except CannotImport:
        return
    for file, written in files.items():
        (tmp_path / file).write_text(written, encoding="utf-8")
    loaded = load([tmp_path]) if files else None
    assert loaded is None or len(loaded.hosts) == files.get("hosts.yaml", "").count("kind: Host\n")


def test_no_secret_is_in_any_case() -> None:
    assert not [
        folder for folder in FOLDERS if "hunter2" in (folder / "expected.txt").read_text(encoding="utf-8")
    ]
