"""Answers to what is asked of this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from reconciler.disks import library
from reconciler.disks.library import MissingTool
from reconciler.facts import Question, Unseen
from reconciler.image_facts import HereTime, ImageFolder, ImageState, Library, RoomHere

Answer = tuple[str, ...] | ImageState | Unseen | int | None


class HereEyes:
    """Looks at repositories on this machine."""

    def look(self, questions: Collection[Question[Any]]) -> Mapping[Question[Any], Any]:
        """The answers; `Unseen` for what can't be looked at."""
        return {question: _answer(question) for question in questions}


def _answer(question: Question[Any]) -> Answer:
    if isinstance(question, HereTime):
        return int(time.time())
    if isinstance(question, RoomHere):
        return _room(question.base)
    if not isinstance(question, ImageFolder | Library) or not question.here:
        return Unseen("this is no question of this machine")
    try:
        return _looked(question)
    except MissingTool as error:
        return Unseen(str(error))
    except OSError as error:
        # A file that goes away while it is looked at says nothing: only a base that is not there holds no images.
        gone = isinstance(error, FileNotFoundError) and not os.path.lexists(question.base)
        return None if gone else Unseen(_told(error))


def _looked(question: ImageFolder | Library) -> Answer:
    if isinstance(question, Library):
        return library.folder_names(question.base)
    return library.image_state(question.base, question.folder, question.disk, question.form)


def _room(base: str) -> int | None:
    """The free bytes there, or at the nearest folder above that is there."""
    place = Path(base)
    for folder in (place, *place.parents):
        try:
            info = os.statvfs(folder)
        except OSError:
            continue
        return info.f_bavail * info.f_frsize
    return None


def _told(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
