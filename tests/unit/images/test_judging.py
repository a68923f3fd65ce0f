"""What is said of images in every situation that a look may find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.facts import Datastore, Datastores, Facts, Identity, Machine, NfsSource, Unseen
from reconciler.image_facts import (
    DiskFile,
    DiskUse,
    FileBlock,
    HalfCopies,
    HalfCopy,
    HostTime,
    ImageFolder,
    ImageState,
    InUse,
    Library,
    RefusedCopies,
    TopDisk,
    TopDisks,
    VolumeUse,
)
from reconciler.image_verbs import (
    CloneDisk,
    CopyVerb,
    DeleteFolder,
    FetchDisk,
    LoadModule,
    PutInPlace,
    RelayDisk,
    SendDisk,
    SetAside,
)
from reconciler.kinds import images
from reconciler.kinds.images import moves, writers
from reconciler.kinds.images.absent import AbsentImage
from reconciler.kinds.images.eviction import Candidate, fewest
from reconciler.kinds.images.setup import Base, Sight, is_one_place, same_volume, short_name
from reconciler.kinds.images.wanted import WantedImage
from reconciler.kinds.images.wish import ImagesWish
from reconciler.kinds.model import Risk, Source, Wisher
from reconciler.kinds.paths import parse_datastore_path
from reconciler.plan import Plan, Rules, make_plan
from tests.unit.images.worlds import (
    DISK,
    HERE,
    MIB,
    NOW,
    REPOSITORY,
    Volumes,
    broken,
    look,
    plan_of,
    settle,
    whole,
    wish,
)

A, B = "vmwarea-1-v1", "vmwareb-2-v1"
BOTH = {"in": ["datastore", "repository"]}


def said(plan: Plan, resource: str) -> list[str]:
    """Everything that is said of a resource and is no step."""
    every = [(it.resource, it.why) for it in plan.held]
    every += [(it.resource, it.why) for it in (*plan.unknown, *plan.findings)]
    return [why for name, why in every if name == resource]


def verbs(plan: Plan) -> list[str]:
    return [type(verb).__name__ for step in plan.steps for verb in step.actions]


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("vmwarewinxp-verylongprettyname1234-v10", "vmwarewinxp-verylongp1234-v10"),
        ("vmwarelinux-SomeVeryLongImageName12345-v3", "vmwarelinux-SomeVeryL12345-v3"),
        ("no-number-in-it-but-a-very-long-name", "no-number-in-it-but-long-name"),
        ("a-very-long-os-name-without-end-1-v1", "a-very-long-os-name-witho1-v1"),
        ("vmwarewinxp-base234-v12", "vmwarewinxp-base234-v12"),
    ],
)
def test_names_are_cut_as_vcenter_cuts_them(long: str, short: str) -> None:
    assert short_name(long) == short
    assert len(short) <= 29


@pytest.mark.parametrize(
    "name", ["a/b", "..", ".hidden", "_delete_x", "x~", "x_2gbsparse", 'a"b', "a\nb", "", "x" * 81]
)
def test_names_that_leave_their_folder_or_are_leftovers_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        ImagesWish.model_validate({"images": {name: {}}})


@pytest.mark.parametrize(
    "spec",
    [
        {"virtualDisk": {"path": "/tmp/x"}},
        {"virtualDisk": {"path": "d", "reserve": "much"}},
        {"virtualDisk": {"path": "d", "reserve": -1}},
        {"repository": {"path": "vmfs/volumes/x"}},
        {"repository": {"path": "[x"}},
        {"images": {A: {"in": []}}},
    ],
)
def test_what_a_spec_may_not_say(spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImagesWish.model_validate(spec)


def test_without_a_virtual_disk_path_there_is_nothing_to_manage() -> None:
    assert list(images.resources(ImagesWish.model_validate({"images": {A: {}}}), Wisher("esx"))) == []


def test_a_repository_in_each_spelling() -> None:
    for path, here in (("[repo] x", False), ("/vmfs/volumes/repo/x", False), ("/srv/x", True)):
        spec = {"virtualDisk": {"path": "d", "reserve": "1GiB"}, "repository": {"path": path}}
        _, repository = images.resources(ImagesWish.model_validate(spec), Wisher("esx"))
        assert repository.base.here is here  # type: ignore[attr-defined]


# -- which way -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "form", "loaded", "expected"),
    [
        ((4, 1, 0), "twoGbMaxExtentSparse", False, [CloneDisk]),
        ((5, 0, 0), "twoGbMaxExtentSparse", False, [CloneDisk]),
        ((5, 1, 0), "twoGbMaxExtentSparse", False, [LoadModule, CloneDisk]),
        ((6, 0, 0), "twoGbMaxExtentSparse", True, [CloneDisk]),
        ((6, 0, 0), "vmfs", False, [CloneDisk]),
        ((6, 5, 0), "twoGbMaxExtentSparse", False, [CloneDisk]),
    ],
)
def test_the_module_is_loaded_only_where_it_is_needed(
    version: tuple[int, int, int], form: str, loaded: bool, expected: list[type[Any]]
) -> None:
    there = Volumes({}, {A: whole(form=form)}, version=version, loaded=loaded)
    (step,) = plan_of(wish({A: {}}, there), there).steps
    assert [type(verb) for verb in step.actions] == expected
    copied = step.actions[-1]
    assert isinstance(copied, CloneDisk)
    assert copied.relay is (version >= (6, 5, 0))


def test_a_repository_here_is_sent_from_and_fetched_to() -> None:
    there = Volumes({B: whole()}, {A: whole()}, here=True)
    plan = plan_of(wish({A: {}, B: BOTH}, there), there)
    assert verbs(plan) == [SendDisk.__name__, FetchDisk.__name__]


@pytest.mark.parametrize("form", ["qcow2", "vdi"])
def test_forms_that_vmkfstools_does_not_know_are_relayed(form: str) -> None:
    there = Volumes({B: whole()}, {A: whole(form=form)})
    spec = {
        "virtualDisk": {"path": "datastore1"},
        "repository": {"path": "/vmfs/volumes/repository", "format": form},
        "images": {A: {}, B: BOTH},
    }
    resources = list(images.resources(ImagesWish.model_validate(spec), Wisher("esx")))
    assert verbs(plan_of(resources, there)) == [RelayDisk.__name__, RelayDisk.__name__]


def test_a_hosted_form_may_be_relayed_on_any_version() -> None:
    there = Volumes({}, {A: whole(form="monolithicSparse")}, version=(5, 5, 0))
    copied = plan_of(wish({A: {}}, there), there).steps[0].actions[-1]
    assert isinstance(copied, CloneDisk)
    assert copied.relay


# -- what can't be seen ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [Datastores, Library, ImageFolder, VolumeUse])
def test_what_can_not_be_seen_leads_to_no_step(question: type[Any]) -> None:
    for wished, disk in (
        ({A: {}}, {}),
        ({A: "absent"}, {A: whole()}),
        ({A: {}}, {A: broken()}),
        ({A: BOTH}, {A: whole()}),
    ):
        there = Volumes(
            dict(disk), {A: whole()} if wished != {A: BOTH} else {}, unseen={question: "hostd is away"}
        )
        plan = plan_of(wish(wished, there), there)
        if question is VolumeUse and wished == {A: {}} and not disk:
            assert verbs(plan) == ["CloneDisk"]
        elif question is not Library or disk:
            assert not [step for step in plan.steps if step.resource == f"image/{A}"] or question is Library
        if question in (Datastores, ImageFolder):
            assert any("hostd is away" in why for why in said(plan, f"image/{A}"))


def test_a_datastore_that_is_not_there_or_not_accessible() -> None:
    gone = Volumes(datastores=())
    for resource in ("virtualDisk", "repository", f"image/{A}"):
        (why,) = said(plan_of(wish({A: {}}, gone), gone), resource)
        assert "once the datastore" in why
    away = Volumes(
        {}, {}, datastores=(Datastore("datastore1", "VMFS-6", False), Datastore("repository", "NFS", False))
    )
    for resource in ("virtualDisk", "repository", f"image/{A}"):
        (why,) = said(plan_of(wish({A: {}}, away), away), resource)
        assert "not accessible" in why


def test_a_repository_that_can_not_be_read_leads_to_no_step() -> None:
    for wished, disk, copied in (
        ({A: {}}, {}, {A: whole()}),
        ({A: {}}, {A: broken()}, {A: whole()}),
        ({A: BOTH}, {A: whole()}, {}),
        ({A: "absent"}, {A: whole()}, {A: whole()}),
    ):
        there = Volumes(dict(disk), dict(copied), hidden={REPOSITORY: "its folder can't be listed"})
        plan = plan_of(wish(wished, there), there)
        assert not [step for step in plan.steps if step.resource == f"image/{A}"]
        assert any("its folder can't be listed" in why for why in said(plan, f"image/{A}"))


def test_absent_while_the_datastores_are_hidden_half_way() -> None:
    """The disk was found, the repository's datastore is not told any more."""
    there = Volumes({A: whole()}, {A: whole()})
    (_, _, resource) = wish({A: "absent"}, there)
    assert isinstance(resource, AbsentImage)
    facts = look([resource], there).with_answers({Datastores(): Unseen("hostd is away")})
    assert resource._copy(whole(), facts) == Unseen("hostd is away")


