"""What can't be looked at on this machine is said to be so; it is absent only when nothing stands there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.disks.library import MissingTool
from reconciler.facts import Datastores, Question, Unseen
from reconciler.image_facts import ImageFolder, ImageState, Library
from reconciler.observers.here import HereEyes, eyes


class FakeLibrary:
    """reconciler.disks.library, with an answer of our choice."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def folder_names(self, base: str) -> Any:
        return self._answer()

    def image_state(self, base: str, folder: str, disk: str, form: str) -> Any:
        return self._answer()


def raising(error: Exception) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


def look(monkeypatch: pytest.MonkeyPatch, base: Path, answer: Callable[[], Any]) -> list[Any]:
    monkeypatch.setattr(eyes, "library", FakeLibrary(answer))
    questions: list[Question[Any]] = [
        Library(str(base), here=True),
        ImageFolder(str(base), "win", "win", here=True),
    ]
    seen = HereEyes().look(questions)
    return [seen[question] for question in questions]


@pytest.mark.parametrize("answer", [None, ImageState(True), ("win",)])
def test_answers_are_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Any) -> None:
    assert look(monkeypatch, tmp_path, lambda: answer) == [answer, answer]


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = look(monkeypatch, tmp_path, raising(MissingTool("qemu-img: install qemu-utils")))
    assert all(isinstance(it, Unseen) and "qemu-utils" in it.why for it in seen)


def test_a_folder_that_can_not_be_read_is_not_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = look(monkeypatch, tmp_path, raising(PermissionError(13, "Permission denied", "/srv/x")))
    assert seen == [Unseen("/srv/x: Permission denied")] * 2
    assert look(monkeypatch, tmp_path, raising(OSError("odd"))) == [Unseen("odd")] * 2


def test_only_a_base_that_is_not_there_is_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = raising(FileNotFoundError(2, "No such file or directory", "x"))
    assert look(monkeypatch, tmp_path / "none", gone) == [None, None]
    assert look(monkeypatch, tmp_path, gone) == [Unseen("x: No such file or directory")] * 2


def test_what_is_not_asked_of_this_machine_is_not_answered() -> None:
    questions: list[Question[Any]] = [Datastores(), Library("/srv"), ImageFolder("/srv", "a", "a")]
    for question in questions:
        assert isinstance(HereEyes().look([question])[question], Unseen)
