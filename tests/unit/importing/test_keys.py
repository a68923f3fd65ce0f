"""Which keys root gets, and with which one to log in; a private key is never read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.importing.keys import NO_KEYS, read_keys
from reconciler.importing.notes import CannotImport
from tests.unit.importing.vcl.cases import KEY

BLOB = " ".join(KEY.split()[:2])


def test_without_any_there_are_none() -> None:
    assert read_keys([]) == NO_KEYS


def test_a_private_key_is_named_and_its_public_half_read(tmp_path: Path) -> None:
    private = tmp_path / "vcl.key"
    os.mkfifo(private)  # reading it would never end
    (tmp_path / "vcl.key.pub").write_text(f"# VCL\n{KEY}\n", encoding="utf-8")
    keys = read_keys([str(private)])
    assert keys.private == str(private)
    assert keys.public == ((KEY, f"{private}.pub"),)


def test_a_public_key_is_read_and_says_nothing_of_a_private_one(tmp_path: Path) -> None:
    public = tmp_path / "a.pub"
    public.write_text(f"{KEY}\n", encoding="utf-8")
    other = tmp_path / "b"
    other.write_text(f"{BLOB} the same one\n", encoding="utf-8")
    keys = read_keys([str(public), str(other)])
    assert keys.private is None
    assert keys.public == ((KEY, str(public)),)


def test_the_first_private_key_is_the_one_to_log_in_with(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).touch()
        (tmp_path / f"{name}.pub").write_text(KEY, encoding="utf-8")
    assert read_keys([str(tmp_path / "b"), str(tmp_path / "a")]).private == str(tmp_path / "b")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "key",
            "-----BEGIN PRIVATE KEY-----",
            r"its public half .*key\.pub is not there; make it with `ssh-keygen -y",
        ),
        ("key.pub", "hello", "line 1 of the file is no public key"),
        ("missing", None, "no such file"),
    ],
)
def test_a_file_without_a_public_key_is_refused(
    tmp_path: Path, name: str, text: str | None, why: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CannotImport, match=why) as refused:
        read_keys([str(tmp_path / name)])
    assert "hello" not in str(refused.value)


def test_a_path_that_a_spec_can_not_carry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "${x}").touch()
    (tmp_path / "${x}.pub").write_text(KEY, encoding="utf-8")
    with pytest.raises(CannotImport, match="give the key another name"):
        read_keys([str(tmp_path / "${x}")])
