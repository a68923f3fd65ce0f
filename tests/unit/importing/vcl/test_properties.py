"""Whatever stands in a VCL database, what is written of it is valid, and the same whichever order rows come in."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired import load
from reconciler.importing.notes import CannotImport
from reconciler.importing.vcl.rows import snapshot
from reconciler.importing.vcl.specs import Options, imported
from tests.unit.importing.vcl.cases import lines, tables, texts

ODD = (
    "on",
    "123",
    "~",
    "a: b",
    'it\'s "quoted"',
    "two\nlines",
    "# no comment",
    "${name}",
    "[datastore1]",
    "[datastore1] ${name}",
    "vmfs/volumes/x",
    "/vmfs/volumes/ds (1)/x/../y",
    "/var/lib/x",
    "{a: b}",
    "\x81\x9fä",
    "\u202e\ufeff\x00",
    "x" * 56,
    "-",
    " ",
    "",
)
TEXT = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MAYBE = st.none() | TEXT
MOST = 4
IDS = st.integers(1, MOST + 1)
FLAGS = st.sampled_from([0, 0, 0, 1])


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": number, **row} for number, row in enumerate(rows, 1)]


def rows(least: int = 0, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows with ids from 1."""
    return st.lists(st.fixed_dictionaries(columns), min_size=least, max_size=MOST).map(numbered)


DATABASES = st.fixed_dictionaries(
    {
        "vmprofile": rows(
            least=2,
            profilename=TEXT,
            datastorepath=st.just("datastore1") | TEXT,
            vmpath=MAYBE,
            repositorypath=MAYBE,
            resourcepath=MAYBE,
            folderpath=MAYBE,
            virtualswitch0=MAYBE,
            virtualswitch1=MAYBE,
            vmdisk=st.sampled_from(["dedicated", "shared", "localdisk", ""]),
            username=MAYBE,
            password=FLAGS,
            rsakey=MAYBE,
        ),
        "vmhost": st.permutations(range(1, MOST + 1))
        .flatmap(lambda ids: st.tuples(*(st.tuples(st.just(it), st.integers(1, 3)) for it in ids)))
        .map(lambda pairs: numbered([{"computerid": one, "vmprofileid": other} for one, other in pairs])),
        "computer": rows(
            least=2,
            hostname=TEXT,
            privateIPaddress=st.integers(1, 9).map("10.0.0.{}".format) | MAYBE,
            stateid=st.sampled_from([20, 10, 2]),
            deleted=FLAGS,
            type=st.sampled_from(["blade", "virtualmachine"]),
            vmhostid=IDS,
            imagerevisionid=IDS,
        ),
        "managementnode": st.lists(st.fixed_dictionaries({"hostname": TEXT, "keys": MAYBE}), max_size=2),
        "image": rows(least=2, name=TEXT, OSid=IDS, deleted=FLAGS),
        "imagerevision": rows(least=2, imageid=IDS, imagename=TEXT, production=FLAGS, deleted=FLAGS),
        "os": rows(installtype=st.sampled_from(["vmware", "image"])),
        "state": st.just([{"id": 2, "name": "available"}]) | rows(name=TEXT),
        "imagetype": rows(name=st.sampled_from(["vmdk", "qcow2"])),
    }
)
OPTIONS = st.builds(
    Options, all_profiles=st.booleans(), images=st.sampled_from(["none", "production", "loaded"])
)


@given(DATABASES, OPTIONS)
def test_what_is_written_is_valid(
    tmp_path_factory: pytest.TempPathFactory, database: dict[str, list[dict[str, Any]]], options: Options
) -> None:
    try:
        result = imported(snapshot(tables(database)), options)
    except CannotImport:
        return
    folder: Path = tmp_path_factory.mktemp("specs")
    for file, written in texts(result).items():
        (folder / file).write_text(written, encoding="utf-8")
    if result.profiles:
        assert len(load([folder]).hosts) == len(result.hosts)
    assert lines(result)


@given(DATABASES, OPTIONS, st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(
    database: dict[str, list[dict[str, Any]]], options: Options, order: random.Random
) -> None:
    shuffled = {table: order.sample(each, len(each)) for table, each in database.items()}
    assert outcome(shuffled, options) == outcome(database, options)


def outcome(database: dict[str, list[dict[str, Any]]], options: Options) -> object:
    """All that is written and told, or why nothing is."""
    try:
        result = imported(snapshot(tables(database)), options)
    except CannotImport as error:
        return str(error)
    return texts(result), lines(result)
