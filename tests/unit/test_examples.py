"""What we ship as specs is valid, for the program and for an editor."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.desired import load, schema

ROOT = Path(__file__).parents[2]
SETS = [ROOT / "specs", *sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())]


@pytest.mark.parametrize("folder", SETS, ids=lambda path: path.name)
def test_a_set_of_specs_is_valid_without_a_warning_but_for_files_of_the_site(folder: Path) -> None:
    loaded = load([folder])
    assert loaded.hosts
    assert [it for it in loaded.warnings if "no such file" not in it.what] == []


@pytest.mark.parametrize("folder", SETS, ids=lambda path: path.name)
def test_an_editor_with_our_schema_finds_nothing_wrong(folder: Path) -> None:
    validator = Draft202012Validator(schema())
    for file in folder.rglob("*.yaml"):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            assert list(validator.iter_errors(document)) == []