def test_absent_with_a_repository_out_of_reach() -> None:
    for datastores, why in (
        ((Datastore("datastore1", "VMFS-6", True, id="v"),), "not there"),
        (
            (Datastore("datastore1", "VMFS-6", True, id="v"), Datastore("repository", "NFS", False)),
            "not accessible",
        ),
    ):
        there = Volumes({A: whole()}, {A: whole()}, datastores=datastores)
        assert why in said(plan_of(wish({A: "absent"}, there), there), f"image/{A}")[0]


def test_a_repository_without_its_folder_is_held() -> None:
    there = Volumes({}, None)
    spec = {
        "virtualDisk": {"path": "datastore1"},
        "repository": {"path": "/vmfs/volumes/repository"},
        "images": {A: {}},
    }
    resources = list(images.resources(ImagesWish.model_validate(spec), Wisher("esx")))
    assert "would make an empty repository" in said(plan_of(resources, there), "repository")[0]


def test_the_folder_of_the_virtual_disk_path_is_made() -> None:
    there = Volumes(missing=True)
    assert verbs(plan_of(wish({}, there), there)) == ["MakeFolder"]


# -- replaced, put in place, cleared ---------------------------------------------------------------------------


def test_a_broken_image_is_replaced_in_three_steps() -> None:
    there = Volumes({A: broken()}, {A: whole()})
    plan = plan_of(wish({A: {}}, there), there)
    assert verbs(plan) == ["SetAside", "DeleteFolder", "CloneDisk"]
    assert [step.change.risk for step in plan.steps] == [Risk.SERVICE, Risk.SERVICE, Risk.SAFE]
    assert [type(verb) for verb in settle(wish({A: {}}, there), there)] == [SetAside, DeleteFolder, CloneDisk]


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (
            whole(form="seSparse", machines=("a.vmx",)),
            "a virtual machine lives in it",
        ),
        (whole(form="twoGbMaxExtentSparse", locked="a-s001.vmdk is held"), "in use: a-s001.vmdk is held"),
    ],
)
def test_a_broken_image_in_use_stays(state: Any, why: str) -> None:
    there = Volumes({A: state}, {A: whole()})
    plan = plan_of(wish({A: {}}, there), there)
    assert not plan.steps
    assert any(why in it for it in said(plan, f"image/{A}"))


