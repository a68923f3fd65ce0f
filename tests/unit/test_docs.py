"""What the pages say of the tree is so: links lead somewhere, and the table of modules names them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
TABLE = re.compile(r"^\| ((?:`[^`]+`(?:, )?)+) \|", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_each_link_to_a_file_leads_to_one(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_architecture_names_each_module_and_none_that_is_not_there() -> None:
    text = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    named = {name for row in TABLE.findall(text) for name in re.findall("`([^`]+)`", row)}
    package = ROOT / "reconciler"
    assert {name for name in named if not (package / name).exists()} == set()
    there = {path.name + "/" for path in package.iterdir() if (path / "__init__.py").exists()}
    there |= {path.name for path in package.glob("*.py")} - {"__init__.py"}
    folders = {name.partition("/")[0] + "/" for name in named if "/" in name}
    assert there - named - folders == set()
