"""Whatever the names are: what the rules of the layouts print is read back, and a strange text is refused.

The renderers here follow the field guide's rules for each layout (widths, gaps, justification), on their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.facts import Machine, PortGroup
from reconciler.faults import Unsupported
from reconciler.observers.ssh import esxcfg, esxcli, files, identity, machines, services, vimdump
from reconciler.observers.ssh.errors import Unreadable
from reconciler.transports import hostd

# Printable, with what names really hold: blanks, brackets, quotes, colons, letters of other scripts.
LETTERS = st.one_of(
    st.sampled_from("ab1 []()+-:,.\"'%<&="), st.characters(exclude_categories=["C", "Z"]), st.just("\udce9")
)
NAMES = st.text(LETTERS, min_size=1, max_size=30).map(lambda name: name.strip(" ")).filter(bool)
PLAIN_NAMES = (
    st.text("ab1 []()+-:,.é", min_size=1, max_size=30).map(lambda it: " ".join(it.split())).filter(bool)
)
COUNTS = st.integers(0, 4095)


def columns(rows: Sequence[Sequence[str]], right: set[int], width: Callable[[str], int]) -> str:
    """esxcli's table: two blanks between columns, as wide as the longest cell, numbers to the right."""
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(row: Sequence[str]) -> str:
        pads = [" " * (widths[i] - width(cell)) for i, cell in enumerate(row)]
        cells = [
            pad + cell if i in right else cell + pad
            for i, (cell, pad) in enumerate(zip(row, pads, strict=True))
        ]
        return "  ".join(cells).rstrip(" ")

    dashes = "  ".join("-" * size for size in widths)
    return "\n".join([line(rows[0]), dashes, *map(line, rows[1:]), ""])


def bytes_of(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("width", [len, bytes_of])
@given(groups=st.lists(st.tuples(NAMES, NAMES, COUNTS, COUNTS), min_size=1, max_size=5))
@example(groups=[("Test  [Test] (1)", "vSwitch0", 0, 4095)])
@example(groups=[("ééééé", "a", 1, 0), ("a", "b", 1, 0)])
def test_a_table_is_read_back(width: Callable[[str], int], groups: list[tuple[str, str, int, int]]) -> None:
    rows = [["Name", "Virtual Switch", "Active Clients", "VLAN ID"]]
    rows += [[name, switch, str(clients), str(vlan)] for name, switch, clients, vlan in groups]
    text = columns(rows, {2, 3}, width)
    try:
        assert esxcli.port_groups(text) == [PortGroup(n, s, vlan, clients) for n, s, clients, vlan in groups]
    except Unreadable:
        # Whether columns are counted in letters or in bytes shows only sometimes; then a text is refused.
        assert not text.isascii()


@given(names=st.lists(NAMES, min_size=1, max_size=5))
@example(names=["a: b", "[x] (1)"])
@example(names=["a,", "<?xml"])
@example(names=["<?xml", "<output"])
def test_blocks_are_read_back(names: list[str]) -> None:
    blocks = [f"{name}\n   Name: {name}\n   Class: etherswitch\n   Uplinks: \n" for name in names]
    assert esxcli.vswitches("\n".join(blocks)) == names


@given(names=st.lists(NAMES, max_size=5))
@example(names=["]]> <b> & \udce9 "])
def test_xml_is_read_back(names: list[str]) -> None:
    fields = [
        f'<structure typeName="V"><field name="Name"><string>{escape(it)}</string></field></structure>'
        for it in names
    ]
    head = '<?xml version="1.0" encoding="utf-8"?>\n<output xmlns="http://www.vmware.com/Products/ESX/5.0/esxcli">\n'
    text = f'{head}<root><list type="structure">{"".join(fields)}</list></root></output>\n'
    assert esxcli.vswitches(text) == names


def dump(value: Any, comma: str, depth: int = 0) -> str:
    """VimDump; `comma` is what ends the line of a property."""
    indent, inner = "   " * depth, "   " * (depth + 1)
    if isinstance(value, dict):
        body = "".join(
            f"{inner}{key} = {dump(item, comma, depth + 1)}{comma}\n" for key, item in list(value.items())[1:]
        )
        return f"({value['_type']}) {{\n{body}{indent}}}"
    if isinstance(value, list):
        body = ",\n".join(inner + dump(item, comma, depth + 1) for item in value)
        return f"(x.Y) [\n{body}\n{indent}]" if value else "(x.Y) []"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return {True: "true", False: "false", None: "<unset>"}[value]


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties = st.dictionaries(st.sampled_from(["name", "url", "x1", "list"]), values, max_size=4)
    return properties.map(lambda found: {"_type": "vim.Some.Type", **found})


# Items of an array are of one kind, as its type says.
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | NAMES
    | st.just("")
    | st.lists(NAMES, max_size=3),
    lambda inner: st.lists(objects(inner), max_size=3) | objects(inner),
    max_leaves=12,
)


@pytest.mark.parametrize("comma", [",", ", "])
@given(value=objects(VALUES))
@example(
    value={"_type": "a.B", "name": 'he said "a",', "list": ['"', "]"], "x1": [{"_type": "c.D", "x1": 'x" '}]}
)
def test_a_dump_is_read_back(comma: str, value: dict[str, Any]) -> None:
    assert vimdump.parse("Heading:\n\n" + dump(value, comma) + "\n") == value


HEADER = ["Vmid", "Name", "File", "Guest OS", "Version", "Annotation"]


