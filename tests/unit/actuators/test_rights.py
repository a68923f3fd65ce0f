"""The page of the rights and the hands know the same verbs, and pyVmomi the same privileges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from reconciler.actuators import vcenter
from reconciler.actuators.sdk.privileges import PRIVILEGES, RIGHTS
from tests.unit.actuators.fake_sdk import FakeSession

PAGE = Path(__file__).parents[3] / "docs/reference/rights.md"


def test_the_page_has_a_row_for_each_right_and_no_other() -> None:
    over_sdk, _, over_vcenter = PAGE.read_text(encoding="utf-8").partition("\n## vCenter\n")
    rows = [line for line in over_sdk.splitlines() if line.startswith("| `")]
    for verb, privilege in vcenter.PRIVILEGES.items():
        assert f"| `{verb}` | `{privilege}` |" in over_vcenter
    assert rows == [
        f"| `{right.kind}` | {right.does} | `{right.verb}` | `{right.privilege}` | root |" for right in RIGHTS
    ]


def test_each_verb_that_the_sdk_does_has_its_right() -> None:
    doers = FakeSession().hands().verbs
    assert {verb.__name__ for verb in doers} == set(PRIVILEGES)


@pytest.mark.parametrize(
    ("kind", "method", "verbs"),
    [
        ("ServiceSystem", "StartService", ("StartSsh",)),
        ("ServiceSystem", "StopService", ("StopSsh",)),
        ("ServiceSystem", "UpdateServicePolicy", ("SetSshPolicy",)),
        ("DatastoreSystem", "CreateNasDatastore", ("MountNfs", "RemountNfs")),
        ("DatastoreSystem", "RemoveDatastore", ("UnmountNfs", "RemountNfs")),
        ("NetworkSystem", "AddVirtualSwitch", ("AddSwitch",)),
        ("NetworkSystem", "AddPortGroup", ("AddPortGroup", "MovePortGroup")),
        ("NetworkSystem", "RemovePortGroup", ("MovePortGroup",)),
        ("NetworkSystem", "UpdatePortGroup", ("SetVlan",)),
    ],
)
def test_the_library_names_the_same_privilege(kind: str, method: str, verbs: tuple[str, ...]) -> None:
    host: Any = vim.host
    needed = getattr(getattr(host, kind), method).info.privId
    assert {PRIVILEGES[verb] for verb in verbs} == {needed}
