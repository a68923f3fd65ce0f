"""Each question goes to whoever can answer it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from reconciler.eyes import Answers, PassEyes, datastore_at, volume_key
from reconciler.facts import Datastore, Datastores, Facts, NfsSource, Question, Unseen
from reconciler.image_facts import DisksInUse, DiskUse, Filled, ImageFolder, InUse, Library, VolumeUse
from reconciler.placement_facts import Inventory, Tree

DS = Datastore("ds 1", "VMFS-6", True, id="5f-1")
USE = DiskUse("5f-1", "a/a.vmdk", "virtual machine 'v'")


class Eyes:
    """Answers everything with the same, and notes what it was asked."""

    def __init__(self, answers: dict[Question[Any], Any]) -> None:
        self.answers, self.asked = answers, []  # type: tuple[dict[Question[Any], Any], list[Any]]

    def look(self, questions: Collection[Question[Any]], known: Facts | None = None) -> Answers:
        self.asked.append(set(questions))
        return {question: self.answers[question] for question in questions if question in self.answers}


def eyes(shell: Eyes, here: Eyes, said: list[Any]) -> PassEyes:
    def others(datastore: Datastore, own: Any) -> InUse | Unseen:
        said.append((datastore, own))
        return InUse((USE,))

    return PassEyes(shell, here, others, lambda volume: "img" if volume == "5f-1" else None)


def test_what_is_here_is_not_asked_of_the_host() -> None:
    mine, theirs = ImageFolder("/repo", "a", "a", here=True), ImageFolder("/vmfs/volumes/ds 1", "a", "a")
    shell, here = Eyes({theirs: None}), Eyes({mine: None, Library("/repo", here=True): ("a",)})
    answers = eyes(shell, here, []).look({mine, theirs, Library("/repo", here=True)}, Facts())
    assert shell.asked == [{theirs}]
    assert here.asked == [{mine, Library("/repo", here=True)}]
    assert set(answers) == {mine, theirs, Library("/repo", here=True)}


def test_a_volume_s_use_is_this_host_s_and_that_of_others() -> None:
    shell, said = Eyes({DisksInUse(): (USE,)}), []  # type: tuple[Eyes, list[Any]]
    known = Facts({Datastores(): (DS,)})
    answers = eyes(shell, Eyes({}), said).look({VolumeUse("/vmfs/volumes/ds 1")}, known)
    assert shell.asked == [{DisksInUse()}]
    assert said == [(DS, (USE,))]
    assert answers[VolumeUse("/vmfs/volumes/ds 1")] == InUse((USE,))


def test_the_host_s_own_second_mount_of_an_export_counts() -> None:
    by_address = Datastore("a", "NFS", True, NfsSource("10.0.0.1", "/images"), id="95e3-1")
    by_name = Datastore("b", "NFS", True, NfsSource("filer", "/images/"), id="77aa-2")
    use = DiskUse("77aa-2", "a/a.vmdk", "virtual machine 'v'")
    for own in ((use,), Unseen("a machine can't be read")):
        said: list[Any] = []
        shell = Eyes({DisksInUse(): own})
        eyes(shell, Eyes({}), said).look(
            {VolumeUse("/vmfs/volumes/a")}, Facts({Datastores(): (by_address, by_name)})
        )
        ((datastore, told),) = said
        assert datastore == by_address
        assert told == (own if isinstance(own, Unseen) else (replace(use, volume="95e3-1"),))


def test_what_filled_a_volume_needs_no_trip() -> None:
    shell = Eyes({})
    known = Facts({Datastores(): (DS,)})
    answers = eyes(shell, Eyes({}), []).look({Filled("/vmfs/volumes/5f-1")}, known)
    assert shell.asked == []
    assert answers == {Filled("/vmfs/volumes/5f-1"): "img"}


def test_a_volume_that_can_not_be_seen_has_no_answer() -> None:
    question = Filled("/vmfs/volumes/other")
    answers = eyes(Eyes({}), Eyes({}), []).look({question}, Facts({Datastores(): (DS,)}))
    assert answers == {question: Unseen("there is no datastore 'other'")}
    assert datastore_at("/vmfs/volumes/x", Facts({Datastores(): Unseen("away")})) == Unseen("away")


def test_a_name_goes_before_an_id_and_a_key_is_the_id_where_there_is_one() -> None:
    odd = Datastore("5f-1", "NFS", True)
    seen = Facts({Datastores(): (DS, odd)})
    assert datastore_at("/vmfs/volumes/5f-1", seen) == odd
    assert (volume_key(DS), volume_key(odd)) == ("5f-1", "5f-1")


def test_the_inventory_is_asked_of_the_vcenter_and_not_of_the_host() -> None:
    shell = Eyes({})
    inventory = Tree(addresses=("10.0.0.1",))
    asking = PassEyes(
        shell, Eyes({}), lambda datastore, own: Unseen(""), lambda volume: None, lambda: inventory
    )
    assert asking.look({Inventory()}, Facts()) == {Inventory(): inventory}
    alone = PassEyes(shell, Eyes({}), lambda datastore, own: Unseen(""), lambda volume: None)
    assert alone.look({Inventory()}, Facts())[Inventory()] == Unseen("there is no vCenter")
