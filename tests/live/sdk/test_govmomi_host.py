"""What our program adds to govmomi's simulator of a host, called by pyVmomi itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.live.sdk import govmomi
from tests.live.sdk.client import Vim, Vmodl, ask, content, done, only_host, read, stub
from tests.live.sdk.govmomi import Govmomi

KEYS = "/host/ssh_root_authorized_keys"


def manager(host: Any, name: str) -> Any:
    return getattr(host.configManager, name)


def nas(name: str, **more: Any) -> Any:
    fields: dict[str, Any] = {"remoteHost": "10.0.0.1", "remotePath": "/vm images", "accessMode": "readWrite"}
    return Vim.host.NasVolume.Specification(localPath=name, **fields | more)


def test_the_ssh_service_is_started_and_stopped(esx: Govmomi) -> None:
    host = only_host(content(esx))
    services = manager(host, "serviceSystem")
    services.StartService(id="TSM-SSH")
    services.UpdateServicePolicy(id="TSM-SSH", policy="on")
    for shown in (services.serviceInfo.service, host.config.service.service):
        (ssh,) = (it for it in shown if it.key == "TSM-SSH")
        assert (ssh.running, ssh.policy) == (True, "on")
    services.StopService(id="TSM-SSH")
    assert esx.control()["running"] is False
    with pytest.raises(Vim.fault.NotFound):
        services.StartService(id="sshd")
    with pytest.raises(Vmodl.fault.InvalidArgument):
        services.UpdateServicePolicy(id="TSM-SSH", policy="sometimes")


def test_keys_are_read_and_replaced_with_a_password_only(esx: Govmomi) -> None:
    assert ask(esx, "GET", KEYS) == (200, b"")
    assert ask(esx, "PUT", KEYS, b"ssh-rsa AAAA a\n")[0] == 200
    assert ask(esx, "GET", KEYS) == (200, b"ssh-rsa AAAA a\n")
    assert esx.keys == "ssh-rsa AAAA a\n"
    assert ask(esx, "GET", KEYS, login="root:wrong")[0] == 401
    assert ask(esx, "GET", "/host/ssh_host_rsa_key_pub")[0] == 404
    esx.control(hostKey="ssh-rsa BBBB\n")
    assert ask(esx, "GET", "/host/ssh_host_rsa_key_pub") == (200, b"ssh-rsa BBBB\n")
    esx.control(product={"version": "5.0.0", "build": "1"})
    assert ask(esx, "GET", KEYS)[0] == 404


@pytest.mark.parametrize(("kind", "names"), [("NFS", []), ("NFS41", ["10.0.0.1", "10.0.0.2"])])
def test_nfs_is_mounted_and_unmounted(esx: Govmomi, kind: str, names: list[str]) -> None:
    host = only_host(content(esx))
    system = manager(host, "datastoreSystem")
    made = system.CreateNasDatastore(nas("repo", accessMode="readOnly", type=kind, remoteHostNames=names))
    assert made in host.datastore
    shown = made.info.nas
    assert (shown.remoteHost, shown.remotePath, shown.type) == ("10.0.0.1", "/vm images", kind)
    assert (made.name, made.summary.name, made.summary.type) == ("repo", "repo", kind)
    assert [it.mountInfo.accessMode for it in made.host] == ["readOnly"]
    assert "/vmfs/volumes/" in made.summary.url
    with pytest.raises(Vim.fault.DuplicateName):
        system.CreateNasDatastore(nas("repo", remotePath="/other"))
    with pytest.raises(Vim.fault.AlreadyExists):
        system.CreateNasDatastore(nas("again"))
    made.RefreshDatastore()
    assert made.summary.capacity > 0
    system.RemoveDatastore(made)
    assert made not in host.datastore
    with pytest.raises(Vim.fault.NotFound):
        system.RemoveDatastore(made)


def test_a_share_keeps_its_files_over_an_unmount(esx: Govmomi) -> None:
    system = manager(only_host(content(esx)), "datastoreSystem")
    first = system.CreateNasDatastore(nas("one"))
    Path(first.summary.url, "a.txt").write_text("a")
    system.RemoveDatastore(first)
    assert Path(system.CreateNasDatastore(nas("two")).summary.url, "a.txt").read_text() == "a"


def test_the_local_datastore_is_vmfs_and_in_use(esx: Govmomi) -> None:
    host = only_host(content(esx))
    (local,) = host.datastore
    assert local.summary.type == "VMFS"
    assert local.info.vmfs.majorVersion == 6
    assert local.RefreshDatastore() is None
    assert local.RefreshDatastoreStorageInfo() is None
    with pytest.raises(Vim.fault.ResourceInUse):
        manager(host, "datastoreSystem").RemoveDatastore(local)
    esx.control(datastore={"name": local.name, "accessible": False})
    assert (local.summary.accessible, local.host[0].mountInfo.accessible) == (False, False)


def test_files_of_the_datastore_are_sent_and_found(esx: Govmomi) -> None:
    (local,) = only_host(content(esx)).datastore
    place = f"/folder/x/a.txt?dcPath=ha-datacenter&dsName={local.name}"
    assert ask(esx, "PUT", place, b"hello")[0] == 200
    assert ask(esx, "GET", place) == (200, b"hello")
    spec = Vim.host.DatastoreBrowser.SearchSpec(matchPattern=["*"])
    found = done(local.browser.SearchDatastore_Task(datastorePath=f"[{local.name}] x", searchSpec=spec))
    assert [it.path for it in found.file] == ["a.txt"]


def group(name: str, switch: str = "vSwitch0", vlan: int = 0) -> Any:
    return Vim.host.PortGroup.Specification(
        name=name, vswitchName=switch, vlanId=vlan, policy=Vim.host.NetworkPolicy()
    )


def test_port_groups_are_shown_as_they_are(esx: Govmomi) -> None:
    host = only_host(content(esx))
    system = manager(host, "networkSystem")
    system.AddVirtualSwitch(vswitchName="vSwitch7", spec=None)
    system.AddPortGroup(group("Private", "vSwitch7", 10))
    system.UpdatePortGroup(pgName="Private", portgrp=group("Private", "vSwitch0", 20))
    for network in (host.config.network, system.networkInfo):
        (shown,) = (it.spec for it in network.portgroup if it.spec.name == "Private")
        assert (shown.vswitchName, shown.vlanId) == ("vSwitch0", 20)
        assert "vSwitch7" in [it.name for it in network.vswitch]
    assert "Private" in [it.name for it in host.network]
    with pytest.raises(Vim.fault.AlreadyExists):
        system.AddPortGroup(group("Private"))
    with pytest.raises(Vim.fault.NotFound):
        system.AddPortGroup(group("Other", "vSwitch99"))
    with pytest.raises(Vim.fault.NotFound):
        system.UpdatePortGroup(pgName="Other", portgrp=group("Other"))
    system.RemovePortGroup(pgName="Private")
    system.RemoveVirtualSwitch(vswitchName="vSwitch7")
    assert "Private" not in [it.spec.name for it in host.config.network.portgroup]
    assert "vSwitch7" not in [it.name for it in host.config.network.vswitch]
    assert "Private" not in [it.name for it in host.network]


def test_running_machines_are_clients_of_their_port_group(esx: Govmomi) -> None:
    host = only_host(content(esx))

    def clients() -> int:
        (shown,) = (it for it in host.config.network.portgroup if it.spec.name == "VM Network")
        return len(shown.port)

    assert clients() == 2
    with pytest.raises(Vim.fault.ResourceInUse):
        manager(host, "networkSystem").RemovePortGroup(pgName="VM Network")
    done(host.vm[0].PowerOffVM_Task())
    assert clients() == 1


def test_the_clock_the_firmware_and_options_answer(esx: Govmomi) -> None:
    host = only_host(content(esx))
    assert manager(host, "dateTimeSystem").QueryDateTime().year > 2000
    assert manager(host, "firmwareSystem").BackupFirmwareConfiguration().startswith("http://*/")
    (option,) = manager(host, "advancedOption").QueryOptions(name="UserVars.ESXiShellTimeOut")
    assert option.value == 0


@pytest.mark.parametrize(
    ("version", "api"),
    [
        ("4.1.0", "version6"),
        ("5.0.0", "version7"),
        ("5.5.0", "version9"),
        ("6.7.0", "version12"),
        ("8.0.1", "v8_0_1_0"),
    ],
)
def test_the_product_is_of_any_version(esx: Govmomi, version: str, api: str) -> None:
    """A client of that version refuses fields that are newer."""
    esx.control(product={"version": version, "build": "42"})
    shown = content(esx, f"vim.version.{api}")
    assert (shown.about.version, shown.about.build, shown.about.apiType) == (version, "42", "HostAgent")
    product, services, network = read(
        shown, only_host(shown), "config.product", "config.service", "config.network"
    )
    assert product.version == version
    assert "TSM-SSH" in [it.key for it in services.service]
    assert [it.name for it in network.vswitch] == ["vSwitch0"]
    (machine, *_) = only_host(shown).vm
    assert read(shown, machine, "config.hardware.device", "layoutEx")


def test_without_a_session_nothing_is_shown(esx: Govmomi) -> None:
    host = Vim.HostSystem("ha-host", stub(esx))
    with pytest.raises(Vim.fault.NotAuthenticated):
        assert host.name


def test_it_ends_with_the_one_who_started_it() -> None:
    with Govmomi() as host:
        folder = host.folder
        process = host._process
    assert process.returncode == 0
    assert not folder.exists()


def test_a_program_that_is_not_built_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(govmomi, "PROGRAM", tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="make test builds it"):
        Govmomi().__enter__()


def test_a_given_certificate_is_shown(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "given")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    pem = Encoding.PEM
    (tmp_path / "c").write_bytes(made.public_bytes(pem))
    (tmp_path / "k").write_bytes(key.private_bytes(pem, PrivateFormat.PKCS8, NoEncryption()))
    with Govmomi(cert=tmp_path / "c", key=tmp_path / "k") as host:
        assert host.fingerprint == "SHA256:" + made.fingerprint(hashes.SHA256()).hex(":").upper()
