"""Copies by CopyVirtualDisk: proved before they get their name, and nothing of them stays when they fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.hands import SdkHands
from reconciler.actuators.ssh.images.jobs import Job
from reconciler.actuators.work import Carried, Work
from reconciler.image_verbs import Cargo, CloneDisk, Room
from tests.unit.actuators.fake_sdk import ESXI67
from tests.unit.actuators.fake_volume import GIB, Flat, Volumes

CARGO = Cargo(
    "img",
    "/vmfs/volumes/id-repo/lib/img",
    "img.vmdk",
    "vmfs",
    GIB,
    1000,
    parts=("img.vmdk", "img-flat.vmdk"),
    flat="img-flat.vmdk",
    adapter="lsilogic",
)
ROOM = Room("/vmfs/volumes/ds", "/vmfs/volumes/ds/vms/img", "img")
VERB = CloneDisk(ROOM, CARGO, "thin")
JOB = Job(ROOM, "img").folder.rpartition("/")[2]


def volumes() -> Volumes:
    tree: dict[tuple[str, str], Any] = {
        ("repo", "lib"): None,
        ("repo", "lib/img"): None,
        ("repo", "lib/img/img.vmdk"): b"text",
        ("repo", "lib/img/img-flat.vmdk"): Flat(GIB),
        ("repo", "lib/img/img.vmx.reference"): b"reference",
    }
    return Volumes(tree)


def do(fake: Volumes, verb: CloneDisk = VERB, stopping: Callable[[], bool] = lambda: False) -> Answer:
    told: list[Carried] = []
    answer = SdkHands(fake, ESXI67, Work(told.append, stopping, lambda seconds: None, Path("spool"))).do(verb)
    assert all(it.total == CARGO.data for it in told)
    return answer


def on(fake: Volumes, store: str = "ds") -> set[str]:
    return {path for name, path in fake.tree if name == store}


WHOLE = {"vms", "vms/img", "vms/img/img.vmdk", "vms/img/img-flat.vmdk"}


@pytest.mark.parametrize(
    ("format", "type"), [("thin", "thin"), ("zeroedthick", "thick"), ("eagerzeroedthick", "eagerZeroedThick")]
)
def test_a_whole_copy_gets_its_name_and_nothing_else_stays(format: str, type: str) -> None:
    fake = volumes()
    fake.polls = 3
    answer = do(fake, replace(VERB, format=format))
    assert (answer.ok, answer.proof) == (
        True,
        "CopyVirtualDisk ended well, and descriptor and sizes are right",
    )
    assert on(fake) == WHOLE
    assert (fake.specs[0].diskType, fake.specs[0].adapterType) == (type, "lsiLogic")


def test_the_reference_of_a_machine_goes_with_it() -> None:
    fake = volumes()
    assert do(fake, replace(VERB, cargo=replace(CARGO, reference=True))).ok
    assert fake.tree[("ds", "vms/img/img.vmx.reference")] == b"reference"


def test_an_image_at_the_root_of_the_volume() -> None:
    fake = volumes()
    assert do(fake, replace(VERB, room=Room("/vmfs/volumes/ds", "/vmfs/volumes/ds/img", "img"))).ok
    assert on(fake) == {"img", "img/img.vmdk", "img/img-flat.vmdk"}


def test_it_is_described_without_a_call() -> None:
    fake = volumes()
    lines = SdkHands(fake, ESXI67, Work(lambda it: None, lambda: False, lambda s: None, Path("x"))).describe(
        VERB
    )
    assert lines[0].startswith(
        'VirtualDiskManager.CopyVirtualDisk_Task(sourceName="[id-repo] lib/img/img.vmdk"'
    )
    assert lines[1].endswith('destinationName="[ds] vms/img")')
    assert fake.calls == []


@pytest.mark.parametrize(
    ("verb", "why"),
    [
        (replace(VERB, format="2gbsparse"), "format"),
        (replace(VERB, relay=True, cargo=replace(CARGO, flat="")), "read over SSH"),
        (replace(VERB, cargo=replace(CARGO, adapter="pvscsi")), "adapter"),
        (replace(VERB, verify="full"), "checksum"),
        (replace(VERB, readable=True), "readable"),
        (replace(VERB, cargo=replace(CARGO, folder="/vmfs/volumes/a[b/img")), "bracket"),
    ],
)
def test_what_ssh_does_better_is_left_to_it(verb: CloneDisk, why: str) -> None:
    assert why in (SdkHands(volumes(), ESXI67, Work(print, bool, print, Path("x"))).cannot(verb) or "")


@pytest.mark.parametrize(
    ("breaks", "why"),
    [
        (lambda fake, at: fake.tree.pop(at(".vmdk")), "no descriptor"),
        (lambda fake, at: fake.tree.update({at(".vmdk"): b"nothing"}), "not whole"),
        (lambda fake, at: fake.tree.update({at("-flat.vmdk"): Flat(GIB - 1)}), "full size"),
        (lambda fake, at: fake.tree.update({at("-flat.vmdk"): Flat(GIB + 1)}), "full size"),
        (lambda fake, at: fake.tree.pop(at("-flat.vmdk")), "full size"),
        (lambda fake, at: fake.tree.update({("repo", "lib/img/img-flat.vmdk"): Flat(1)}), "has changed"),
        (
            lambda fake, at: fake.tree.update(
                {at(".vmdk"): fake.tree[at(".vmdk")].replace(b"-flat", b"-s001")}
            ),
            "alone",
        ),
    ],
)
def test_a_copy_that_is_not_whole_gets_no_name(breaks: Callable[..., Any], why: str) -> None:
    fake = volumes()

    def at(ending: str) -> tuple[str, str]:
        return next(place for place in fake.tree if place[0] == "ds" and place[1].endswith(f"/img{ending}"))

    fake.after_copy = lambda: breaks(fake, at)
    answer = do(fake)
    assert not answer.ok
    assert why in answer.said
    assert on(fake) == set()


def test_another_capacity_or_adapter_is_no_copy() -> None:
    fake = volumes()
    fake.capacity = GIB // 2
    assert "bytes for a guest" in do(fake).said
    fake = volumes()
    fake.adapter = "buslogic"
    assert "adapter" in do(fake).said
    assert on(fake) == set()
