"""find, as busybox has it: groups of tests, sizes, and folders that it stays out of."""

from __future__ import annotations

import pytest

from tests.simulator.support import host, script

SET_UP = "mkdir -p /tmp/f/.snapshot/old; cd /tmp/f; echo 12345 > a.vmx; echo 1 > b.vmdk; echo 1 > .snapshot/old/c.vmx; "


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("-name '*.vmx'", "./.snapshot/old/c.vmx ./a.vmx"),
        ("-name .snapshot -prune -o -name '*.vmx' -print", "./a.vmx"),
        ("-name '*.vmx' -o -name '*.vmdk'", "./.snapshot/old/c.vmx ./a.vmx ./b.vmdk"),
        ("-type f -size -3c", "./.snapshot/old/c.vmx ./b.vmdk"),
        ("-type f -size +2c", "./a.vmx"),
        ("-type f -size 6c", "./a.vmx"),
        ("-type f ! -name '*.vmx'", "./b.vmdk"),
        ("-name .snapshot -prune", "./.snapshot"),
    ],
)
def test_what_fits_is_printed(expression: str, found: str) -> None:
    ran = script(host("6.7"), f"{SET_UP}find . {expression} | sort")
    assert " ".join(ran.out.split()) == found


def test_what_find_does_not_know_is_refused() -> None:
    for expression in ("-size many", "-newer x", "-name"):
        ran = script(host("6.7"), f"find . {expression}")
        assert ran.status != 0