def test_a_form_that_esxi_can_not_run_is_named() -> None:
    there = Volumes({A: whole(form="twoGbMaxExtentSparse")}, {})
    (why,) = said(plan_of(wish({A: {}}, there), there), f"image/{A}")
    assert "has the form twoGbMaxExtentSparse, which ESXi can't run; there is no whole copy elsewhere" in why


def test_a_broken_copy_in_the_repository_is_named() -> None:
    there = Volumes({}, {A: broken("the extent s is missing")})
    (why,) = said(plan_of(wish({A: {}}, there), there), f"image/{A}")
    assert "can't be used: the extent s is missing" in why
    there = Volumes({A: whole()}, {A: broken("the extent s is missing")})
    assert "is no whole one" in said(plan_of(wish({A: BOTH}, there), there), f"image/{A}")[0]


def test_a_leftover_that_may_be_the_only_copy_is_a_finding() -> None:
    there = Volumes({f"{A}_2gbsparse": whole(form="twoGbMaxExtentSparse")}, {})
    assert any(
        "stays: no whole copy is elsewhere" in why
        for why in said(plan_of(wish({A: {}}, there), there), f"image/{A}")
    )
    used = (DiskUse("vol-1", f"{A}~/{A}.vmdk", "virtual machine 'v'"),)
    there = Volumes({A: whole(), f"{A}~": whole()}, {}, uses=used)
    assert any(
        "stays: it is in use" in why for why in said(plan_of(wish({A: {}}, there), there), f"image/{A}")
    )
    there = Volumes({A: whole(), f"{A}~": whole()}, {}, unseen={VolumeUse: "away"})
    assert any("stays: can't see" in why for why in said(plan_of(wish({A: {}}, there), there), f"image/{A}"))


def test_an_image_wished_only_in_the_repository() -> None:
    only = {"in": ["repository"]}
    there = Volumes({}, {})
    assert "neither on" in said(plan_of(wish({A: only}, there), there), f"image/{A}")[0]
    there = Volumes({A: whole()}, {})
    assert verbs(plan_of(wish({A: only}, there), there)) == ["CloneDisk"]
    there = Volumes({A: whole()}, None)
    assert "names none" in said(plan_of(wish({A: only}, there), there), f"image/{A}")[0]
    running = (DiskUse("vol-1", f"{A}/{A}.vmdk", "virtual machine 'v'", running=True, writes=True),)
    there = Volumes({A: whole()}, {}, uses=running)
    assert (
        "being written: virtual machine 'v'" in said(plan_of(wish({A: only}, there), there), f"image/{A}")[0]
    )


def test_nothing_is_captured_while_a_host_can_not_be_asked() -> None:
    there = Volumes({A: whole()}, {}, blind=("h2 can't be asked what it uses there: it is paused",))
    (why,) = said(plan_of(wish({A: BOTH}, there), there), f"image/{A}")
    assert why.startswith("it can't be captured: it may be being written: h2 can't be asked")


def test_a_disk_that_is_held_open_is_not_captured() -> None:
    there = Volumes({A: whole(locked="a file in it is held")}, {})
    (why,) = said(plan_of(wish({A: BOTH}, there), there), f"image/{A}")
    assert why == "it can't be captured: it is being written, or runs: a file in it is held"


def test_a_leftover_that_is_gone_meanwhile_needs_nothing() -> None:
    there = Volumes({A: whole(), f"{A}~": whole()}, {})
    resources = wish({A: {}}, there)
    facts = look(resources, there).with_answers({ImageFolder(DISK, f"{A}~", A): None})
    assert make_plan(resources, facts, Rules(Risk.DATA, lambda place: Source("a.yaml", 1))).steps == ()


# -- absent ----------------------------------------------------------------------------------------------------


def test_absent_says_whether_it_is_the_last_copy() -> None:
    there = Volumes({A: whole()}, {A: whole()})
    plan = plan_of(wish({A: "absent"}, there), there)
    assert [step.change.risk for step in plan.steps] == [Risk.SERVICE, Risk.SERVICE]
    there = Volumes({A: whole()}, {})
    plan = plan_of(wish({A: "absent"}, there), there)
    assert "its risk is data" in said(plan, f"image/{A}")[0]
    assert [type(it) for it in settle(wish({A: "absent"}, there), there, Risk.DATA)] == [
        SetAside,
        DeleteFolder,
    ]


def test_what_is_left_of_an_absent_image_goes_too() -> None:
    there = Volumes({f"_delete_{A}": whole()}, {A: whole()})
    assert verbs(plan_of(wish({A: "absent"}, there), there)) == ["DeleteFolder"]
    there = Volumes({f"_delete_{A}": whole(locked="x is held")}, {A: whole()})
    assert "x is held" in said(plan_of(wish({A: "absent"}, there), there), f"image/{A}")[0]
    there = Volumes({f"_delete_{A}": whole()}, {A: whole()}, unseen={VolumeUse: "away"})
    assert "can't see what uses it" in said(plan_of(wish({A: "absent"}, there), there), f"image/{A}")[0]


