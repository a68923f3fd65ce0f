"""The same specs over SSH, over the SDK and over both: the same plan, the same end, for every version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.report import HostReport, Status
from reconciler.simulator import NfsMount, PortGroup
from tests.live.passes.world import PATH, SERVER, VERSIONS, World, full_spec, world

WAYS = ("ssh", "sdk", "auto")


def drift() -> dict[str, Any]:
    """What is not as the spec wishes; made anew for each host, which changes it."""
    return {
        "nfs": (
            NfsMount("repository", "10.10.0.9", PATH),
            NfsMount("old-iso", SERVER, "/export/iso"),
        ),
        "port_groups": (PortGroup("Private", "vSwitch0", 99), PortGroup("Lab (1)", "vSwitch0", 0)),
    }


def keyless(version: str) -> bool:
    """Whether root's keys can't be seen over HTTPS there."""
    return version in ("4.1", "5.0")


def spec(there: World, way: str) -> dict[str, Any]:
    """All kinds that both ways can do; what only SSH proves is left out."""
    wish = full_spec(there.keys)
    wish["ssh"] = {**wish["ssh"], "persistKeys": False}
    if keyless(there.host.version):
        wish["ssh"] = {"enabled": True}
    return {**wish, "access": {"prefer": way}}


def shape(report: HostReport) -> list[Any]:
    """A plan without its commands, which differ by way, and without what 4.x and 5.0 do not tell over SSH."""
    return [
        (
            step.resource,
            step.verb,
            step.risk,
            tuple(it for it in step.fields if it.field != "nfs.readOnly"),
            step.needs,
            step.why,
            step.source,
        )
        for step in report.steps
    ]


def end(there: World) -> Any:
    """What lasts on the host."""
    host = there.host
    return (
        sorted(map(repr, host.mounts)),
        sorted(map(repr, host.port_groups)),
        host.ssh,
        host.files.read(host.keys_path),
        host.files.stat("/vmfs/volumes/vms/a/esx").mode,
    )


def over(folder: Path, version: str, way: str) -> tuple[Any, ...]:
    folder.mkdir()
    with world(folder, version, {}, sdk=True, ssh_policy=False, **drift()) as there:
        there.spec = spec(there, way)
        before = there.look()
        assert before.transport == ("sdk+ssh" if way == "auto" else way)
        report = there.run()
        assert (report.status, report.fault, report.held) == (Status.CONVERGED, None, ())
        again = there.look()
        assert (again.status, again.steps) == (Status.IN_SYNC, ())
        return shape(before), before.in_sync, shape(report), again.in_sync, end(there)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_way_plans_the_same_and_ends_in_the_same_state(tmp_path: Path, version: str) -> None:
    found = {way: over(tmp_path / way, version, way) for way in WAYS}
    sources = {way: str(result).replace(str(tmp_path / way), "") for way, result in found.items()}
    assert sources["sdk"] == sources["ssh"]
    assert sources["auto"] == sources["ssh"]


def test_a_look_takes_at_most_four_property_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.transports.sdk import SdkSession

    reads: list[int] = []
    close = SdkSession.close

    def closed(self: SdkSession) -> None:
        reads.append(self.reads)
        close(self)

    monkeypatch.setattr(SdkSession, "close", closed)
    with world(tmp_path, "6.7", {}, sdk=True, **drift()) as there:
        there.spec = spec(there, "sdk")
        there.look()
    assert reads[0] <= 4
