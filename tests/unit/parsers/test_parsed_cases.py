"""What each parser makes of real captures, and of texts composed by their rules. The cases are data."""

from __future__ import annotations

import importlib
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.facts import Datastore, NfsSource, Place
from reconciler.faults import Unsupported
from reconciler.observers.ssh import esxcli, files, identity
from reconciler.observers.ssh.errors import QUOTED, Unreadable

HERE = Path(__file__).parent
CAPTURES = HERE.parents[1] / "cases" / "captures"


def plain(value: Any) -> Any:
    """Dataclasses as dicts without what is at its default, tuples as lists, enums as their values."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: plain(item) for field, item in pairs if item != field.default}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value.value if isinstance(value, Enum) else value


def capture(name: str) -> str:
    return (CAPTURES / name).read_bytes().decode("utf-8", "surrogateescape")


def cases() -> list[Any]:
    found = [
        case
        for name in ("captures", "composed")
        for case in yaml.safe_load((HERE / f"{name}.yaml").read_text())
    ]
    return [
        pytest.param(case, id=f"{case['parser']}: {case.get('capture') or case['why']}") for case in found
    ]


def run(case: dict[str, Any]) -> Any:
    module, function = case["parser"].split(".")
    package = "transports" if module == "hostd" else "observers.ssh"
    parser = getattr(importlib.import_module(f"reconciler.{package}.{module}"), function)
    text = capture(case["capture"]) if "capture" in case else case["text"]
    status = [case["status"]] if "status" in case else []
    return parser(*status, text, *([case.get("err", "")] if module == "files" else []))


@pytest.mark.parametrize("case", cases())
def test_a_text_is_read_as_its_case_says(case: dict[str, Any]) -> None:
    if "unsupported" in case:
        with pytest.raises(Unsupported) as fault:
            run(case)
        assert case["unsupported"] in fault.value.message
    elif "refuses" in case:
        with pytest.raises(Unreadable) as refusal:
            run(case)
        assert case["refuses"] in str(refusal.value)
    else:
        assert plain(run(case)) == case["gives"]


@pytest.mark.parametrize(
    "line", [*capture("vmware_v_lines.txt").splitlines(), *capture("vmware_lv_pairs.txt").split("--\n")]
)
def test_every_captured_host_is_supported(line: str) -> None:
    product = identity.product(line)
    assert f"{product.name} {product.version_text} build-{product.build}" == line.splitlines()[0]


def test_every_capture_is_described_and_used() -> None:
    index = capture("INDEX.md")
    used = "".join(path.read_text() for path in HERE.parent.rglob("*") if path.suffix in (".py", ".yaml"))
    for path in CAPTURES.iterdir():
        assert path.name == "INDEX.md" or (f"| {path.name} |" in index and path.name in used)


@pytest.mark.parametrize("line", capture("ls_l_datastore.txt").splitlines())
def test_a_listing_tells_mode_and_mark(line: str) -> None:
    listing = files.listed(0, line, "")
    assert listing.mode == line[:10]
    assert listing.sticky == (line[9] == "t")
    assert listing.kind == {"d": "a folder", "l": "a link", "-": "a file"}[line[0]]


def test_a_listing_of_nothing_says_so() -> None:
    listing = files.listed(1, "", "ls: x: No such file or directory")
    assert (listing.kind, listing.sticky) == ("nothing", False)


def test_datastores_are_put_together_from_three_lists() -> None:
    source = NfsSource("filer", "/a")
    nfs = [Datastore("nfs", "NFS", True, source), Datastore("lost", "NFS", False, source)]
    volumes = [
        esxcli.Filesystem("nfs", "95e378c2-863dd2b4", "NFS", True),
        esxcli.Filesystem("late", "00000000-00000001", "NFS41", True),
        esxcli.Filesystem("lost", "4ee1d386-5b79612c", "VMFS-5", True),
        esxcli.Filesystem("local", "4ee1d386-965ba574", "VMFS-6", False),
        esxcli.Filesystem("", "63850576-c5821586", "vfat", True),
    ]
    assert esxcli.datastores(nfs, [], volumes) == (
        Datastore("nfs", "NFS", True, source, "95e378c2-863dd2b4"),
        Datastore("lost", "NFS", False, source),
        Datastore("late", "NFS41", True, id="00000000-00000001"),
        Datastore("lost", "VMFS-5", True, id="4ee1d386-5b79612c"),
        Datastore("local", "VMFS-6", False, id="4ee1d386-965ba574"),
    )


def test_a_name_that_is_no_utf_8_is_kept_in_xml_and_in_text() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    xml = (
        '<output xmlns="http://www.vmware.com/Products/ESX/5.0/esxcli"><root><list><structure>'
        f'<field name="Name"><string>{name}</string></field></structure></list></root></output>'
    )
    assert esxcli.vswitches(xml) == [name]
    assert esxcli.vswitches(f"{name}\n   Name: {name}\n") == [name]


def test_a_refusal_quotes_a_little_of_the_text() -> None:
    assert len(str(Unreadable("why", "x" * 5000))) < QUOTED + 20
    assert str(Unreadable("why", " \n")) == "why: nothing was printed"


def test_what_stands_in_the_way_is_a_file() -> None:
    assert files.listed(1, "", "ls: /a/b: Not a directory").place is Place.OTHER