@pytest.mark.parametrize(
    "more",
    [
        DiskFile("other.vmdk", 1, 0o644),
        DiskFile(f"{A}-000001.vmdk", 1, 0o644),
        DiskFile(f"{A}-delta.vmdk", 1, 0o644),
        DiskFile("iso", 0, 0o755, "d"),
    ],
    ids=lambda it: it.name,
)
def test_a_folder_that_holds_more_than_the_image_stays(more: DiskFile) -> None:
    usual = tuple(
        DiskFile(name, 1, 0o644)
        for name in (f"{A}.vmdk", f"{A}-ctk.vmdk", f"{A}.vmx.reference", f"{A}.nvram", "vmware-3.log")
    )
    for state, wished in ((whole(), "absent"), (broken(), {})):
        there = Volumes({A: replace(state, files=usual, parts=())}, {A: whole()})
        assert len(plan_of(wish({A: wished}, there), there).steps) >= 2
        there.disk[A] = replace(state, files=(*usual, more))
        plan = plan_of(wish({A: wished}, there), there)
        assert plan.steps == ()
        assert said(plan, f"image/{A}") == [f"it holds more than the image: {more.name}"]
    there = Volumes(
        {A: replace(whole(), files=(*usual, more))}, {A: whole(), B: whole(40 * MIB)}, free=35 * MIB
    )
    assert verbs(plan_of(wish({B: {}}, there, mode="dedicated"), there)) == []


@pytest.mark.parametrize(
    ("ago", "why"),
    [
        (0, "it was written 0 s ago, somebody may be at it"),
        (299, "it was written 299 s ago, somebody may be at it"),
        (-100, "it was written 0 s ago, somebody may be at it"),
        (
            -7200,
            "it is dated 7200 s ahead of the host's clock, so that nobody can tell whether somebody is at it",
        ),
    ],
)
def test_what_was_just_written_stays(ago: int, why: str) -> None:
    fresh = replace(whole(), modified=NOW - ago)
    there = Volumes({A: fresh}, {A: whole()})
    assert said(plan_of(wish({A: "absent"}, there), there), f"image/{A}") == [why]
    there = Volumes({A: fresh}, {})
    assert said(plan_of(wish({A: BOTH}, there), there), f"image/{A}") == [f"it can't be captured: {why}"]
    there = Volumes({A: fresh}, {A: whole(), B: whole(40 * MIB)}, free=35 * MIB)
    assert verbs(plan_of(wish({B: {}}, there, mode="dedicated"), there)) == []


def test_another_disk_of_that_name_is_no_copy() -> None:
    """Forms that keep whole blocks may end a little later; a disk of another size is another disk."""
    for capacity, same in ((101 * MIB, True), (200 * MIB, False)):
        other = replace(whole(), capacity=capacity)
        there = Volumes({A: whole()}, {A: other})
        (step, *_) = plan_of(wish({A: "absent"}, there), there, Risk.DATA).steps
        assert step.change.risk is (Risk.SERVICE if same else Risk.DATA)
        there = Volumes({A: broken()}, {A: other})
        plan = plan_of(wish({A: {}}, there), there)
        assert bool(plan.steps) is same
        assert same or "is a disk of another size" in said(plan, f"image/{A}")[0]
        there = Volumes({A: whole(), f"{A}~": other}, {})
        assert bool(plan_of(wish({A: {}}, there), there).steps) is same
        there = Volumes({A: whole()}, {A: other, B: whole(40 * MIB)}, free=35 * MIB)
        assert bool(plan_of(wish({B: {}}, there, mode="dedicated"), there).steps) is same
        there = Volumes({f"_delete_{B}": whole()}, {B: other})
        assert bool(plan_of(wish({}, there), there).steps) is same


def test_what_lacks_its_descriptor_is_known_by_the_size_of_its_extents() -> None:
    flat = (DiskFile(f"{A}-flat.vmdk", 50 * MIB, 0o644),)
    there = Volumes({A: broken(capacity=0, files=flat)}, {A: whole()})
    plan = plan_of(wish({A: {}}, there), there)
    assert plan.steps == ()
    assert "is a disk of another size" in said(plan, f"image/{A}")[0]


def test_what_was_written_long_enough_ago_is_quiet() -> None:
    there = Volumes({A: replace(whole(), modified=NOW - 300)}, {A: whole()})
    assert verbs(plan_of(wish({A: "absent"}, there), there)) == ["SetAside", "DeleteFolder"]
    there.unseen = {HostTime: "date is missing"}
    (why,) = said(plan_of(wish({A: "absent"}, there), there), f"image/{A}")
    assert why == "can't see how old it is: date is missing"


def test_a_whole_leftover_that_is_held_is_not_renamed() -> None:
    there = Volumes({f"{A}~": whole(locked="x-flat.vmdk is held")}, {})
    plan = plan_of(wish({A: {}}, there), there)
    assert plan.steps == ()
    assert "which can't be renamed: it is in use: x-flat.vmdk is held" in said(plan, f"image/{A}")[0]
    there = Volumes({f"{A}~": whole()}, {}, unseen={VolumeUse: "away"})
    assert "can't see what uses it" in said(plan_of(wish({A: {}}, there), there), f"image/{A}")[0]
    there = Volumes(
        {f"_delete_{A}": whole()}, {}, uses=(DiskUse("vol-1", f"{A}/{A}.vmdk", "virtual machine 'v'"),)
    )
    assert verbs(plan_of(wish({A: {}}, there), there)) == ["PutInPlace"]