def all_machines(rows: Sequence[Sequence[str]], gap: str) -> str:
    """getallvms: from 5.0 three blanks, headers in the middle; on 4.x one blank, headers to the left."""
    widths = [max(len(row[i]) for row in [HEADER, *rows]) for i in range(6)]
    lefts = [
        (size - len(title)) // 2 if len(gap) > 1 else 0 for size, title in zip(widths, HEADER, strict=True)
    ]
    head = gap.join(
        (" " * left + title).ljust(size) for left, title, size in zip(lefts, HEADER, widths, strict=True)
    )
    lines = [gap.join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip(" ") for line in [head, *lines]) + "\n"


@given(names=st.lists(st.tuples(PLAIN_NAMES, PLAIN_NAMES, PLAIN_NAMES), max_size=5), notes=NAMES)
@example(
    names=[("Test Test [Test] [Test]", "ds (1)", "Test [old] x")], notes="see [ds] a/a.vmx otherGuest vmx-08"
)
def test_machines_are_read_back(names: list[tuple[str, str, str]], notes: str) -> None:
    assume(all("] " not in store for _, store, _ in names))
    wanted = [Machine(name, store, f"{folder}/{name}.vmx") for name, store, folder in names]
    rows = [
        [str(i), it.name, f"[{it.datastore}] {it.path}", "x", "vmx-08", notes] for i, it in enumerate(wanted)
    ]
    assert machines.getallvms(all_machines(rows, "   ")) == wanted
    # With one blank between columns, brackets may be read in several ways: the right one is among them.
    assert set(machines.getallvms(all_machines(rows, " "))) >= set(wanted)


@pytest.mark.parametrize("width", [40, 20])
@given(
    groups=st.lists(st.tuples(NAMES, COUNTS, COUNTS), max_size=5),
    uplinks=st.sampled_from(["", "vmnic0", "vmnic3,vmnic2"]),
)
@example(groups=[("net 5 0 1 vmnic0", 7, 2), ("PortGroup Name", 0, 0)], uplinks="")
def test_switches_are_read_back(width: int, groups: list[tuple[str, int, int]], uplinks: str) -> None:
    lines = [
        "Switch Name      Num Ports   Used Ports  Configured Ports  MTU     Uplinks",
        f"{'a switch of mine':<16} {6690:<11} {5:<11} {128:<17} {1500:<7} {uplinks}".rstrip(),
        "",
        f"  {'PortGroup Name':<{width}}  VLAN ID  Used Ports  Uplinks",
        *(f"  {name:<{width}}  {vlan:<7}  {used:<10}  {uplinks}".rstrip() for name, vlan, used in groups),
        "",
    ]
    network = esxcfg.vswitch_list("\n".join(lines))
    assert network.vswitches == ("a switch of mine",)
    assert list(network.port_groups) == [
        PortGroup(name, "a switch of mine", vlan, used) for name, vlan, used in groups
    ]


@given(
    name=NAMES.filter(lambda it: "/" not in it), share=NAMES, server=NAMES.filter(lambda it: " " not in it)
)
@example(name="this is it", share="a from b is c mounted", server="mounted")
def test_nfs_mounts_are_read_back(name: str, share: str, server: str) -> None:
    for mounted in ("", " mounted"):
        found = esxcfg.nas_list(f"{name} is /{share} from {server}{mounted}\n")
        assert [
            (it.name, it.nfs and it.nfs.path, it.nfs and it.nfs.server, it.accessible) for it in found
        ] == [(name, f"/{share}", server, bool(mounted))]


PIECES = [
    '<?xml version="1.0"?>',
    '<output xmlns="http://www.vmware.com/Products/ESX/5.0/esxcli">',
    "<root>",
    "<list>",
    '<field name="A">',
    "<structure>",
    "</root>",
    "</output>",
    "<![CDATA[",
    "Name  B\n----  -\n",
    "a   ",
    "   A: b\n",
    "A,B,\n",
    '"x,",',
    "(a.B) {\n",
    "(a.B) [\n",
    "x = ",
    '"',
    "'",
    ",",
    "\n",
    "}",
    "]",
    "(a) null",
    "<unset>",
    "-1",
    "Vmid Name File Guest OS Version Annotation\n",
    "1 ",
    "[ds] ",
    "[] /",
    "a.vmx",
    " g vmx-08",
    " is /",
    " from ",
    "SSH ",
    "on",
    "Switch Name Num Ports Used Ports Configured Ports MTU Uplinks\n",
    "PortGroup Name VLAN ID Used Ports Uplinks\n",
    "VMware ESXi 6.7.0 build-",
    "drwxr-xr-x ",
    "Value of A is ",
    "9" * 5000,
    "\udc80",
    "\0",
    "٣",
    "\x85",
    "é",
]
TEXTS = st.one_of(
    st.text(),
    st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")),
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
)
PARSERS: list[Callable[[str], object]] = [
    esxcli.records,
    esxcli.nfs3,
    esxcli.nfs41,
    esxcli.filesystems,
    esxcli.port_groups,
    esxcli.vswitches,
    esxcli.running_machines,
    esxcli.advanced_int,
    esxcfg.nas_list,
    esxcfg.vswitch_list,
    machines.getallvms,
    machines.config_file,
    vimdump.parse,
    vimdump.fault,
    vimdump.datastore_summaries,
    identity.product,
    services.chkconfig,
    hostd.restarting,
    lambda text: services.running(0, text),
    lambda text: services.running(1, text),
    lambda text: files.listed(0, text, ""),
    lambda text: files.listed(1, "", text),
]


@given(text=TEXTS)
@example(text="(a.B) [\n" * 5000)
@example(text='<output xmlns="http://www.vmware.com/Products/ESX/5.0/esxcli"><root><list>' + "<a>" * 5000)
def test_a_strange_text_is_refused_and_nothing_else_happens(text: str) -> None:
    for parser in PARSERS:
        try:
            parser(text)
        except (Unreadable, Unsupported):
            continue
