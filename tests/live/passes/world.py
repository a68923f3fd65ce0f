"""A simulated host, the specs for it, and passes over it: over real SSH, all in one process."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.desired import load
from reconciler.events import Event
from reconciler.fleet import Options, run
from reconciler.kinds.model import Risk
from reconciler.report import HostReport
from reconciler.simulator import Farm, HostModel, Storage

VERSIONS = ("4.1", "5.0", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0")
LEGACY = ("4.1", "5.0", "5.1", "5.5", "6.0")
SERVER, PATH = "10.10.0.1", "/install/vmware_images"

WAY: ContextVar[str] = ContextVar("WAY", default="ssh")
"""Over which way the worlds of now are reached: `ssh`, `sdk`, or `both`."""
PREFER = {"ssh": "auto", "sdk": "sdk", "both": "auto"}


@dataclass(frozen=True)
class Keys:
    """Key pairs on disk: `root` is what sessions log in with, `second` is wanted and not yet there."""

    folder: Path

    def private(self, name: str) -> Path:
        file = self.folder / name
        if not file.exists():
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            form = serialization.PrivateFormat.OpenSSH
            pem = serialization.Encoding.PEM
            file.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
            file.chmod(0o600)
            public = key.public_key().public_bytes(
                serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
            )
            (self.folder / f"{name}.pub").write_bytes(public + f" {name}@test\n".encode())
        return file

    def public(self, name: str) -> str:
        self.private(name)
        return (self.folder / f"{name}.pub").read_text().strip()


@dataclass
class World:
    """One simulated host and the spec that goes with it."""

    farm: Farm
    host: Any
    keys: Keys
    folder: Path
    spec: dict[str, Any]
    sdk: bool = False
    events: list[Event] = field(default_factory=list)

    def write(self) -> Path:
        """The spec file of now."""
        ssh = {
            "port": self.host.port,
            "key": str(self.keys.private("root")),
            "hostKey": self.host.host_keys[0],
            "legacyAlgorithms": self.host.version in LEGACY,
        }
        asked = {"prefer": PREFER[WAY.get()], **self.spec.get("access", {})}
        access = {**asked, "ssh": ssh | asked.get("ssh", {})}
        if self.sdk:
            access["sdk"] = self._sdk_access() | asked.get("sdk", {})
        document = {
            "apiVersion": "reconciler/v1",
            "kind": "Host",
            "metadata": {"name": self.host.name},
            "spec": {**self.spec, "address": self.host.address, "access": access},
        }
        file = self.folder / "host.yaml"
        file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
        return file

    def _sdk_access(self) -> dict[str, Any]:
        secret = self.folder / "root.password"
        secret.write_text("VMware1!\n")
        return {
            "port": self.host.sdk_port,
            "password": {"file": str(secret)},
            "thumbprint": self.host.thumbprint,
            "legacyAlgorithms": self.host.version in ("4.1", "5.0", "5.1", "5.5"),
        }

    def look(self, **options: Any) -> HostReport:
        """A dry run."""
        return self.run(dry_run=True, **options)

    def run(
        self,
        *,
        dry_run: bool = False,
        allow: Risk | None = None,
        only: Sequence[str] = (),
        approved: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
    ) -> HostReport:
        """One pass over the host."""
        hosts = load([self.write()]).hosts
        options = Options(dry_run, allow, tuple(only), 50, self.folder / "state", approved)
        report = run(hosts, options, self.events.append, stop or threading.Event())
        (host,) = report.hosts
        return host

    def changing(self) -> list[tuple[str, ...]]:
        """The changing commands that the host has run; a look's own folder in /tmp, removed again, is no change."""
        return [
            it.argv
            for it in self.host.executed
            if it.changing and "/tmp/.reconciler-look" not in " ".join(it.argv)
        ]


@contextmanager
def world(
    folder: Path, version: str, spec: Mapping[str, Any], storage: Storage | None = None, **model: Any
) -> Iterator[World]:
    """A host of that version on which root's key is installed. With `sdk=True` it answers the SDK too, and the spec has
    a password for it."""
    keys = Keys(_shared_keys())
    model.setdefault("sdk", WAY.get() != "ssh")
    installed = model.pop("authorized_keys", keys.public("root").encode() + b"\n")
    there = HostModel(name="esx", version=version, authorized_keys=installed, **model)
    with Farm.start([there], storage=storage or standard_storage()) as farm:
        yield World(farm, farm.host("esx"), keys, folder, dict(spec), there.sdk)


def standard_storage() -> Storage:
    """An NFS server with the exports that the tests use, and a wrong one beside it."""
    exports = ("/install/vmware_images", "/export/vms", "/export/iso", '/it\'s a $(touch x) "q"')
    return Storage({SERVER: exports, "10.10.0.9": exports})


def full_spec(keys: Keys) -> dict[str, Any]:
    """Something of every kind."""
    return {
        "allow": "link",
        "ssh": {
            "enabled": True,
            "authorizedKeys": [keys.public("root"), {"file": str(keys.folder / "second.pub")}],
            "persistKeys": True,
        },
        "datastores": {
            "datastore1": {"vmfs": {}},
            "repository": {"nfs": {"server": SERVER, "path": PATH}},
            "vms": {"nfs": {"server": SERVER, "path": "/export/vms"}},
            "old-iso": "absent",
        },
        "workingDirectory": "[vms] a/${name}",
        "portGroups": {
            "Private": {"vswitch": "vSwitch0", "vlan": 10},
            "Public": {"vswitch": "vSwitch9", "vlan": 20},
            "Lab (1)": {"vswitch": "vSwitch9"},
            "VM Network": {},
        },
    }


def _shared_keys() -> Path:
    """RSA keys take a second to make: one folder of them for a whole test run."""
    import tempfile

    global _FOLDER
    if _FOLDER is None:
        _FOLDER = Path(tempfile.mkdtemp(prefix="reconciler-keys-"))
        Keys(_FOLDER).private("second")
    return _FOLDER


_FOLDER: Path | None = None
