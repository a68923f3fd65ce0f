"""From VCL in an afternoon, as the page of that name tells it: a database, and the hosts that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from reconciler.cli.main import run
from reconciler.simulator.lab import Lab
from tests.live.importing.mariadb import PASSWORD, MariaDb

PROFILE = {
    "profilename": "ESXi - local",
    "datastorepath": "datastore1",
    "vmpath": "datastore1/vms",
    "virtualswitch0": "Private",
    "virtualswitch1": "Public",
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    """The folder of two simulated hosts."""
    lab = Lab(2, ["4.1", "6.7"], tmp_path / "lab")
    yield tmp_path / "lab"
    lab.close()


def places(lab: Path) -> dict[str, int]:
    """The SSH ports of the hosts by address."""
    written = [yaml.safe_load(path.read_bytes())["spec"] for path in (lab / "specs").glob("esx-*.yaml")]
    return {
        spec["address"]: spec["access"]["ssh"]["port"]
        for spec in sorted(written, key=lambda it: it["address"])
    }


def line_of(note: str, said: str) -> int:
    """The line of profiles.yaml that a note names."""
    found = re.search(rf"profiles\.yaml:(\d+): {note}", said)
    assert found is not None, said
    return int(found[1])


def filled_in(text: str, said: str, ssh: Sequence[str]) -> str:
    """The profile, changed where the report says so."""
    lines = text.splitlines()
    right = re.search(r"would be right: (workingDirectory: .*)\)", said)
    assert right is not None
    lines[line_of("doubtful: workingDirectory", said) - 1] = f"  {right[1]}"
    after = line_of("to fill in: access.ssh", said)
    return "\n".join(
        [*lines[:after], *(f"      {line}" for line in ssh), *lines[after:], "  mode: observe", ""]
    )


def test_hosts_of_vcl_are_imported_looked_at_and_kept(
    mariadb: MariaDb,
    lab: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VCL_PASSWORD", PASSWORD)
    monkeypatch.setenv("RECONCILE_STATE_DIR", str(tmp_path))
    computers = [{"hostname": f"vmhost-{it[-1]}", "privateIPaddress": it} for it in places(lab)]
    vmhosts = [{"computerid": number, "vmprofileid": 1} for number in (1, 2)]
    url = mariadb.fill("afternoon", {"vmprofile": [PROFILE], "computer": computers, "vmhost": vmhosts})
    specs, profiles = str(tmp_path / "specs"), tmp_path / "specs/profiles.yaml"

    key = str(lab / "keys/root.key")
    assert (
        run(
            [
                "import",
                "vcl",
                "--database",
                url,
                "--password-env",
                "VCL_PASSWORD",
                "--key",
                key,
                "--out",
                specs,
            ]
        )
        == 0
    )
    ssh = [f"port: {min(places(lab).values())}", "trustOnFirstUse: true", "legacyAlgorithms: true"]
    text = filled_in(profiles.read_text(encoding="utf-8"), capsys.readouterr().err, ssh)
    profiles.write_text(text, encoding="utf-8")

    assert run(["--dry-run", "-f", specs]) == 4
    shown = capsys.readouterr().out
    assert "drifted (observed only)" in shown
    assert "[datastore1] vms/vmhost-1" in shown

    profiles.write_text(text.replace("mode: observe", "mode: enforce"), encoding="utf-8")
    assert run(["--yes", "-f", specs]) == 0, capsys.readouterr()
    capsys.readouterr()
    assert run(["--dry-run", "-f", specs]) == 0
    assert "2 hosts (2 in-sync)" in capsys.readouterr().out