def test_what_vcl_may_be_converting_into_is_not_taken_for_the_image() -> None:
    """While NAME is there, NAME~ may be half made, although it has its full size."""
    sparse = whole(form="twoGbMaxExtentSparse")
    for there in (broken(), sparse):
        world = Volumes({A: there, f"{A}~": whole()}, {})
        assert plan_of(wish({A: {}}, world), world).steps == ()
        world = Volumes({A: there, f"{A}~": whole()}, {A: whole(40 * MIB)}, free=100 * MIB)
        done = [type(it) for it in settle(wish({A: {}}, world), world)]
        assert PutInPlace not in done
        assert done[-1] is CloneDisk
    for taken in (whole(locked="x-flat.vmdk is held"), replace(whole(), modified=NOW - 60)):
        world = Volumes({A: sparse, f"{A}~": taken}, {A: whole(40 * MIB)}, free=100 * MIB)
        plan = plan_of(wish({A: {}}, world), world)
        assert plan.steps == ()
        assert any(f"it may be being converted into {A}~: " in why for why in said(plan, f"image/{A}"))


@pytest.mark.parametrize("copy", [whole(locked="x is held"), replace(whole(), modified=NOW - 60)])
def test_a_copy_that_somebody_may_be_writing_is_not_relied_on(copy: ImageState) -> None:
    there = Volumes({A: whole()}, {A: copy})
    assert plan_of(wish({A: "absent"}, there), there).steps == ()
    there = Volumes({A: broken()}, {A: copy})
    plan = plan_of(wish({A: {}}, there), there)
    assert plan.steps == ()
    assert "no whole copy elsewhere that can be relied on yet" in said(plan, f"image/{A}")[0]
    there = Volumes({A: whole()}, {A: copy, B: whole(40 * MIB)}, free=35 * MIB)
    assert plan_of(wish({B: {}}, there, mode="dedicated"), there).steps == ()
    there = Volumes({f"_delete_{A}": whole()}, {A: copy})
    assert plan_of(wish({}, there), there).steps == ()


def test_a_copy_here_that_somebody_may_be_making_is_not_relied_on() -> None:
    for ago, relied_on in ((60, False), (600, True)):
        copy = replace(whole(form="twoGbMaxExtentSparse"), modified=NOW - ago)
        there = Volumes({A: whole()}, {A: copy}, here=True)
        assert bool(plan_of(wish({A: "absent"}, there), there).steps) is relied_on


def test_a_copy_that_was_refused_in_this_pass_is_not_relied_on_again() -> None:
    there = Volumes(
        {A: whole(), B: whole()}, {A: whole(), B: whole(), "c-3-v1": whole(40 * MIB)}, free=35 * MIB
    )
    resources = wish({"c-3-v1": {}}, there, mode="dedicated")
    rules = Rules(Risk.SERVICE, lambda place: Source("a.yaml", 1))
    facts = look(resources, there)
    assert [step.change.place[-1] for step in make_plan(resources, facts, rules).steps][:1] == [A]
    noted = facts.with_answers({RefusedCopies(): {f"{REPOSITORY}/{A}": "it is cut off"}})
    plan = make_plan(resources, noted, rules)
    assert [step.change.place[-1] for step in plan.steps][:1] == [B]
    assert said(plan, "repository") == ["it is cut off"]


def test_an_image_is_no_copy_of_itself() -> None:
    """One export, mounted under two names of its server."""
    stores = (
        Datastore("datastore1", "NFS", True, NfsSource("10.0.0.1", "/x"), id="v1", free=1 << 30),
        Datastore("repository", "NFS", True, NfsSource("filer", "/x/"), id="v2", free=1 << 30),
    )
    there = Volumes({A: whole()}, {A: whole()}, datastores=stores)
    plan = plan_of(wish({A: "absent"}, there), there)
    assert plan.steps == ()
    assert "its risk is data" in said(plan, f"image/{A}")[0]
    there = Volumes({A: broken()}, {A: whole()}, datastores=stores)
    assert plan_of(wish({A: {}}, there), there).steps == ()
    one, other = (
        Base(DISK, parse_datastore_path("datastore1")),
        Base(REPOSITORY, parse_datastore_path("repository")),
    )
    assert is_one_place(one, other, Facts().with_answers({Datastores(): stores}))
    assert not is_one_place(one, other, Facts())


def test_what_is_no_folder_stays() -> None:
    file = ImageState(False, f"{A} is a file, no folder", folder=False)
    there = Volumes({A: file}, {A: whole()})
    every: tuple[dict[str, Any], ...] = ({A: {}}, {A: "absent"})
    for wished in every:
        plan = plan_of(wish(wished, there), there)
        assert plan.steps == ()
        assert said(plan, f"image/{A}") == [f"{A} is no folder, and stays"]


def test_no_room_is_made_for_what_is_held_anyway() -> None:
    there = Volumes({A: broken(locked="held"), B: whole()}, {A: whole(40 * MIB), B: whole()}, free=35 * MIB)
    assert plan_of(wish({A: {}}, there, mode="dedicated"), there).steps == ()


def test_an_absent_image_that_is_in_use_goes_back_to_its_users() -> None:
    used = (DiskUse("vol-1", f"{A}/{A}.vmdk", "virtual machine 'v'"),)
    there = Volumes({f"_delete_{A}": whole()}, {A: whole()}, uses=used)
    plan = plan_of(wish({A: "absent"}, there), there)
    assert verbs(plan) == ["PutInPlace"]
    assert said(plan, f"image/{A}") == ["it is in use: virtual machine 'v'"]


def test_what_may_be_compressed_on_a_host_may_take_all_that_a_guest_sees() -> None:
    there = Volumes({}, {A: whole(10 * MIB, "streamOptimized")}, free=100 * MIB)
    assert "needs 119.0 MiB" in said(plan_of(wish({A: {}}, there), there), f"image/{A}")[0]


