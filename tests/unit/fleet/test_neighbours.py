"""Before something is taken from a volume every host that mounts it is asked; who can't be asked may use anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.facts import Datastore, Datastores, Facts, NfsSource, Question, Unseen
from reconciler.faults import LoginRefused, Unreachable
from reconciler.image_facts import DisksInUse, DiskUse, InUse
from reconciler.neighbours import Neighbours

VMFS = Datastore("datastore1", "VMFS-6", True, id="5f-1")
NFS = Datastore("images", "NFS", True, NfsSource("10.0.0.1", "/images"), id="95e3-1")
VM9 = DiskUse("95e3-1", "win/win.vmdk", "virtual machine 'vm9'", running=True)


class Host:
    """A host of the specs, and what it shows when it is asked."""

    def __init__(self, name: str, *, mode: str = "enforce", path: str | None = None, **more: Any) -> None:
        self.name, self.mode = name, mode
        disk = SimpleNamespace(path=path, mode=more.get("disk", "shared")) if path else None
        self.spec = SimpleNamespace(virtual_disk=disk, images=more.get("images"))
        self.spec.datastores = more.get("datastores")
        self.mounts: Any = more.get("mounts", (NFS,))
        self.uses: Any = more.get("uses", ())
        self.trouble: Exception | None = more.get("trouble")
        self.opened = self.looks = self.closed = 0
        self.drop_once = False

    @property
    def eyes(self) -> Host:
        return self

    def look(self, questions: Collection[Question[Any]], known: Facts) -> Mapping[Question[Any], Any]:
        self.looks += 1
        if self.drop_once:
            self.drop_once = False
            raise Unreachable(f"{self.name}: the connection was cut", next="")
        answers = {Datastores(): self.mounts, DisksInUse(): self.uses}
        return {question: answers[question] for question in questions}

    def close(self) -> None:
        self.closed += 1


def opener(host: Any) -> Any:
    host.opened += 1
    if host.trouble is not None:
        raise host.trouble
    return host


def asked(asking: Host, *others: Host, datastore: Datastore = NFS, own: Any = ()) -> InUse | Unseen:
    return Neighbours([asking, *others], opener).use(asking, datastore, own)  # type: ignore[list-item, arg-type]


def test_what_other_hosts_use_on_the_volume_is_told_with_their_names() -> None:
    elsewhere = DiskUse("5f-9", "win/win.vmdk", "virtual machine 'vm1'")
    answer = asked(Host("a"), Host("b", uses=(VM9, elsewhere)))
    assert answer == InUse((DiskUse("95e3-1", "win/win.vmdk", "virtual machine 'vm9' on b", running=True),))


def test_another_name_of_the_same_volume_is_the_same_volume() -> None:
    other = Datastore("repo", "NFS", True, NfsSource("10.0.0.1", "/images"), id="95e3-1")
    by_name = DiskUse("repo", "win/win.vmdk", "virtual machine 'vm9'")
    answer = asked(Host("a"), Host("b", mounts=(VMFS, other), uses=(by_name,)))
    assert isinstance(answer, InUse)
    assert [use.who for use in answer.uses] == ["virtual machine 'vm9' on b"]


def test_a_use_that_could_be_on_any_volume_counts() -> None:
    lost = DiskUse(None, "win/win.vmdk", "virtual machine 'lost'")
    answer = asked(Host("a"), Host("b", uses=(lost,)), own=(lost,))
    assert isinstance(answer, InUse)
    assert [use.who for use in answer.uses] == ["virtual machine 'lost' on a", "virtual machine 'lost' on b"]


def test_a_host_that_does_not_mount_it_is_not_asked_for_more() -> None:
    host = Host("b", mounts=(VMFS,), uses=Unseen("never asked"))
    assert asked(Host("a"), host) == InUse()
    assert host.looks == 1


@pytest.mark.parametrize(
    ("host", "why"),
    [
        (Host("b", mode="paused"), "it is paused"),
        (Host("b", trouble=Unreachable("b: no answer", next="")), "no answer"),
        (Host("b", trouble=LoginRefused("b: refused", next="")), "refused"),
        (Host("b", trouble=RuntimeError("oops")), "oops"),
        (Host("b", mounts=Unseen("hostd is away")), "hostd is away"),
        (Host("b", mounts=(Datastore("x", "NFS", True),)), "does not tell which volumes"),
        (Host("b", uses=Unseen("a machine can't be read")), "a machine can't be read"),
    ],
    ids=lambda it: it.replace(" ", "-") if isinstance(it, str) else "",
)
def test_a_host_that_can_not_be_asked_may_use_anything(host: Host, why: str) -> None:
    answer = asked(Host("a"), host)
    assert isinstance(answer, InUse)
    assert len(answer.blind) == 1
    assert answer.blind[0].startswith("b can't be asked what it uses there: ")
    assert why in answer.blind[0]


def test_a_disk_that_the_spec_calls_dedicated_is_no_business_of_a_host_that_is_down() -> None:
    down = Unreachable("b: no answer", next="")
    own = Host("a", path="[datastore1] images", disk="dedicated")
    assert asked(own, Host("b", trouble=down, path="datastore1"), datastore=VMFS) == InUse()
    shared = Host("a", path="[datastore1] images")
    assert asked(shared, Host("b", trouble=down), datastore=VMFS) != InUse()
    by_id = Host("b", trouble=down, path="/vmfs/volumes/5f-1")
    assert asked(own, by_id, datastore=VMFS) != InUse()


def test_every_spec_speaks_for_the_images_that_it_wants_there() -> None:
    wishes = {"win": object(), "old": "absent"}
    answer = asked(
        Host("a"), Host("b", path="[images] sub", images=wishes), Host("c", path="[ds] x", images=wishes)
    )
    wanted = DiskUse("95e3-1", "sub/win/win.vmdk", "the spec of b, which wants it", wished=True)
    assert answer == InUse((wanted,))


def test_a_spec_speaks_for_its_images_where_they_are_to_be_mounted_again() -> None:
    again = {"masters": SimpleNamespace(nfs=SimpleNamespace(path="/images/"))}
    wishes = {"vmwarewinxp-verylongprettyname1234-v10": object()}
    for trouble, mounts in ((None, (VMFS,)), (Unreachable("b: no answer", next=""), ())):
        host = Host("b", path="masters", images=wishes, mounts=mounts, trouble=trouble, datastores=again)
        answer = asked(Host("a"), host)
        assert isinstance(answer, InUse)
        assert [it.path.partition("/")[0] for it in answer.uses] == [
            "vmwarewinxp-verylongprettyname1234-v10",
            "vmwarewinxp-verylongp1234-v10",
        ]


def test_a_spec_speaks_for_the_images_in_its_repository_too() -> None:
    host = Host("b", path="datastore1", images={"win": object()}, mounts=(VMFS, NFS))
    host.spec.repository = SimpleNamespace(path="/vmfs/volumes/images/kept")
    answer = asked(Host("a"), host)
    assert isinstance(answer, InUse)
    assert [it.path for it in answer.uses] == ["kept/win/win.vmdk"]
    host.spec.repository = SimpleNamespace(path="/srv/images")
    assert asked(Host("a"), host) == InUse()


def test_a_local_disk_of_the_same_name_is_another_disk() -> None:
    host = Host("b", path="datastore1", images={"win": object()}, mounts=(replace(VMFS, id="5f-2"),))
    assert asked(Host("a"), host, datastore=VMFS) == InUse()


def test_an_export_under_another_name_of_its_server_may_be_the_same() -> None:
    """ESXi makes the id of an NFS volume of the server as it was spelled."""
    spelled = Datastore("repo", "NFS", True, NfsSource("filer.example.org", "/images/"), id="77aa-2")
    host = Host("b", mounts=(spelled,), uses=(DiskUse("77aa-2", "win/win.vmdk", "virtual machine 'vm9'"),))
    answer = asked(Host("a"), host)
    assert isinstance(answer, InUse)
    assert [it.who for it in answer.uses] == ["virtual machine 'vm9' on b"]


def test_what_the_host_itself_can_not_tell_is_not_known() -> None:
    assert asked(Host("a"), own=Unseen("away")) == Unseen("away")
    nameless = Datastore("images", "NFS", True)
    assert asked(Host("a"), datastore=nameless) == Unseen("the host does not tell which volume images is")


def test_a_connection_is_kept_and_opened_anew_once_when_it_broke() -> None:
    one, other = Host("a"), Host("b", uses=(VM9,))
    neighbours = Neighbours([one, other], opener)  # type: ignore[list-item]
    neighbours.use(one, NFS, ())  # type: ignore[arg-type]
    other.drop_once = True
    answer = neighbours.use(one, NFS, ())  # type: ignore[arg-type]
    assert isinstance(answer, InUse)
    assert (len(answer.uses), answer.blind, other.opened) == (1, (), 2)
    neighbours.close()
    assert other.closed == 2


def test_a_loop_gives_connections_back_after_each_question() -> None:
    one, other = Host("a"), Host("b", uses=(VM9,))
    neighbours = Neighbours([one, other], opener, hold=False)  # type: ignore[list-item]
    for number in (1, 2):
        neighbours.use(one, NFS, ())  # type: ignore[arg-type]
        assert other.opened == other.closed == number + 1, "what it mounts is asked once in a minute"


def test_a_loop_knows_new_hosts_and_forgets_those_that_left() -> None:
    one, other, third = Host("a"), Host("b", uses=(VM9,)), Host("c", uses=(VM9,))
    neighbours = Neighbours([one, other], opener, hold=False)  # type: ignore[list-item]
    neighbours.use(one, NFS, ())  # type: ignore[arg-type]
    asked_before = other.looks
    neighbours.know([one, other, third])  # type: ignore[list-item]
    answer = neighbours.use(one, NFS, ())  # type: ignore[arg-type]
    assert isinstance(answer, InUse)
    assert [it.who[-4:] for it in answer.uses] == ["on b", "on c"]
    assert other.looks == asked_before + 1, "what it mounts is remembered"
    neighbours.know([one, third])  # type: ignore[list-item]
    answer = neighbours.use(one, NFS, ())  # type: ignore[arg-type]
    assert isinstance(answer, InUse)
    assert [it.who[-4:] for it in answer.uses] == ["on c"]


def test_a_host_in_trouble_is_not_tried_for_every_neighbour() -> None:
    one, other = Host("a"), Host("b", trouble=LoginRefused("b: refused", next=""))
    neighbours = Neighbours([one, other], opener)  # type: ignore[list-item]
    for _ in range(3):
        answer = neighbours.use(one, NFS, ())  # type: ignore[arg-type]
        assert isinstance(answer, InUse)
        assert len(answer.blind) == 1
    assert other.opened == 1
