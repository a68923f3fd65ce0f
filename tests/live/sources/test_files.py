"""Spec files are followed by real notifications of the kernel, whatever happens to them."""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.sources.files import FilesSource
from reconciler.sources.kept import Kept
from reconciler.sources.reading import Record, SpecFile, read
from reconciler.sources.revision import Revision, Trouble
from tests.live.sources.following import following, host

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS a\n"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBNpKK1CaHzHBXnIyHz2a6FZvgnRzmAGP5s1yVLuS1+R b\n"


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A folder with one host."""
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "a.yaml").write_text(host("a"))
    return folder


def source(*paths: Path, look: float = 60.0) -> FilesSource:
    return FilesSource(paths, paths[0].parent / "state", look)


def test_tells_what_is_there_and_each_change(specs: Path) -> None:
    with following(source(specs)) as heard:
        first = heard.next(Revision)
        assert [it.name for it in first.hosts] == ["a"]
        (specs / "b.yaml").write_text(host("b"))
        second = heard.next(Revision)
        assert [it.name for it in second.hosts] == ["a", "b"]
        assert second.name != first.name
        (specs / "a.yaml").unlink()
        assert heard.revision() == ["b"]
        (specs / "below").mkdir()
        (specs / "below" / "c.yaml").write_text(host("c"))
        assert heard.revision() == ["b", "c"]
        (specs / "below" / "c.yaml").write_text(host("d"))
        assert heard.revision() == ["b", "d"]


def test_saved_again_without_a_change_is_no_news(specs: Path) -> None:
    with following(source(specs)) as heard:
        heard.next(Revision)
        (specs / "a.yaml").write_text(host("a"))
        (specs / "notes.txt").write_text("no spec")
        (specs / ".a.yaml.swp").write_text("no spec")
        (specs / "b.yaml").write_text(host("b"))
        assert heard.revision() == ["a", "b"]


def test_what_is_wrong_is_told_and_that_it_is_over(specs: Path) -> None:
    with following(source(specs)) as heard:
        good = heard.next(Revision)
        (specs / "b.yaml").write_text(host("b", "{mode: off}"))
        (wrong,) = heard.rejected()
        assert wrong.startswith(f"{specs}/b.yaml:4:14: spec.mode: must be 'enforce'")
        (specs / "c.yaml").write_text("\tx")
        assert len(heard.rejected()) == 2
        (specs / "c.yaml").unlink()
        assert len(heard.rejected()) == 1
        (specs / "b.yaml").unlink()
        assert heard.next(Revision) == good


def empty(folder: Path) -> None:
    (folder / "a.yaml").write_text("")


def no_files(folder: Path) -> None:
    (folder / "a.yaml").unlink()


def binary(folder: Path) -> None:
    (folder / "a.yaml").write_bytes(b"\xff\xfe")


def not_yaml(folder: Path) -> None:
    (folder / "a.yaml").write_text("{")


def dead_link(folder: Path) -> None:
    (folder / "b.yaml").symlink_to("nowhere")


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "b.yaml")


@pytest.mark.parametrize("harm", [empty, no_files, binary, not_yaml, dead_link, a_pipe, shutil.rmtree])
def test_a_restart_with_broken_specs_has_the_last_good_ones(
    specs: Path, harm: Callable[[Path], None]
) -> None:
    other = specs.with_name("more.yaml")
    other.write_text(host("more"))
    with following(source(specs, other)) as heard:
        good = heard.next(Revision)
        harm(specs)
        wrong = heard.rejected()
    with following(source(specs, other)) as heard:
        restored = heard.next(Revision)
        assert restored == good
        assert [it.document for it in restored.hosts] == [it.document for it in good.hosts]
        assert heard.rejected() == wrong
    shutil.rmtree(specs, ignore_errors=True)
    specs.mkdir()
    (specs / "a.yaml").write_text(host("a"))
    with following(source(specs, other)) as heard:
        assert heard.next(Revision) == good


def test_profiles_without_any_host_count_as_empty(specs: Path) -> None:
    with following(source(specs)) as heard:
        heard.next(Revision)
        (specs / "a.yaml").write_text(host("a").replace("Host", "Profile"))
        assert heard.rejected() == [
            f"{specs}:1:1: path: there is no host in the specs (would be right: a document with kind: Host)"
        ]


def test_a_first_start_waits_for_specs(specs: Path) -> None:
    later = specs / "not" / "yet"
    with following(source(later)) as heard:
        assert heard.rejected() == [f"{later}:1:1: path: no such file or directory"]
        later.mkdir(parents=True)
        assert heard.rejected()[0].startswith(f"{later}:1:1: path: there are no specs here")
        (later / "b.yaml").write_text(host("b"))
        assert heard.revision() == ["b"]


def test_a_volume_that_goes_and_comes_back(specs: Path) -> None:
    away = specs.with_name("away")
    with following(source(specs)) as heard:
        good = heard.next(Revision)
        specs.rename(away)
        assert heard.rejected() == [f"{specs}:1:1: path: no such file or directory"]
        away.rename(specs)
        assert heard.next(Revision) == good
        specs.rename(away)
        heard.rejected()
        specs.mkdir()
        heard.rejected()
        (specs / "a.yaml").write_text(host("other"))
        assert heard.revision() == ["other"]
        # it is the new folder that is watched, not the one that went away
        (specs / "b.yaml").write_text(host("b"))
        assert heard.revision() == ["b", "other"]


def swap(mount: Path, version: str, text: str) -> None:
    """As the kubelet writes a ConfigMap: a new folder, and a link that is renamed over the old one."""
    (mount / version).mkdir()
    (mount / version / "a.yaml").write_text(text)
    (mount / "..data_tmp").symlink_to(version)
    (mount / "..data_tmp").rename(mount / "..data")


@pytest.mark.parametrize("named", ["", "a.yaml"])
def test_a_config_map_is_swapped(tmp_path: Path, named: str) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    swap(mount, "..2024_01", host("a"))
    (mount / "a.yaml").symlink_to("..data/a.yaml")
    with following(FilesSource([mount / named], tmp_path / "state", 60)) as heard:
        assert heard.revision() == ["a"]
        swap(mount, "..2024_02", host("b"))
        shutil.rmtree(mount / "..2024_01")
        assert heard.revision() == ["b"]
        swap(mount, "..2024_03", host("c"))
        assert heard.revision() == ["c"]


@pytest.mark.parametrize("named", ["", "a.yaml"])
def test_an_editor_that_writes_by_rename(specs: Path, named: str) -> None:
    with following(FilesSource([specs / named], specs.parent / "state", 60)) as heard:
        heard.next(Revision)
        for name in ("b", "c"):
            (specs / "a.yaml").rename(specs / "a.yaml~")
            (specs / ".a.yaml.new").write_text(host(name))
            (specs / ".a.yaml.new").rename(specs / "a.yaml")
            assert heard.revision() == [name]


def test_links_to_elsewhere_are_followed(specs: Path) -> None:
    real = specs.parent / "elsewhere" / "real"
    real.parent.mkdir()
    shutil.move(specs, real)
    specs.symlink_to("hop")
    (specs.parent / "hop").symlink_to(real)
    with following(source(specs)) as heard:
        assert heard.revision() == ["a"]
        (real / "a.yaml").write_text(host("b"))
        assert heard.revision() == ["b"]
        (specs.parent / "other").mkdir()
        (specs.parent / "other" / "a.yaml").write_text(host("c"))
        (specs.parent / "new").symlink_to("other")
        (specs.parent / "new").rename(specs.parent / "hop")
        assert heard.revision() == ["c"]


def test_a_key_file_outside_belongs_to_the_wish(specs: Path) -> None:
    key = specs.parent / "keys" / "a.pub"
    (specs / "a.yaml").write_text(host("a", f"{{ssh: {{authorizedKeys: [{{file: {key}}}]}}}}"))
    with following(source(specs)) as heard:
        (found,) = heard.next(Revision).hosts
        assert found.problems == (f"{key}: no such file or directory",)
        key.parent.mkdir()
        key.write_text(KEY)
        (found,) = heard.next(Revision).hosts
        assert (found.problems, found.key_files) == ((), {str(key): KEY})
        key.write_text(OTHER)
        assert heard.next(Revision).hosts[0] != found
        key.unlink()
        assert heard.next(Revision).hosts[0].problems
    key.write_text(KEY)
    with following(source(specs)) as heard:
        heard.next(Revision)
        (specs / "a.yaml").unlink()
        heard.rejected()
    key.unlink()
    with following(source(specs)) as heard:
        assert heard.next(Revision).hosts == (found,), "with the key as it was when the specs were good"
        heard.rejected()


def test_where_no_change_is_reported_a_look_finds_it(specs: Path) -> None:
    """What is written into mapped memory is told to nobody."""
    file = specs / "a.yaml"
    file.write_text(host("aaaa"))
    with file.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as memory:
        with following(source(specs, look=0.5)) as heard:
            assert heard.revision() == ["aaaa"]
            at = memory.find(b"aaaa")
            memory[at : at + 4] = b"bbbb"
            memory.flush()
            assert heard.revision() == ["bbbb"]


def test_where_nothing_can_be_watched_it_looks(
    specs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Too many open files (os error 24)")

    monkeypatch.setattr("reconciler.sources.files.watch", refuse)
    with following(source(specs, look=0.1)) as heard:
        heard.next(Revision)
        for name in ("b", "c"):
            (specs / "a.yaml").write_text(host(name))
            assert heard.revision() == [name]
    assert [record.getMessage() for record in caplog.records] == [
        "changes of specs are noticed only every 0 s: Too many open files (os error 24)"
    ]


def test_a_bug_is_told_and_ends_nothing(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*arguments: object) -> object:
        monkeypatch.setattr("reconciler.sources.files.read", read)
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("reconciler.sources.files.read", stumble)
    with following(source(specs, look=0.1)) as heard:
        assert heard.next(Trouble).why == "the specs can't be read: ZeroDivisionError: division by zero"
        assert heard.revision() == ["a"]


def test_what_others_kept_is_not_revived(specs: Path) -> None:
    other = specs.with_name("other")
    other.mkdir()
    with following(source(specs)) as heard:
        heard.next(Revision)
    with following(source(other)) as heard:
        heard.rejected()


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda text: "", "Expecting value"),
        (lambda text: text[:-40], "Unterminated string"),
        (lambda text: "[]", "list indices"),
        (lambda text: "{}", "'format'"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "another version of this program"),
        (lambda text: text.replace("name: a", "name: b"), "damaged"),
    ],
)
def test_a_broken_copy_is_none_with_a_warning(
    specs: Path, harm: Callable[[str], str], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    with following(source(specs)) as heard:
        heard.next(Revision)
    kept = specs.parent / "state" / "last-good-specs.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text(harm(kept.read_text()))
    (specs / "a.yaml").unlink()
    with following(source(specs)) as heard:
        heard.rejected()
        assert f"the last good specs, kept in {kept}, can't be used: " in caplog.text
        assert why in caplog.text
        (specs / "a.yaml").write_text(host("a"))
        heard.next(Revision)


def test_what_a_newer_version_refuses_is_none_with_a_warning(
    specs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = specs / "a.yaml"
    kept = Kept([specs], specs.parent / "state")
    texts = {str(file): host("a", "{mode: once}")}
    kept.keep(Record({str(specs): [SpecFile(str(file), str(file), str(file))]}, texts))
    file.write_text("")
    with following(source(specs)) as heard:
        heard.rejected()
    assert f"this version of the program finds a mistake: {file}:4:14: spec.mode: " in caplog.text


def test_a_state_folder_that_is_full_is_a_warning(specs: Path, caplog: pytest.LogCaptureFixture) -> None:
    (specs.parent / "state").write_text("no folder")
    with following(source(specs)) as heard:
        heard.next(Revision)
    assert "the specs in force can't be kept for the next start" in caplog.text