def test_a_capture_that_does_not_fit_here_is_held() -> None:
    there = Volumes({A: whole(), B: whole()}, {}, here=True, room_here=15 * MIB)
    plan = plan_of(wish({A: BOTH, B: BOTH}, there), there)
    assert verbs(plan) == ["FetchDisk"]
    (why,) = said(plan, f"image/{B}")
    assert why.startswith("the copy needs 10.0 MiB on /srv/repository, and 15.0 MiB are free there")


def test_what_stands_aside_already_goes_first() -> None:
    there = Volumes({A: whole(), f"_delete_{A}": whole()}, {A: whole()})
    assert [type(it) for it in settle(wish({A: "absent"}, there), there)] == [
        DeleteFolder,
        SetAside,
        DeleteFolder,
    ]
    there = Volumes({A: broken(), f"_delete_{A}": whole(machines=("m.vmx",))}, {A: whole()})
    plan = plan_of(wish({A: {}}, there), there)
    assert plan.steps == ()
    assert any(f"_delete_{A} is in the way of setting it aside" in why for why in said(plan, f"image/{A}"))
    there = Volumes(
        {A: whole(), f"_delete_{A}": whole(locked="held")}, {A: whole(), B: whole()}, free=5 * MIB
    )
    assert verbs(plan_of(wish({B: {}}, there, mode="dedicated"), there)) == []


def test_what_was_set_aside_is_used_by_the_name_that_it_had() -> None:
    used = (DiskUse("vol-1", f"{A}/{A}.vmdk", "virtual machine 'v'"),)
    there = Volumes({f"_delete_{A}": whole()}, {A: whole()}, uses=used)
    assert "it is in use: virtual machine 'v'" in said(
        plan_of(wish({A: "absent"}, there), there), f"image/{A}"
    )


def test_a_broken_image_that_other_specs_want_too_is_repaired() -> None:
    """They all wait for a whole one; taking it away for good is another thing."""
    wished = (DiskUse("vol-1", f"{A}/{A}.vmdk", "the spec of b, which wants it", wished=True),)
    there = Volumes({A: broken()}, {A: whole()}, uses=wished)
    assert verbs(plan_of(wish({A: {}}, there), there)) == ["SetAside", "DeleteFolder", "CloneDisk"]
    (why,) = said(plan_of(wish({A: "absent"}, there), there), f"image/{A}")
    assert why == "it is in use: the spec of b, which wants it"


def test_users_are_named_up_to_three() -> None:
    uses = tuple(DiskUse("vol-1", f"{A}/{A}.vmdk", f"machine {number}") for number in range(5))
    there = Volumes({A: whole()}, {A: whole()}, uses=uses)
    (why,) = said(plan_of(wish({A: "absent"}, there), there), f"image/{A}")
    assert why == "it is in use: machine 0, machine 1, machine 2 and 2 more users"
    there = Volumes({A: whole()}, {A: whole()}, blind=("h2 is down", "h3 is down"))
    (why,) = said(plan_of(wish({A: "absent"}, there), there), f"image/{A}")
    assert why == "it may be in use: h2 is down and 1 more host"


def test_a_use_on_a_volume_that_can_not_be_told_counts_by_its_folder() -> None:
    for written in (f"lost/{A}/{A}.vmdk", f"[unknown] {A}/{A}.vmdk", f"..\\{A}\\{A}.vmdk"):
        use = InUse((DiskUse(None, written, "v"),))
        assert use.of(f"sub/{A}")
        assert not use.of("sub/other")


def test_one_volume_is_known_however_it_is_spelled() -> None:
    by_name, by_id = (Base(f"/vmfs/volumes/{it}", parse_datastore_path(f"[{it}]")) for it in ("a", "vol-1"))
    here = Base(HERE, None)
    for datastores, same in (
        ((Datastore("a", "VMFS-6", True, id="vol-1"),), True),
        ((Datastore("a", "VMFS-6", True), Datastore("vol-1", "NFS", True)), False),
        ((), False),
    ):
        facts = Facts().with_answers({Datastores(): datastores})
        assert same_volume(by_name, by_id, facts) is same
        assert same_volume(by_name, by_name, facts)
        assert not same_volume(by_name, here, facts)


def test_who_writes_is_not_said_when_the_datastores_are_hidden() -> None:
    base = Base(DISK, parse_datastore_path("datastore1"))
    top = (TopDisk("v", f"{DISK}/{A}/{A}.vmdk"),)
    facts = Facts().with_answers({Datastores(): Unseen("away"), TopDisks(()): top})
    assert writers.written_folders(base, facts) == frozenset()


def test_nothing_is_captured_without_a_repository_or_a_disk() -> None:
    there = Volumes({A: whole()}, None)
    resource = wish({A: {"in": ["repository"]}}, there)[-1]
    assert isinstance(resource, WantedImage)
    assert moves.to_repository(resource.setup, A, Sight(A, whole()), look([resource], there)) is None


# -- room ------------------------------------------------------------------------------------------------------


def test_exactly_enough_room_fits_and_a_byte_less_does_not() -> None:
    for free, fits in ((13 * MIB, True), (13 * MIB - 1, False)):
        there = Volumes({}, {A: whole(10 * MIB)}, free=free)
        assert bool(plan_of(wish({A: {}}, there), there).steps) is fits


