"""Whole chains of registered machines: what hostd lists is read back, and less than all of it is not taken for all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.observers.ssh.errors import Away, Unreadable
from reconciler.observers.ssh.registered import Registered, registered
from tests.unit.observers.printed import HOSTD_DOWN, NOT_FOUND, dump, framed, layout, rows

CAPTURES = Path(__file__).parents[2] / "cases" / "captures"
VM9 = (9, "vm9", "[ds] vm9/vm9.vmx")
CHAIN = ("[images] win/win.vmdk", "[ds] vm9/win-000001.vmdk")


def answer(*machines: tuple[int, str], listed: str | None = None) -> bytes:
    listing = rows([VM9]) if listed is None else listed
    return framed(0, listing, *(part for machine in machines for part in machine))


@pytest.mark.parametrize("old", [True, False], ids=["4.1 to 6.0", "7.0 and later"])
def test_a_chain_is_told_from_its_base_to_the_disk_that_is_written(old: bool) -> None:
    text = layout(VM9[2], [CHAIN], ["[ds] vm9/vm9-Snapshot1.vmsn", CHAIN[0]], old=old)
    (machine,) = registered(answer((9, text)), power=False)
    others = ("[ds] vm9/vm9-Snapshot1.vmsn", CHAIN[0])
    assert machine == Registered("vm9", VM9[2], (CHAIN,), others)


@pytest.mark.parametrize("old", [True, False], ids=["4.1 to 6.0", "7.0 and later"])
def test_a_captured_layout_is_read(old: bool) -> None:
    """The capture is what VCL made of it; the text around is inferred, by the grammar of VimDump."""
    capture = (CAPTURES / "vmsvc_get_filelayout_parsed.txt").read_text().replace('" =>', '":')
    parsed = json.loads(capture, object_hook=without_unset)
    text = "".join(dump(kind, fields, old=old) + "\n" for kind, fields in parsed.items())
    (machine,) = registered(answer((9, text)), power=False)
    master = "[datastore-compressed] vmwarewinxp-xpsp33868-v0/vmwarewinxp-xpsp33868-v0.vmdk"
    folder = "[blade1e1-10-vmpath] arkvmm160_3868-v0"
    assert machine.config == f"{folder}/arkvmm160_3868-v0.vmx"
    assert machine.chains == (
        (master, f"{folder}/vmwarewinxp-xpsp33868-v0-000001.vmdk"),
        (f"{folder}/arkvmm160_3868-v0.vmdk",),
    )
    assert machine.others == (f"{folder}/arkvmm160_3868-v0-Snapshot1.vmsn", master)


def without_unset(fields: dict[str, object]) -> dict[str, object]:
    return {name: None if it == "<unset>" else it for name, it in fields.items() if name != "dynamicType"}


@pytest.mark.parametrize(
    ("state", "running"),
    [
        ("Retrieved runtime info\nPowered off\n", False),
        ("Powered on", True),
        ("Suspended", True),
        ("?", True),
    ],
)
def test_a_machine_of_4x_may_run_unless_it_is_off(state: str, running: bool) -> None:
    out = framed(0, rows([VM9]), 9, layout(VM9[2], []), state)
    (machine,) = registered(out, power=True)
    assert machine.running is running


@pytest.mark.parametrize(
    "note", ["7 days of use\n", "7 days\nsee [ds] a/a.vmx g vmx-08\n", "7 see [ds] a/a.vmx\n"]
)
def test_a_number_in_an_annotation_is_no_machine(note: str) -> None:
    listing = rows([VM9]) + note
    (machine,) = registered(answer((9, layout(VM9[2], [])), (7, NOT_FOUND), listed=listing), power=False)
    assert (machine.name, machine.chains) == ("vm9", ())


def test_a_machine_that_hostd_knows_counts_whatever_the_list_looks_like() -> None:
    listing = rows([VM9]) + "12 odd row\n"
    other = layout("[ds] odd/odd.vmx", [CHAIN])
    found = registered(answer((9, layout(VM9[2], [])), (12, other), listed=listing), power=False)
    assert [(it.name, it.chains) for it in found] == [("vm9", ()), ("[ds] odd/odd.vmx", (CHAIN,))]


LAYOUT = layout(VM9[2], [CHAIN])


@pytest.mark.parametrize(
    ("out", "why"),
    [
        (answer((9, NOT_FOUND)), "'vm9' can't be listed"),
        (answer((9, '(vmodl.fault.SystemError) {\n   msg = "x"\n}\n')), "can't be listed"),
        (answer((9, "(vim.vm.FileInfo) null\n(vim.vm.FileLayout) null\n")), "no dump"),
        (answer((9, LAYOUT.partition("(vim.vm.FileLayout)")[0])), "does not tell its files"),
        (answer((9, LAYOUT.replace("vmPathName", "path"))), "does not tell its files"),
        (answer((9, LAYOUT.replace("diskFile", "file"))), "without diskFile"),
        (answer((9, layout(VM9[2], [()]))), "without diskFile"),
        (answer((9, LAYOUT.replace("disk = (x.Y) [", 'disk = (x.Y) [\n"x",'))), "something else than disks"),
        (answer(), "not asked for its disks: 'vm9'"),
        (answer((9, LAYOUT))[:-5], "ends too early"),
        (answer((9, LAYOUT), listed=rows([VM9]) + "Skipping invalid VM '12'\n"), "datastore may be lost"),
        (framed(1, "sh: vim-cmd: not found"), "could not be listed"),
        (framed(0, NOT_FOUND), "could not be listed"),
        (framed("x", ""), "no whole number"),
    ],
)
def test_less_than_all_is_not_taken_for_all(out: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        registered(out, power=False)


@pytest.mark.parametrize("out", [framed(1, HOSTD_DOWN), framed(0, HOSTD_DOWN), answer((9, HOSTD_DOWN))])
def test_hostd_that_is_coming_up_is_asked_again(out: bytes) -> None:
    with pytest.raises(Away):
        registered(out, power=False)


NAMES = st.text(st.sampled_from("ab1 []()+-:,.'é"), min_size=1, max_size=12).map(str.strip).filter(bool)
FILES = st.builds(lambda store, name: f"[{store}] {name}/{name}.vmdk", NAMES, NAMES)


@given(
    machines=st.dictionaries(
        st.integers(0, 999),
        st.tuples(st.lists(st.lists(FILES, min_size=1, max_size=3), max_size=3), st.lists(FILES, max_size=2)),
        max_size=4,
    ),
    old=st.booleans(),
)
@example(machines={1: ([['[a] "] x/"] x.vmdk']], [])}, old=False)
def test_layouts_are_read_back(machines: dict[int, tuple[list[list[str]], list[str]]], old: bool) -> None:
    listing = rows([(number, f"vm{number}", f"[ds] v/{number}.vmx") for number in machines])
    layouts = [
        (number, layout(f"[ds] v/{number}.vmx", chains, others, old=old))
        for number, (chains, others) in machines.items()
    ]
    assert registered(answer(*layouts, listed=listing), power=False) == [
        Registered(f"vm{number}", f"[ds] v/{number}.vmx", tuple(map(tuple, chains)), tuple(others))
        for number, (chains, others) in machines.items()
    ]


@pytest.mark.parametrize("row", ["7   ] a.vmx   g   vmx-08\n", "7   x   [] a.vmx   g   vmx-08\n"])
def test_a_row_that_names_nothing_has_to_be_asked_for(row: str) -> None:
    with pytest.raises(Unreadable, match="not asked for its disks"):
        registered(answer((9, LAYOUT), listed=rows([VM9]) + row), power=False)


PIECES = [
    b"\0",
    b"0\0",
    b"9\0",
    rows([VM9]).encode(),
    LAYOUT.encode(),
    NOT_FOUND.encode(),
    b"7 ] a.vmx g vmx-1\n",
]


@given(out=st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join), power=st.booleans())
@example(
    out=answer((9, LAYOUT), listed="Vmid Name File Guest OS Version Annotation\n1 ] a.vmx g vmx-1"),
    power=False,
)
def test_a_strange_answer_is_refused_and_nothing_else_happens(out: bytes, power: bool) -> None:
    try:
        registered(out, power=power)
    except Unreadable:
        return
