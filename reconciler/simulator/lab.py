"""`reconcile simulate`: hosts with drift, and specs and keys for them in a folder, until a signal comes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh

from reconciler.simulator import control, lab_images, lab_sdk, lab_summary
from reconciler.simulator.drift import FILER, IMAGES, SCRATCH, Keys, furnish, spoil, storage
from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.farm import Farm
from reconciler.simulator.faults import FAULTS
from reconciler.simulator.handle import HostHandle
from reconciler.simulator.limits import raise_open_files
from reconciler.simulator.model import HostModel, Machine
from reconciler.simulator.versions import RELEASES

DEFAULT_VERSIONS = ("4.1", "5.0", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0")
KEY_BITS = 3072

PROFILE = f"""\
apiVersion: reconciler/v1
kind: Profile
metadata:
  name: lab
spec:
  ssh:
    enabled: true
    authorizedKeys:
      - file: ../keys/root.key.pub
      - file: ../keys/second.key.pub
    exclusiveKeys: true
    persistKeys: true
  datastores:
    datastore1:
      vmfs: {{}}
    repository:
      nfs:
        server: {FILER}
        path: {IMAGES}
    scratch:
      nfs:
        server: {FILER}
        path: {SCRATCH}
    old-iso: absent
  workingDirectory: "[datastore1] ${{name}}"
  portGroups:
    Private: {{vswitch: vSwitch0, vlan: 10}}
    Public: {{}}
"""
HOST = """\
apiVersion: reconciler/v1
kind: Host
metadata:
  name: {name}
spec:
  profile: {profile}
  address: {address}
  access:
    ssh:
      port: {port}
      user: root
      key: ../keys/root.key
      hostKey: {host_key}
      legacyAlgorithms: {legacy}
