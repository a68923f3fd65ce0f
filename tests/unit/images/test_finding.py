"""Which master images an import finds on a virtual disk path."""

from __future__ import annotations

from typing import Any

from reconciler.facts import Datastore, Datastores, Facts, Question, Unseen
from reconciler.image_facts import ImageFolder, ImageState, Library
from reconciler.kinds.images.finding import asks, found
from reconciler.kinds.images.wish import ImagesWish
from reconciler.kinds.model import Found
from tests.unit.images.worlds import DISK, whole

WISH = ImagesWish.model_validate({"virtualDisk": {"path": "datastore1"}})
THERE: dict[Question[Any], Any] = {Datastores(): (Datastore("datastore1", "VMFS-6", True, id="1"),)}


def facts(**folders: ImageState | Unseen | None) -> Facts:
    answers: dict[Question[Any], Any] = {**THERE, Library(DISK): tuple(folders)}
    return Facts(answers | {ImageFolder(DISK, name, name): state for name, state in folders.items()})


def image(name: str, **told: Any) -> Found:
    return Found(f"image/{name}", ("images", name), **told)


def test_without_a_virtual_disk_path_nobody_looks() -> None:
    assert list(asks(ImagesWish(), Facts())) == []
    assert list(found(ImagesWish(), Facts())) == []


def test_it_is_asked_step_by_step() -> None:
    assert list(asks(WISH, Facts())) == [Datastores()]
    assert list(asks(WISH, Facts(THERE))) == [Datastores(), Library(DISK)]
    folders = facts(a=whole(), _delete_b=None, c_2gbsparse=None)
    assert list(asks(WISH, folders)) == [Datastores(), Library(DISK), ImageFolder(DISK, "a", "a")]


def test_whole_images_are_found_and_the_others_named_with_the_reason() -> None:
    seen = facts(
        whole=whole(),
        broken=ImageState(False, "an extent is missing", disk_file="broken.vmdk"),
        sparse=ImageState(True, form="twoGbMaxExtentSparse", disk_file="sparse.vmdk"),
        machine=ImageState(True, runnable=True, disk_file="machine.vmdk", machines=("machine.vmx",)),
        iso=ImageState(False, "there is no descriptor"),
        hidden=Unseen("no answer"),
        gone=None,
    )
    assert list(found(WISH, seen)) == [
        image("broken", why="an extent is missing"),
        image("hidden", why="no answer"),
        image(
            "machine", why="a virtual machine lives in its folder (machine.vmx), so it may be no master image"
        ),
        image("sparse", why="it has the form twoGbMaxExtentSparse, which ESXi can't run"),
        image("whole", value={}),
    ]


def test_a_path_that_can_not_be_seen() -> None:
    nothing = Facts({Datastores(): ()})
    away = Facts({Datastores(): (Datastore("datastore1", "VMFS-6", False),)})
    unseen = Facts({**THERE, Library(DISK): Unseen("no answer")})
    assert [it.why for it in found(WISH, nothing)] == [
        "it is looked at once the datastore datastore1 is there"
    ]
    assert [it.why for it in found(WISH, away)] == ["the datastore datastore1 is not accessible"]
    assert [it.why for it in found(WISH, unseen)] == ["no answer"]
    assert list(asks(WISH, away)) == [Datastores()]


def test_a_folder_that_is_not_there_holds_no_image() -> None:
    assert list(found(WISH, Facts({**THERE, Library(DISK): None}))) == []
