"""`reconcile import host` on simulated hosts: what is written, what is told, and when no file is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.report import Status
from reconciler.simulator import Farm, HostModel, NfsMount, PortGroup
from tests.live.images.setup import DISK, LINUX, WIN, images_world, put_on
from tests.live.importing.commands import dry_run, import_hosts, reached
from tests.live.passes.world import PATH, SERVER, VERSIONS, Keys, _shared_keys, standard_storage, world
from tests.live.sdk.govmomi import Govmomi

STRANGER = b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAwEAAQ== a stranger\n"


def things() -> dict[str, Any]:
    return {
        "nfs": (NfsMount("repository", SERVER, PATH), NfsMount("iso", "10.10.0.9", "/export/iso")),
        "port_groups": (PortGroup("Private", "vSwitch0", 10), PortGroup("Lab (1)", "vSwitch0", 0)),
        "authorized_keys": Keys(_shared_keys()).public("root").encode() + b"\n" + STRANGER,
    }


def spec_of(file: Path) -> Any:
    return yaml.safe_load(file.read_text())["spec"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", ["ssh", "sdk", "both"])
def test_a_host_of_each_version_is_written_as_it_is(
    tmp_path: Path, version: str, way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with world(tmp_path, version, {}, sdk=way != "ssh", **things()) as there:
        before, out = there.host.digest(), tmp_path / "out" / "host.yaml"
        assert (
            import_hosts(tmp_path, there.host.address, *reached(there.host, tmp_path, way), "--out", str(out))
            == 0
        )
        assert there.host.digest() == before
        (report,) = dry_run(tmp_path, out).hosts
        assert (report.status, report.steps, report.fault) == (Status.IN_SYNC, (), None)
        spec = spec_of(out)
        assert spec["datastores"]["iso"]["nfs"] == {
            "server": "10.10.0.9",
            "path": "/export/iso",
            "version": "3",
        }
        assert spec["portGroups"]["Private"] == {"vswitch": "vSwitch0", "vlan": 10}
        blind = way == "sdk" and version in ("4.1", "5.0")
        assert ("authorizedKeys" in capfd.readouterr().err) == blind
        if not blind:
            assert {"datastore/repository", "portGroup/Lab (1)", "ssh", "authorizedKeys"} <= set(
                report.in_sync
            )
            assert any(key.endswith("a stranger") for key in spec["ssh"]["authorizedKeys"])


def test_a_host_whose_ssh_is_off_is_written_as_it_is(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True, ssh_running=False, ssh_policy=False, **things()) as there:
        out = tmp_path / "host.yaml"
        assert (
            import_hosts(
                tmp_path, there.host.address, *reached(there.host, tmp_path, "both"), "--out", str(out)
            )
            == 0
        )
        assert spec_of(out)["ssh"]["enabled"] is False
        (report,) = dry_run(tmp_path, out).hosts
        assert (report.status, report.steps) == (Status.IN_SYNC, ())


@pytest.mark.parametrize("way", ["ssh", "both"])
def test_the_images_on_a_virtual_disk_path_are_written(
    tmp_path: Path, way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with images_world(tmp_path, "6.7", {}, sdk=way != "ssh") as there:
        put_on(there, DISK, WIN)
        put_on(there, DISK, LINUX, "2gbsparse")
        options = [*reached(there.host, tmp_path, way), "--virtual-disk", "datastore1"]
        out = tmp_path / "host.yaml"
        assert import_hosts(tmp_path, there.host.address, *options, "--out", str(out)) == 0
        assert f": image/{LINUX}: it has the form twoGbMaxExtentSparse" in capfd.readouterr().err
        spec = spec_of(out)
        assert (spec["virtualDisk"], spec["images"]) == ({"path": "datastore1"}, {WIN: {}})
        assert dry_run(tmp_path, out).hosts[0].status is Status.IN_SYNC


def test_only_what_a_profile_does_not_say_is_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "profile.yaml"
    wish = {
        "datastores": {
            "datastore1": {"vmfs": {}},
            "iso": "absent",
            "vms": {"nfs": {"server": SERVER, "path": "/v"}},
        },
        "portGroups": {"Private": {"vswitch": "vSwitch0", "vlan": 10}, "VM Network": {}},
        "ssh": {
            "enabled": True,
            "persistKeys": True,
            "authorizedKeys": [Keys(_shared_keys()).public("root")],
        },
    }
    profile.write_text(
        yaml.safe_dump(
            {"apiVersion": "reconciler/v1", "kind": "Profile", "metadata": {"name": "p"}, "spec": wish}
        )
    )
    with world(tmp_path, "6.7", {}, **things()) as there:
        options = [*reached(there.host, tmp_path), "--profile", "p", "-f", str(profile)]
        assert import_hosts(tmp_path, there.host.address, *options) == 0
        printed = capfd.readouterr()
        out = tmp_path / "host.yaml"
        out.write_text(printed.out)
        assert printed.out.startswith("# VMware ESXi 6.7.0, build ")
        assert "    vms: null  # it is not mounted\n" in printed.out
        spec = spec_of(out)
        assert set(spec["datastores"]) == {"iso", "repository", "vms"}
        assert set(spec["portGroups"]) == {"Lab (1)", "Management Network"}
        (report,) = dry_run(tmp_path, profile, out).hosts
        assert (report.status, report.steps) == (Status.IN_SYNC, ())


# -- several hosts -----------------------------------------------------------------------------------------------


def fleet(*versions: str) -> list[HostModel]:
    keys = Keys(_shared_keys()).public("root").encode() + b"\n"
    return [
        HostModel(
            name=f"esx-{at}",
            version=version,
            authorized_keys=keys,
            nfs=(NfsMount("repository", SERVER if at else "10.10.0.9", PATH),),
        )
        for at, version in enumerate(versions)
    ]


def test_what_hosts_share_becomes_a_profile_and_outliers_are_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Farm.start(fleet("5.5", "6.7", "8.0", "6.0"), storage=standard_storage()) as farm:
        hosts = list(farm.hosts.values())
        listed = tmp_path / "hosts.txt"
        listed.write_text("# the rack\n\n" + "".join(f"{host.address}  # {host.name}\n" for host in hosts))
        out = tmp_path / "specs"
        options = ["--from", str(listed), *reached(hosts[0], tmp_path), "--out", str(out)]
        assert import_hosts(tmp_path, *options) == 0
        told = capfd.readouterr().err
        assert "3 of 4 hosts have datastores.repository.nfs {server: 10.10.0.1, path: /install" in told
        assert f"this 1 does not: {hosts[0].address} ({{server: 10.10.0.9, path: /install" in told
        assert sorted(file.name for file in out.iterdir()) == ["hosts.yaml", "profiles.yaml"]
        documents = list(yaml.safe_load_all((out / "hosts.yaml").read_text()))
        assert documents[0]["spec"]["datastores"] == {"repository": {"nfs": {"server": "10.10.0.9"}}}
        assert documents[1]["spec"] == {"profile": "shared", "address": hosts[1].address}
        report = dry_run(tmp_path, out)
        assert [host.status for host in report.hosts] == [Status.IN_SYNC] * 4

        assert import_hosts(tmp_path, *options) == 1
        assert "there already: nothing was written" in capfd.readouterr().err
        shutil.copytree(out, tmp_path / "before")
        assert import_hosts(tmp_path, *options, "--force") == 0
        for name in ("hosts.yaml", "profiles.yaml"):
            assert (out / name).read_text() == (tmp_path / "before" / name).read_text()


def test_one_host_that_is_not_reached_leaves_no_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Farm.start(fleet("6.7"), storage=standard_storage()) as farm:
        (host,) = farm.hosts.values()
        out = tmp_path / "specs"
        options = [host.address, "127.255.255.9", *reached(host, tmp_path), "--out", str(out)]
        assert import_hosts(tmp_path, *options) == 3
        assert "1 host of 2 could not be looked at; nothing was written" in capfd.readouterr().err
        assert not out.exists()


def test_a_login_that_is_refused_is_another_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Farm.start(fleet("6.7"), storage=standard_storage()) as farm:
        (host,) = farm.hosts.values()
        wrong = Keys(_shared_keys()).private("second")
        options = [*reached(host, tmp_path), "--key", str(wrong), "--out", str(tmp_path / "x.yaml")]
        assert import_hosts(tmp_path, host.address, *options) == 1
        assert "could not be looked at" in capfd.readouterr().err
        assert import_hosts(tmp_path, host.address, "127.255.255.9", *options[:-1], str(tmp_path / "x")) == 1
        assert not (tmp_path / "x.yaml").exists()
        assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no host was named"),
        (["--from", "no-such-file"], "--from no-such-file: no such file or directory"),
        (["a", "b"], "of several hosts, --out DIR is needed"),
        (["a", "b", "--thumbprint", "x", "--out", "x"], "--thumbprint can be true of one host only"),
        (["a", "--password-env", "A", "--password-file", "b"], "two places for one password"),
        (["a", "--host-key", "x"], "spec.access.ssh.hostKey: is no public key"),
        (["a b"], "spec.address: has a form that is not allowed"),
        (["a", "--profile", "p", "-f", "nowhere"], "nowhere:1:1: path: no such file or directory"),
        (["a", "--virtual-disk", "vmfs/volumes/x"], "lacks its first slash"),
    ],
)
def test_what_can_not_be_meant_is_told_before_any_host_is_asked(
    tmp_path: Path, arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert import_hosts(tmp_path, *arguments) == 1
    assert said in capfd.readouterr().err


def test_a_host_of_a_third_party_is_written_as_far_as_its_sdk_shows_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "password"
    secret.write_text("secret\n")
    with Govmomi() as esx:
        esx.control(keys=STRANGER.decode())
        out = tmp_path / "host.yaml"
        sdk = [
            "--sdk-port",
            str(esx.port),
            "--sdk-password-file",
            str(secret),
            "--thumbprint",
            esx.fingerprint,
        ]
        assert import_hosts(tmp_path, "127.0.0.1", "--port", "1", *sdk, "--out", str(out)) == 0, (
            capfd.readouterr().err
        )
        spec = spec_of(out)
        assert spec["ssh"]["authorizedKeys"] == [STRANGER.decode().strip()]
        assert "LocalDS_0" in spec["datastores"]
        assert spec["portGroups"]["VM Network"] == {"vswitch": "vSwitch0", "vlan": 0}
        (report,) = dry_run(tmp_path, out).hosts
        assert (report.status, report.steps) == (Status.IN_SYNC, ())
