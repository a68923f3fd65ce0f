"""All files are written, or none, and none is written over unasked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.importing.files import CannotWrite, write_files


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


def test_files_are_written_in_folders_that_are_made(tmp_path: Path) -> None:
    write_files({tmp_path / "a/b/x.yaml": "x\n", tmp_path / "a/y.yaml": "kä\n"})
    assert content(tmp_path) == {"a/b/x.yaml": "x\n", "a/y.yaml": "kä\n"}
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "a/y.yaml").stat().st_mode & 0o777 == 0o666 & ~mask


def test_none_is_written_over_unasked(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("old", encoding="utf-8")
    with pytest.raises(CannotWrite, match=r"b\.yaml is there already: nothing was written \(--force"):
        write_files({tmp_path / "a.yaml": "new", tmp_path / "b.yaml": "new"})
    assert content(tmp_path) == {"b.yaml": "old"}
    write_files({tmp_path / "a.yaml": "new", tmp_path / "b.yaml": "new"}, force=True)
    assert content(tmp_path) == {"a.yaml": "new", "b.yaml": "new"}


def test_what_is_written_over_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    secret = tmp_path / "kept/hosts.yaml"
    secret.write_text("old", encoding="utf-8")
    secret.chmod(0o600)
    link = tmp_path / "hosts.yaml"
    link.symlink_to("kept/hosts.yaml")
    write_files({link: "new"}, force=True)
    assert (secret.read_text(encoding="utf-8"), secret.stat().st_mode & 0o777) == ("new", 0o600)
    assert link.is_symlink()


def test_two_that_are_there_are_both_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).touch()
    with pytest.raises(CannotWrite, match=r"a and .*b are there already"):
        write_files({tmp_path / "a": "", tmp_path / "b": ""})


def test_where_one_can_not_be_written_all_is_as_before(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    texts = {tmp_path / "a": "new", tmp_path / "new/b": "new", tmp_path / "folder": "new"}
    with pytest.raises(CannotWrite, match=r"folder: .*nothing was written"):
        write_files(texts, force=True)
    assert content(tmp_path) == {"a": "old"}
    assert not (tmp_path / "new").exists()
    with pytest.raises(CannotWrite, match=r"x: .*nothing was written"):
        write_files({tmp_path / "b": "new", tmp_path / "a/x": "new"})
    assert content(tmp_path) == {"a": "old"}


def test_an_interrupt_leaves_all_as_before(tmp_path: Path) -> None:
    class Interrupted(dict[Path, str]):
        def items(self) -> Any:
            yield tmp_path / "a", "new"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_files(Interrupted({tmp_path / "a": "new"}))
    assert content(tmp_path) == {}
