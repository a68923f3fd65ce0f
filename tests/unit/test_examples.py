"""What we ship as specs is valid, for the program and for an editor."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.desired import load, schema
from reconciler.desired.explain import explain
from reconciler.desired.image_lint import on_host
from reconciler.kinds import images

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


@pytest.mark.parametrize("folder", SETS, ids=lambda path: path.name)
def test_each_value_of_a_host_is_explained_by_a_line_of_the_set(folder: Path) -> None:
    for host in load([folder]).hosts:
        for field, value, source in explain(host, None):
            file, _, line = source.rpartition(":")
            assert Path(file).is_relative_to(folder), (field, value)
            assert 0 < int(line) <= len(Path(file).read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("name", "mode", "repository"),
    [
        ("images-over-nfs", "dedicated", "on the host"),
        ("images-from-here", "dedicated", "here"),
        ("images-on-shared-storage", "shared", "none"),
    ],
)
def test_the_three_set_ups_of_master_images_are_shown(name: str, mode: str, repository: str) -> None:
    for host in load([ROOT / "examples" / name]).hosts:
        wish = host.wish(images.KIND)
        assert wish.virtual_disk is not None
        assert wish.virtual_disk.mode == mode
        assert _where(wish.repository.path if wish.repository is not None else None) == repository
        assert wish.images


def test_hosts_on_shared_storage_have_one_disk_of_images_and_working_directories_of_their_own() -> None:
    hosts = load([ROOT / "examples" / "images-on-shared-storage"]).hosts
    explained = [{field: value for field, value, _ in explain(host, None)} for host in hosts]
    for field, different in (("virtualDisk.path", 1), ("datastores.vmpath.nfs.path", len(hosts))):
        assert len({rows[field] for rows in explained}) == different


def _where(path: str | None) -> str:
    if path is None:
        return "none"
    return "on the host" if on_host(path) else "here"