"""


def run(
    hosts: int,
    versions: list[str],
    out: Path,
    announce: Callable[[str], None],
    stop: threading.Event | None = None,
    images: bool = False,
    sdk: bool = False,
    latency: float = 0.0,
) -> None:
    """Run simulated hosts until SIGINT or SIGTERM (or until `stop` is set, for a caller that minds signals itself).

    `versions` are cycled through (empty: one of each). Writes OUT/specs, OUT/keys and OUT/control.sock; with `images`
    OUT/repository too, and specs that want its master images (that needs qemu-img); with `sdk` the hosts answer the
    vSphere SDK too. A round trip to a host over SSH takes `latency` seconds.
    Raises SimulatorError.
    """
    lab = Lab(hosts, versions, out, images, sdk, latency)
    try:
        for line in lab.summary():
            announce(line)
        _wait(stop)
    finally:
        lab.close()
    announce("the simulated hosts are stopped")


def _wait(stop: threading.Event | None) -> None:
    """Until `stop` is set, or a signal asks to end."""
    if stop is not None:
        stop.wait()
        return
    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        while not ended.wait(0.5):
            continue
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Lab:
    """A farm with drift, its files in a folder, and its control line."""

    def __init__(
        self,
        hosts: int,
        versions: list[str],
        out: Path,
        images: bool = False,
        sdk: bool = False,
        latency: float = 0.0,
    ) -> None:
        chosen = _checked(hosts, versions)
        raise_open_files(hosts, ports=2 if sdk else 1)
        self.out, self.sdk = out, sdk
        _folders(out)
        self.images = lab_images.make(out / "repository") if images else None
        self.keys = _keys(out / "keys")
        models = [_model(index, chosen[index % len(chosen)], self.keys, sdk) for index in range(hosts)]
        if sdk:
            lab_sdk.write_secret(out / "keys", models[0].root_password)
        self.farm = Farm.start(models, storage(self.images), latency)
        try:
            self.drift = {
                name: self._prepare(host, index) for index, (name, host) in enumerate(self.farm.hosts.items())
            }
            self._write_specs()
            self._control = control.ControlServer(out, self._answer)
        except BaseException:
            self.farm.close()
            raise

    def _prepare(self, host: HostHandle, index: int) -> str:
        furnish(host, self.keys)
        spoilt = spoil(host, self.keys, index)
        if not self.sdk:
            return spoilt
        if lab_sdk.is_off(index, host.version):
            return f"{lab_sdk.switch_off(host)}; {spoilt}"
        return f"free licence; {spoilt}" if lab_sdk.is_free(index) else spoilt

    def _write_specs(self) -> None:
        folder = self.out / "specs"
        for old in [*folder.glob("esx-*.yaml"), *folder.glob("images.yaml")]:
            old.unlink()
        (folder / "lab.yaml").write_text(PROFILE)
        if self.images is not None:
            (folder / "images.yaml").write_text(lab_images.PROFILES)
        for index, (name, host) in enumerate(self.farm.hosts.items()):
            legacy = RELEASES[host.version].version < (6, 5)
            text = HOST.format(
                name=name,
                profile="lab" if self.images is None else f"[lab, {_setup(index)}]",
                address=host.address,
                port=host.port,
                host_key=host.host_keys[-1],
                legacy="true" if legacy else "false",
            )
            more = lab_sdk.access(host) if self.sdk else ""
            (folder / f"{name}.yaml").write_text(text + more)

    def summary(self) -> list[str]:
        """What runs and how to begin, in lines."""
        hosts = list(self.farm.hosts.values())
        places = f"specs in {self.out / 'specs'}, keys in {self.out / 'keys'}"
        if self.images is not None:
            places += f", master images in {self.images.folder}"
        last = f"{len(hosts)} simulated hosts; {places}; stop with Ctrl-C"
        return [*lab_summary.lines(hosts, self.drift), last]

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        host = self.farm.host(str(request.get("host", "")))
        if request.get("do") == "reboot":
            host.reboot(power_loss=bool(request.get("power_loss")))
        elif request.get("do") == "fault":
            host.fault(str(request.get("name", "")), **dict(request.get("args", {})))
        else:
            raise SimulatorError("the lab knows `reboot` and `fault` only")
        return {}

    def close(self) -> None:
        self._control.close()
        self.farm.close()


def _setup(index: int) -> str:
    """The profile of images for the host at `index`: set-ups take turns."""
    return lab_images.SETUPS[index % len(lab_images.SETUPS)]


def _checked(hosts: int, versions: list[str]) -> list[str]:
    if hosts < 1:
        raise SimulatorError(f"{hosts} hosts can't be simulated (would be right: 1 or more)")
    unknown = [version for version in versions if version not in RELEASES]
    if unknown:
        raise SimulatorError(f"no ESXi {unknown[0]!r} is simulated (would be right: {', '.join(RELEASES)})")
    return versions or list(DEFAULT_VERSIONS)


def _folders(out: Path) -> None:
    try:
        for name in ("specs", "keys"):
            (out / name).mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SimulatorError(
            f"can't make the folder {out}: {problem.strerror} (name another with --out)"
        ) from problem


def _keys(folder: Path) -> Keys:
    """The key pairs in the folder, made when they are missing."""
    lines = [
        _pair(folder / name, comment)
        for name, comment in (("root.key", "simulated root"), ("second.key", "second administrator"))
    ]
    stranger = asyncssh.generate_private_key("ecdsa-sha2-nistp256", comment="a stranger").export_public_key()
    return Keys(lines[0], lines[1], stranger)


def _pair(path: Path, comment: str) -> bytes:
    public = path.with_name(path.name + ".pub")
    try:
        if path.exists() and public.exists():
            return public.read_bytes()
        key = asyncssh.generate_private_key("ssh-rsa", comment=comment, key_size=KEY_BITS)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.export_private_key())
        public.write_bytes(key.export_public_key())
        return key.export_public_key()
    except OSError as problem:
        raise SimulatorError(
            f"can't write the key {path}: {problem.strerror} (name another folder with --out)"
        ) from problem


def _model(index: int, version: str, keys: Keys, sdk: bool) -> HostModel:
    name = f"esx-{version.replace('.', '')}-{index + 1:02d}"
    machine = Machine(
        1, "vmguest-1", "datastore1", "vmguest-1/vmguest-1.vmx", annotation="image\n\nvmwarelinux-base7-v0"
    )
    return HostModel(
        name=name,
        version=version,
        authorized_keys=keys.root,
        machines=(machine,),
        sdk=sdk,
        free_licence=sdk and lab_sdk.is_free(index),
    )


# -- for other processes ---------------------------------------------------------------------------------------


def reboot(out: Path, host: str, power_loss: bool = False) -> None:
    """Reboot a host of the lab that runs in `out`; raises SimulatorError, also when it does not come up again."""
    control.ask(out, {"do": "reboot", "host": host, "power_loss": power_loss})


def fault(out: Path, host: str, name: str, **args: int | float | None) -> None:
    """Give a host of the lab in `out` a fault (names: FAULTS; args: count, polls, seconds). Raises SimulatorError."""
    if name not in FAULTS:
        raise SimulatorError(f"there is no fault {name!r} (would be right: {', '.join(FAULTS)})")
    control.ask(out, {"do": "fault", "host": host, "name": name, "args": args})


__all__ = ["DEFAULT_VERSIONS", "FAULTS", "Lab", "SimulatorError", "fault", "reboot", "run"]
