"""Which document comes of which host. The cases are data: what is seen, and what is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired.nodes import dotted
from reconciler.facts import Facts
from reconciler.fleet import Options, task_of
from reconciler.importing.host.drafting import Order, all_valid, drafted
from reconciler.importing.host.drafts import Draft
from reconciler.importing.host.portrait import seekers, trouble
from reconciler.importing.host.reading import Beside
from reconciler.importing.notes import CannotImport
from reconciler.importing.writing import text
from reconciler.kinds.model import Resource, Verdict
from tests.unit.kinds.worlds import facts, filled, load_case

CASES = Path(__file__).parents[3] / "cases" / "importing" / "host"
FILES = sorted(CASES.glob("*.yaml"))


def order(folder: Path, profile: dict[str, Any] | None = None, **base: Any) -> Order:
    if profile is None:
        return Order(base, Beside(), Options(True, None, (), 1, folder))
    file = folder / "profile.yaml"
    document = {"apiVersion": "reconciler/v1", "kind": "Profile", "metadata": {"name": "p"}, "spec": profile}
    file.write_text(yaml.safe_dump(document))
    return Order({"profile": "p", **base}, Beside((file,)), Options(True, None, (), 1, folder))


def draft(work: Order, seen: Facts) -> Draft:
    """The document, when the host shows just that."""

    def see(resources: Sequence[Resource]) -> Facts:
        asked = {question for it in resources for question in it.asks(seen)}
        assert asked <= set(seen), "the case leaves out what is asked for"
        return seen

    return drafted(work, work.seed("h1", "h1.example.org"), see)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_document_is_as_its_case_says(path: Path, tmp_path: Path) -> None:
    case = load_case(path)
    work = order(tmp_path, case.get("profile"))
    made = draft(work, facts(case["facts"]))
    expect = case["expect"]
    assert made.spec == {**work.spec("h1.example.org"), **expect["spec"]}
    notes = [(note.resource, note.why) for note in made.omitted]
    assert [resource for resource, _ in notes] == [it["resource"] for it in expect.get("omitted", [])]
    for (_, why), it in zip(notes, expect.get("omitted", []), strict=True):
        assert it["why"] in why
    assert len(made.remarks) == len(expect.get("remarks", []))
    assert all(words in made.remarks[at] for at, words in enumerate(expect.get("remarks", [])))
    taken = {dotted(place): why for place, why in made.why_null.items()}
    assert expect.get("taken", {}).items() <= taken.items()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_valid_and_its_plan_is_empty(path: Path, tmp_path: Path) -> None:
    case = load_case(path)
    work = order(tmp_path, case.get("profile"))
    seen = facts(case["facts"])
    made = draft(work, seen)
    (host,) = work.beside.load({"written": text([made.document()])}).hosts
    assert trouble(task_of(host, work.options).resources, seen) == []


def test_a_document_says_what_its_host_is(tmp_path: Path) -> None:
    seen = facts(filled(yaml.safe_load((CASES / "ssh_off.yaml").read_text())["facts"]))
    assert draft(order(tmp_path), seen).product == "VMware ESXi 6.7.0, build 8169922"


def test_what_nobody_found_on_the_host_is_for_who_asked_to_mend(tmp_path: Path) -> None:
    with pytest.raises(CannotImport, match=r"the document of h1:\d+:\d+: spec\.access\.ssh\.port: must be"):
        order(tmp_path, access={"ssh": {"port": "x"}}).seed("h1", "h1")


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    work = order(tmp_path, {})
    with pytest.raises(CannotImport, match=r"there is no profile 'q' \(known: p\)"):
        Order({"profile": "q"}, work.beside, work.options).seed("h1", "h1")


# -- several hosts -----------------------------------------------------------------------------------------------


def mounting(name: str, address: str, **nfs: str) -> Draft:
    spec = {"address": address, "datastores": {"images": {"nfs": {"path": "/images", **nfs}}}}
    return Draft(name, spec, {}, {"datastore/images": ("datastores", "images")})


def test_one_export_that_hosts_mount_by_different_versions_can_not_be_told_of_all() -> None:
    drafts = [
        mounting("a", "a", server="filer"),
        mounting("b", "b", server="filer"),
        mounting("c", "c", server="filer", version="4.1"),
    ]
    one, two, three = all_valid(drafts, Beside())
    assert [one, two] == drafts[:2]
    assert three.spec == {"address": "c"}
    assert ["by NFS 4.1 on c" in note.why for note in three.omitted] == [True]


def test_two_names_of_one_host_are_for_who_named_it_to_mend() -> None:
    with pytest.raises(CannotImport, match="is the address of 'a' too"):
        all_valid([mounting("a", "a", server="x"), mounting("b", "A.", server="x")], Beside())


def test_a_host_of_the_files_with_the_same_address_is_for_who_named_it_to_mend(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text("apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: z}\nspec: {address: a}\n")
    drafts = [mounting("a", "a", server="x")]
    with pytest.raises(CannotImport, match=r"is the address of '[az]' too"):
        all_valid(drafts, Beside((file,)))


def test_a_mistake_in_the_files_is_for_who_keeps_them_to_mend(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text(
        "apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: z}\n"
        "spec: {datastores: {images: {nfs: {server: filer, path: /images/}}}}\n"
    )
    drafts = [mounting(name, name, server="filer") for name in ("a", "b")]
    with pytest.raises(
        CannotImport, match=r"hosts\.yaml:4:.*: spells the export filer:/images in another way"
    ):
        all_valid(drafts, Beside((file,)))
    (tmp_path / "profile.yaml").write_text("apiVersion: reconciler/v1\nkind: Profile\nmetadata: {name: p}\n")
    assert all_valid(drafts, Beside((tmp_path,), (file,))) == drafts


def test_files_that_a_profile_names_are_read(tmp_path: Path) -> None:
    (tmp_path / "known").write_text("")
    (tmp_path / "root.pub").write_text(filled("{K}\n"))
    work = order(
        tmp_path,
        {
            "ssh": {"authorizedKeys": [{"file": "root.pub"}]},
            "access": {"ssh": {"key": "k", "knownHosts": "known"}},
        },
    )
    seen = facts(
        {"ssh": {"unseen": "x"}, "keys": {"content": filled("{K}\n")}, "datastores": {}, "network": {}}
    )
    made = draft(work, seen)
    assert made.spec == work.spec("h1.example.org")


def test_what_looks_for_things_wishes_nothing(tmp_path: Path) -> None:
    for seeker in seekers(order(tmp_path).seed("h1", "h1")):
        assert seeker.name.startswith("seek/")
        assert (seeker.needs(Facts()), seeker.judge(Facts())) == ((), Verdict())
