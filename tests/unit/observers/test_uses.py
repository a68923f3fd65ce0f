"""Who uses which disk: all that a host tells is put together, and what it can't tell is never left out in silence."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.image_facts import DiskUse
from reconciler.observers.ssh import uses
from reconciler.observers.ssh.errors import Away, Unreadable
from reconciler.transports.shell import Piece
from tests.unit.observers.printed import (
    BUSY,
    HOSTD_DOWN,
    filesystems,
    framed,
    layout,
    piece,
    processes,
    rows,
    summaries,
)

VOLUMES = [
    ("5f-1", "datastore1", "VMFS-6"),
    ("95e3", "images", "NFS"),
    ("b1", "", "vfat"),
    ("b2", "OSDATA", "VMFSOS"),
]
CHAIN = ["[images] win/win.vmdk", "[datastore1] vm9/win-000001.vmdk"]
CONFIG = "[datastore1] vm9/vm9.vmx"
RUNNING = "/vmfs/volumes/5f-1/vm9/vm9.vmx"
VM9 = "virtual machine 'vm9' (registered)"
EMPTY = framed("V", "5f-1", "", "V", "95e3", "")
DELTA = 'parentFileNameHint="/vmfs/volumes/95e3/win/win.vmdk"'


def look(
    *,
    layouts: Sequence[str] = (),
    running: Sequence[str] = (),
    searched: bytes = EMPTY,
    volumes: str | None = None,
) -> tuple[DiskUse, ...]:
    """A host of 5.0 or later with machine 9, or with none."""
    listing = rows([(9, "vm9", CONFIG)] if layouts else [])
    numbered = [part for text in layouts for part in (9, text)]
    return uses.disks_in_use(
        [
            piece(framed(0, listing, *numbered)),
            piece(processes(running).encode()),
            piece(framed(0, filesystems(VOLUMES) if volumes is None else volumes) + searched),
        ]
    )


def found(*files: str | bytes, volume: str = "5f-1") -> bytes:
    other = "95e3" if volume == "5f-1" else "5f-1"
    return framed("V", other, "", "V", volume, "", *files)


def use(volume: str | None, path: str, who: str, *, running: bool = False, writes: bool = False) -> DiskUse:
    return DiskUse(volume, path, who, running, writes)


def test_a_registered_machine_uses_its_whole_chain() -> None:
    snapshot = "[datastore1] vm9/vm9-Snapshot1.vmsn"
    assert look(layouts=[layout(CONFIG, [CHAIN], [snapshot, CHAIN[0]])]) == (
        use("5f-1", "vm9/vm9.vmx", VM9),
        use("95e3", "win/win.vmdk", VM9),
        use("5f-1", "vm9/win-000001.vmdk", VM9, writes=True),
        use("5f-1", "vm9/vm9-Snapshot1.vmsn", VM9),
    )


def test_a_running_machine_says_so_on_all_of_it() -> None:
    seen = look(layouts=[layout(CONFIG, [CHAIN])], running=[RUNNING])
    assert [(it.path, it.running, it.writes) for it in seen] == [
        ("vm9/vm9.vmx", True, False),
        ("win/win.vmdk", True, False),
        ("vm9/win-000001.vmdk", True, True),
    ]


def test_a_machine_whose_writes_go_elsewhere_does_not_write_into_its_disk() -> None:
    vmx = (
        b'scsi0:0.fileName = "/vmfs/volumes/95e3/win/win.vmdk"\nscsi0:0.mode = "independent-nonpersistent"\n'
    )
    seen = look(
        layouts=[layout(CONFIG, [CHAIN[:1]])], running=[RUNNING], searched=found("F", "./vm9/vm9.vmx", vmx)
    )
    assert use("95e3", "win/win.vmdk", VM9, running=True) in seen
    assert not any(it.writes for it in seen)


def test_disks_on_a_volume_that_is_not_there_may_be_anywhere() -> None:
    seen = look(layouts=[layout(CONFIG, [["[lost] win/win.vmdk", CHAIN[1]]])])
    assert use(None, "[lost] win/win.vmdk", VM9) in seen


def test_an_unregistered_machine_uses_what_its_configuration_names() -> None:
    vmx = 'scsi0:0.fileName = "/vmfs/volumes/images/win/win.vmdk"\nscsi0:1.fileName = "own.vmdk"\n'
    searched = found("F", "./old/old.vmx", vmx, "F", "./t/t.vmtx", 'scsi0:0.fileName = "t.vmdk"')
    assert look(searched=searched) == (
        use("95e3", "win/win.vmdk", "the unregistered machine [datastore1] old/old.vmx", writes=True),
        use("5f-1", "old/own.vmdk", "the unregistered machine [datastore1] old/old.vmx", writes=True),
        use("5f-1", "t/t.vmdk", "the unregistered machine [datastore1] t/t.vmtx", writes=True),
    )
    seen = look(searched=searched, running=["/vmfs/volumes/datastore1/old/old.vmx"])
    assert [it.running for it in seen] == [True, True, False]


def test_deltas_and_redo_logs_use_their_parents() -> None:
    searched = found(
        "F", "./a/a-000001.vmdk", 'parentFileNameHint="a.vmdk"',
        "F", "./a/win.vmdk.REDO_x", DELTA,
        "F", "./a/none.vmdk", "parentFileNameHint is not said",
        volume="95e3",
    )  # fmt: skip
    assert look(searched=searched) == (
        use("95e3", "a/a.vmdk", "the delta [images] a/a-000001.vmdk"),
        use("95e3", "win/win.vmdk", "the delta [images] a/win.vmdk.REDO_x"),
    )


def test_a_delta_of_a_registered_machine_is_not_told_twice() -> None:
    chain = [layout(CONFIG, [CHAIN])]
    delta = found("F", "./vm9/win-000001.vmdk", DELTA)
    assert look(layouts=chain, searched=delta) == look(layouts=chain)
    other = found("F", "./vm9/win-000001.vmdk", 'parentFileNameHint="/vmfs/volumes/95e3/xp/xp.vmdk"')
    assert use("95e3", "xp/xp.vmdk", "the delta [datastore1] vm9/win-000001.vmdk") in look(
        layouts=chain, searched=other
    )


def test_a_file_that_a_machine_elsewhere_holds_is_in_use_itself() -> None:
    searched = found("E", "./vm5/vm5.vmx", BUSY, "E", "./vm9/win-000001.vmdk", BUSY)
    locked = "the locked file [datastore1] vm5/vm5.vmx"
    assert use("5f-1", "vm5/vm5.vmx", locked, running=True, writes=True) in look(searched=searched)
    seen = look(searched=searched, layouts=[layout(CONFIG, [CHAIN])])
    assert [it.who for it in seen if it.who != VM9] == [locked]


@pytest.mark.parametrize("outside", [[], ["/var/run/crx/infra/vCLS/vCLS.vmx"]])
def test_machines_of_the_system_have_no_disks_of_ours(outside: list[str]) -> None:
    assert look(running=outside) == ()


@pytest.mark.parametrize(
    ("searched", "why"),
    [
        (framed("V", "5f-1", ""), "not searched for virtual machines: '95e3'"),
        (b"", "not searched for virtual machines: '5f-1, 95e3'"),
        (
            framed(
                "V", "5f-1", "find: ./a: Permission denied\nfind: ./b: Input/output error", "V", "95e3", ""
            ),
            "5f-1 could not be searched.*Input/output",
        ),
        (
            found("E", "./a/a.vmx", "dd: ./a/a.vmx: No such file or directory"),
            "'a/a.vmx' .* could not be read",
        ),
        (found("E", "./a\nb", "a line end in a name"), "a line end in a name"),
        (found("F", "./a/a.vmx", b"x" * 65537), "too long"),
        (EMPTY[:-1], "ends too early"),
    ],
)
def test_what_could_not_be_searched_makes_all_unknown(searched: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        look(searched=searched)


def test_a_machine_that_runs_from_nowhere_makes_all_unknown() -> None:
    with pytest.raises(Unreadable, match=r"can't be found out: '\[images\] x/x.vmx'"):
        look(running=["/vmfs/volumes/95e3/x/x.vmx"])


def test_volumes_that_can_not_be_listed_make_all_unknown() -> None:
    head = [piece(framed(0, rows([]))), piece(processes([]).encode())]
    with pytest.raises(Unreadable, match="volumes could not be listed: 'sh: esxcli: not found'"):
        uses.disks_in_use([*head, piece(framed(127, ""), err=b"sh: esxcli: not found\n")])
    with pytest.raises(Away):
        uses.disks_in_use([*head, piece(framed(1, HOSTD_DOWN))])
    with pytest.raises(Unreadable, match="exit status 1"):
        uses.disks_in_use([head[0], piece(status=1), piece(framed(0, filesystems(VOLUMES)) + EMPTY)])


# -- 4.x -------------------------------------------------------------------------------------------------------


def old_pieces(state: str, searched: bytes = EMPTY, images: str | None = "95e3") -> list[Piece]:
    volumes = summaries([("5f-1", "datastore1", True), (images, "images", True), ("77", "lost", False)])
    machine = framed(0, rows([(9, "vm9", CONFIG)]), 9, layout(CONFIG, [CHAIN], old=True), state)
    return [piece(machine), piece(framed(0, volumes) + searched)]


def test_on_4x_hostd_tells_which_machines_run() -> None:
    for state, running in (("Powered off\n", False), ("Powered on\n", True)):
        seen = uses.disks_in_use_4x(old_pieces(state))
        assert use("95e3", "win/win.vmdk", VM9, running=running) in seen


def test_on_4x_an_unregistered_machine_may_run() -> None:
    searched = found("F", "./old/old.vmx", 'scsi0:0.fileName = "/vmfs/volumes/95e3/win/win.vmdk"')
    who = "the unregistered machine [datastore1] old/old.vmx"
    seen = uses.disks_in_use_4x(old_pieces("Powered off\n", searched))
    assert use("95e3", "win/win.vmdk", who, running=True, writes=True) in seen


def test_on_4x_a_volume_without_a_place_makes_all_unknown() -> None:
    with pytest.raises(Unreadable, match="does not tell where it is: 'images'"):
        uses.disks_in_use_4x(old_pieces("Powered off\n", images=None))


# -- any world -------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["win", "a b", "[x] y", "$(x)", "'q'"])
PLACES = st.tuples(st.sampled_from(["5f-1", "95e3"]), NAMES)
STORES = {volume: name for volume, name, _ in VOLUMES}


@given(
    chain=st.lists(PLACES, min_size=1, max_size=3, unique=True),
    machines=st.dictionaries(PLACES, PLACES, max_size=3),
    deltas=st.dictionaries(PLACES, PLACES, max_size=3),
)
@example(chain=[("95e3", "win")], machines={("5f-1", "[x] y"): ("95e3", "$(x)")}, deltas={})
def test_nothing_that_is_referred_to_is_left_out(
    chain: list[tuple[str, str]],
    machines: dict[tuple[str, str], tuple[str, str]],
    deltas: dict[tuple[str, str], tuple[str, str]],
) -> None:
    """However it is written: by name, by id, or relative to the file that says it."""
    files: dict[str, list[str]] = {"5f-1": [], "95e3": []}
    for (volume, name), (on, target) in machines.items():
        hint = (
            f"../{target}/{target}.vmdk"
            if on == volume
            else f"/vmfs/volumes/{STORES[on]}/{target}/{target}.vmdk"
        )
        files[volume] += ["F", f"./{name}/{name}.vmx", f'scsi0:0.fileName = "{hint}"\n']
    for (volume, name), (on, target) in deltas.items():
        hint = f"/vmfs/volumes/{on}/{target}/{target}.vmdk"
        files[volume] += ["F", f"./{name}/{name}-000001.vmdk", f'parentFileNameHint="{hint}"\n']
    searched = b"".join(framed("V", volume, "", *parts) for volume, parts in files.items())
    listed = [f"[{STORES[volume]}] {name}/{name}.vmdk" for volume, name in chain]
    seen = {(it.volume, it.path) for it in look(layouts=[layout(CONFIG, [listed])], searched=searched)}
    for volume, name in [*chain, *machines.values(), *deltas.values()]:
        assert (volume, f"{name}/{name}.vmdk") in seen


@given(
    out=st.lists(st.sampled_from([b"\0", b"V\0", b"E\0", b"F\0", b"5f-1", b"95e3", b"x", b"./"])).map(
        b"".join
    )
)
@example(out=b"F\0./a.vmx\0x\0")
def test_a_strange_answer_is_refused_and_nothing_else_happens(out: bytes) -> None:
    try:
        look(searched=out)
    except Unreadable:
        return