def test_nothing_is_taken_away_for_a_copy_that_finds_no_room() -> None:
    there = Volumes({A: broken(size=MIB)}, {A: whole(40 * MIB)}, free=30 * MIB)
    plan = plan_of(wish({A: {}}, there), there)
    assert plan.steps == ()
    (why,) = said(plan, f"image/{A}")
    assert "the extent x is missing; a whole copy is in the repository, but the copy needs " in why
    there = Volumes({A: broken(size=20 * MIB)}, {A: whole(40 * MIB)}, free=30 * MIB)
    assert verbs(plan_of(wish({A: {}}, there), there)) == ["SetAside", "DeleteFolder", "CloneDisk"]


def test_what_may_not_be_deleted_gives_no_room() -> None:
    there = Volumes({f"_delete_{A}": broken(size=20 * MIB)}, {A: whole(40 * MIB)}, free=30 * MIB)
    assert plan_of(wish({A: {}}, there), there, Risk.SAFE).steps == ()
    assert [type(it) for it in settle(wish({A: {}}, there), there)] == [DeleteFolder, CloneDisk]


@pytest.mark.parametrize(
    ("block", "needs"),
    [
        (4096, "4.0 MiB"),
        (MIB, "37.0 MiB"),
        (2 * MIB, "72.0 MiB"),
        (8 * MIB, "96.0 MiB"),
        (16 * MIB, "176.0 MiB"),
    ],
)
def test_of_a_source_here_every_file_block_counts_in_which_something_stands(block: int, needs: str) -> None:
    scattered = {A: frozenset(range(0, 32 * 32, 32))}
    there = Volumes({}, {A: whole()}, here=True, places=scattered, block=block, free=MIB)
    assert f"the copy needs {needs} on" in said(plan_of(wish({A: {}}, there), there), f"image/{A}")[0]


def test_thick_copies_need_their_full_size() -> None:
    there = Volumes({}, {A: whole(10 * MIB)}, free=100 * MIB)
    assert not plan_of(wish({A: {}}, there, format="eagerzeroedthick"), there).steps


def test_a_host_that_tells_no_free_space_or_no_blocks() -> None:
    there = Volumes(
        {},
        {A: whole()},
        datastores=(Datastore("datastore1", "VMFS", True), Datastore("repository", "NFS", True)),
    )
    assert "does not tell how much room" in said(plan_of(wish({A: {}}, there), there), f"image/{A}")[0]
    there = Volumes({}, {A: whole(10 * MIB)}, free=20 * MIB, unseen={FileBlock: "?"})
    assert "needs 40.0 MiB" in said(plan_of(wish({A: {}}, there), there), f"image/{A}")[0]


def test_what_a_half_copy_has_taken_is_not_needed_again() -> None:
    half = HalfCopy(".reconciler-0123456789ab", A, A, 9 * MIB)
    there = Volumes({}, {A: whole(10 * MIB)}, free=4 * MIB, halves=(half,))
    assert plan_of(wish({A: {}}, there), there).steps
    there = Volumes({}, {A: whole(10 * MIB)}, free=4 * MIB, unseen={HalfCopies: "?"})
    assert not plan_of(wish({A: {}}, there), there).steps


def test_a_volume_that_filled_up_gets_no_more() -> None:
    there = Volumes({}, {A: whole()}, filled=B)
    assert f"filled up while {B} was copied" in said(plan_of(wish({A: {}}, there), there), f"image/{A}")[0]


def test_a_repository_on_the_same_volume_shares_its_room() -> None:
    there = Volumes({B: whole(10 * MIB)}, {A: whole(10 * MIB)}, free=20 * MIB)
    spec = {
        "virtualDisk": {"path": "datastore1"},
        "repository": {"path": "[vol-1] kept"},
        "images": {A: {}, B: BOTH},
    }
    resources = list(images.resources(ImagesWish.model_validate(spec), Wisher("esx")))
    there.repository = {A: whole(10 * MIB)}
    plan = plan_of(resources, there)
    assert len(plan.steps) == 1


@pytest.mark.parametrize("count", [3, 20])
def test_the_fewest_and_among_them_the_oldest(count: int) -> None:
    every = [Candidate(f"n{number:02d}", 10 + (number == count - 1) * 20, number) for number in range(count)]
    assert fewest(every, 0) == ()
    assert [it.folder for it in fewest(every, 10) or ()] == ["n00"]
    assert [it.folder for it in fewest(every, 25) or ()] == [f"n{count - 1:02d}"]
    assert [it.folder for it in fewest(every, 40) or ()] == ["n00", f"n{count - 1:02d}"]
    assert fewest(every, 10_000) is None


def test_eviction_says_for_whom_and_that_nothing_can_go() -> None:
    there = Volumes({B: whole(50 * MIB)}, {A: whole(40 * MIB), B: whole(50 * MIB)}, free=10 * MIB)
    plan = plan_of(wish({A: {}}, there, mode="dedicated"), there)
    assert verbs(plan) == ["SetAside", "DeleteFolder", "CloneDisk"]
    assert f"for image/{A}" in plan.steps[0].change.why
    assert f"once {B} made room" in plan.steps[2].change.why
    there.blind = ("h2 is down",)
    plan = plan_of(wish({A: {}}, there, mode="dedicated"), there)
    assert not plan.steps
    assert any("nothing can be evicted" in why for why in said(plan, "virtualDisk"))
    there.blind, there.unseen = (), {VolumeUse: "away"}
    assert any(
        "may be in use: away" in why
        for why in said(plan_of(wish({A: {}}, there, mode="dedicated"), there), "virtualDisk")
    )


def test_dedicated_without_a_repository_is_a_finding() -> None:
    there = Volumes({}, None)
    assert "without a repository" in said(plan_of(wish({}, there, mode="dedicated"), there), "virtualDisk")[0]


