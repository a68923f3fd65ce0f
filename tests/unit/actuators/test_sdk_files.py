"""Files and folders of a datastore over the SDK, with their complaints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.actuators.sdk.images.files import VolumeFiles
from reconciler.actuators.sdk.session import Stumbled
from reconciler.actuators.sdk.volumes import Volume
from reconciler.transports.sdk import HttpAnswer
from tests.unit.actuators.fake_sdk import datastore, fault
from tests.unit.actuators.fake_volume import Volumes


def test_files_are_read_and_written_with_their_complaints() -> None:
    fake = Volumes()
    files = VolumeFiles(fake, Volume(datastore("ds"), "ds", "", None))
    files.put("a b/ü", b"x")
    assert files.get("a b/ü") == b"x"
    assert files.get("nothing") is None
    assert files.list("nothing") is None
    assert not files.delete("nothing")
    assert not files.is_of_size("nothing", 1)


def test_an_answer_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Volumes()
    files = VolumeFiles(fake, Volume(datastore("ds"), "ds", "", None))
    monkeypatch.setattr(fake, "https", lambda *given, **more: HttpAnswer(500, "Oops", b"xx"))
    assert not files.is_of_size("x", 2)
    with pytest.raises(Stumbled, match=r"GET of \[ds\] x was answered with 500 Oops"):
        files.get("x")
    with pytest.raises(Stumbled, match=r"PUT of \[ds\] x was answered with 500 Oops"):
        files.put("x", b"")


def test_what_can_not_be_searched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Volumes()
    files = VolumeFiles(fake, Volume(datastore("ds"), "ds", "", None))
    monkeypatch.setattr(fake, "read", lambda wants: [])
    with pytest.raises(Stumbled, match="shows no browser"):
        files.list("x")


@pytest.mark.parametrize("method", ["MakeDirectory", "SearchDatastore_Task", "MoveDatastoreFile_Task"])
def test_other_refusals_are_not_taken_for_an_answer(method: str) -> None:
    fake = Volumes()
    files = VolumeFiles(fake, Volume(datastore("ds"), "ds", "", None))

    def before(called: str, arguments: Mapping[str, Any]) -> None:
        raise fault("NoPermission", "no")

    fake.before = before
    for ask in (lambda: files.mkdir("x"), lambda: files.list("x"), lambda: files.move("x", "y")):
        with pytest.raises(Exception, match="no"):
            ask()
