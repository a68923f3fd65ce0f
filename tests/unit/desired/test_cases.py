"""Spec files as data: what each folder of them is said to hold, or to have wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.desired.cases import CASES, said


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_says_what_is_expected(folder: Path) -> None:
    assert said(folder) == (folder / "expected.txt").read_text()


def test_no_case_shows_its_literal_secret() -> None:
    shown = [(folder / "expected.txt").read_text() for folder in CASES.iterdir()]
    assert not [text for text in shown if "hunter2" in text or "BEGIN" in text]