# -- what was begun --------------------------------------------------------------------------------------------


def test_what_was_set_aside_is_gone_on_with_put_back_or_told() -> None:
    there = Volumes({f"_delete_{B}": whole()}, {B: whole()})
    assert verbs(plan_of(wish({}, there), there)) == ["DeleteFolder"]
    uses = (DiskUse("vol-1", f"{B}/{B}.vmdk", "virtual machine 'v'"),)
    there = Volumes({f"_delete_{B}": whole()}, {B: whole()}, uses=uses)
    assert [type(it) for it in settle(wish({}, there), there)] == [PutInPlace]
    there = Volumes({f"_delete_{B}": whole()}, {})
    assert f"_delete_{B} stays as it is: no whole copy is elsewhere" in said(
        plan_of(wish({}, there), there), "virtualDisk"
    )
    there = Volumes({f"_delete_{B}": whole()}, {B: whole()}, unseen={VolumeUse: "away"})
    assert "can't see" in said(plan_of(wish({}, there), there), "virtualDisk")[0]
    there = Volumes({f"_delete_{B}": whole()}, {B: whole()}, unseen={ImageFolder: "away"})
    assert not plan_of(wish({}, there), there).steps
    there = Volumes({f"_delete_{B}": whole()}, {B: whole()}, reachable=False)
    assert not plan_of(wish({}, there), there).steps


def test_half_copies_that_nobody_wants_go_when_a_whole_one_is_elsewhere() -> None:
    half = HalfCopy(".reconciler-0123456789ab", B, B, MIB)
    there = Volumes({}, {B: whole()}, halves=(half,))
    assert verbs(plan_of(wish({}, there), there)) == ["DeleteFolder"]
    there = Volumes({}, {}, halves=(half,))
    assert "it stays" in said(plan_of(wish({}, there), there), "virtualDisk")[0]
    other = HalfCopy(".reconciler-0123456789ab", B, f"elsewhere/{B}", MIB)
    there = Volumes({}, {}, halves=(other,))
    assert said(plan_of(wish({}, there), there), "virtualDisk") == []
    # done with, but for its folder: on the disk and in the repository
    done = HalfCopy(".reconciler-0123456789ab", A, A, 0)
    there = Volumes({A: whole()}, {A: whole()}, halves=(done,), kept_halves=(done,))
    assert verbs(plan_of(wish({A: BOTH}, there), there)) == ["DeleteFolder", "DeleteFolder"]


def test_machines_that_write_into_masters_are_named() -> None:
    tops = (
        TopDisk("v1", f"{DISK}/{A}/{A}.vmdk"),
        TopDisk("v2", f"/vmfs/volumes/vol-1/{B}/{B}.vmdk"),
        TopDisk("v3", f"{DISK}/{A}/{A}.vmdk", persistent=False),
        TopDisk("v4", f"{DISK}/v4/v4-000001.vmdk"),
        TopDisk("v5", "/elsewhere/x.vmdk"),
        TopDisk("v6", f"/vmfs/volumes/other/{A}/{A}.vmdk"),
        TopDisk("v7", f"{DISK}/../{A}/{A}.vmdk"),
    )
    machines = (Machine("v1", "datastore1", "v1/v1.vmx"), Machine("lost", "gone", "x/x.vmx"))
    there = Volumes({A: whole(), B: whole()}, {}, tops=tops, machines=machines)
    plan = plan_of(wish({A: {}}, there), there)
    (finding,) = said(plan, f"image/{A}")
    assert finding.startswith("virtual machine 'v1' writes straight into this master")
    (finding,) = said(plan, "virtualDisk")
    assert finding.startswith(f"{B}: virtual machine 'v2'")
    there.unseen = {TopDisks: "away"}
    assert said(plan_of(wish({A: {}}, there), there), f"image/{A}") == []


def test_files_that_others_can_not_read_are_named() -> None:
    shut = whole(unreadable=(".", "x.vmdk"))
    there = Volumes({A: whole()}, {A: shut})
    (finding,) = said(plan_of(wish({A: BOTH}, there), there), "repository")
    assert "(the folder, x.vmdk)" in finding


def test_titles_tell_bytes_and_places() -> None:
    there = Volumes({B: whole()}, {A: whole()}, here=True)
    titles = [
        verb.title for step in plan_of(wish({A: {}, B: BOTH}, there), there).steps for verb in step.actions
    ]
    assert titles == [
        f"send {A} (10.0 MiB) from /srv/repository/{A} here",
        f"fetch {B} (10.0 MiB) to /srv/repository/{B} here, as 2gbsparse",
    ]
    there = Volumes({f"{A}~": whole(), B: broken()}, {B: whole()})
    steps = plan_of(wish({A: {}, B: {}}, there), there).steps
    titles = [verb.title for step in steps for verb in step.actions]
    assert titles == [
        f"rename {DISK}/{A}~ to {A}",
        f"set {DISK}/{B} aside as _delete_{B}",
        f"delete {DISK}/_delete_{B} (1.0 MiB)",
        f"clone {B} (10.0 MiB) from /vmfs/volumes/repository/{B} as thin",
    ]
    copies = [verb for step in steps for verb in step.actions if isinstance(verb, CopyVerb)]
    relayed = RelayDisk(copies[0].room, copies[0].cargo, "thin")
    assert relayed.title.endswith("as thin, by way of this machine")
    assert LoadModule("multiextent").title == "load the VMkernel module multiextent"
    assert Identity() == Identity()
    assert isinstance(Unseen("x"), Unseen)
