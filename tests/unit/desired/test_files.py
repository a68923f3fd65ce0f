"""Where specs are looked for, and what is no file to read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.desired import Loaded, SpecMistakes, load
from reconciler.desired.files import MAX_SPEC_BYTES

HOST = "apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: NAME}\n"


def host(name: str) -> str:
    return HOST.replace("NAME", name)


def names(loaded: Loaded) -> list[str]:
    return [host.name for host in loaded.hosts]


def wrong(*paths: Path) -> list[str]:
    with pytest.raises(SpecMistakes) as caught:
        load(paths)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_takes_yaml_files_of_a_folder_and_below_without_dot_files(tmp_path: Path) -> None:
    for name in (
        "b.yaml",
        "a.yml",
        "deep/er/c.yaml",
        ".d.yaml",
        ".git/e.yaml",
        "deep/.f/g.yaml",
        "h.txt",
        "yaml",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(host(file.stem.strip(".")))
    assert names(load([tmp_path])) == ["a", "b", "c"]


def test_takes_a_single_file_whatever_its_name_and_each_file_once(tmp_path: Path) -> None:
    file = tmp_path / "hosts.txt"
    file.write_text(host("a"))
    (tmp_path / "b.yaml").write_text(host("b"))
    assert names(load([file, tmp_path, file, tmp_path / "b.yaml", tmp_path / ".." / tmp_path.name])) == [
        "a",
        "b",
    ]


def test_follows_links_as_a_mounted_config_map_has_them_but_no_ring(tmp_path: Path) -> None:
    (tmp_path / "..2024_01_01").mkdir()
    (tmp_path / "..2024_01_01" / "a.yaml").write_text(host("a"))
    (tmp_path / "..data").symlink_to("..2024_01_01")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    (tmp_path / "ring").symlink_to(".")
    assert names(load([tmp_path])) == ["a"]


def test_a_path_that_is_not_there_and_a_folder_without_specs_are_mistakes(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "comments.yaml").write_text("# nothing yet\n---\n")
    gone, empty, comments = tmp_path / "gone", tmp_path / "empty", tmp_path / "comments.yaml"
    assert wrong(gone, empty, comments) == [
        f"{comments}:1:1: path: there are no specs here (would be right: a *.yaml file with a Host)",
        f"{empty}:1:1: path: there are no specs here (would be right: a *.yaml file with a Host)",
        f"{gone}:1:1: path: no such file or directory",
    ]


def test_pipes_devices_and_dead_links_are_named_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "dead.yaml").symlink_to("nowhere")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    irregular = "this is no regular file, but a folder, device, pipe or socket"
    assert wrong(tmp_path, Path("/dev/zero")) == [
        f"/dev/zero:1:1: file: {irregular}",
        f"{tmp_path}/dead.yaml:1:1: file: no such file or directory",
        f"{tmp_path}/loop.yaml:1:1: file: too many levels of symbolic links",
        f"{tmp_path}/pipe.yaml:1:1: file: {irregular}",
    ]


def test_a_folder_that_can_not_be_listed_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert wrong(tmp_path) == [f"{tmp_path}:1:1: path: permission denied"]


def test_a_closed_folder_is_named_and_hides_no_mistake_of_what_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, scandir = tmp_path / "closed", os.scandir
    closed.mkdir()
    (tmp_path / "a.yaml").write_bytes(b"\xff")

    def refuse(path: str) -> object:
        if path == str(closed):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    first, second = wrong(tmp_path)
    assert first.startswith(f"{tmp_path}/a.yaml:1:1: file: the file is not in UTF-8")
    assert second == f"{closed}:1:1: path: permission denied"


def test_the_home_of_an_unknown_user_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        host("a") + 'spec: {ssh: {authorizedKeys: [{file: "~nobody-of-that-name/k"}]}}\n'
    )
    (host_a,) = load([tmp_path]).hosts
    assert host_a.problems == (f"{tmp_path}/~nobody-of-that-name/k: no such file or directory",)


def test_a_file_over_8_mib_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(MAX_SPEC_BYTES + 1)
    assert wrong(large) == [f"{large}:1:1: file: the file is larger than 8 MiB"]


def test_a_broken_file_hides_no_mistake_of_another(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff")
    (tmp_path / "b.yaml").write_text(host("b") + "spec: {mode: off}\n")
    assert len(wrong(tmp_path)) == 2


def test_the_digest_names_the_contents_not_the_order_of_paths(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(host("a"))
    second.write_text(host("b"))
    digest = load([first, second]).digest
    assert load([second, first]).digest == digest == load([tmp_path]).digest
    second.write_text(host("c"))
    assert load([tmp_path]).digest != digest


def test_loading_runs_no_program_and_reads_no_secret(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    spec = f"spec: {{access: {{ssh: {{password: {{exec: [touch, {ran}]}}}}}}}}\n"
    (tmp_path / "a.yaml").write_text(host("a") + spec)
    load([tmp_path])
    assert not ran.exists()
