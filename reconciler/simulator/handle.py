"""A host of a farm, for tests and tools: safe to use from any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.faults import Fault
from reconciler.simulator.handle_files import Files, Stat
from reconciler.simulator.host import Executed, Host
from reconciler.simulator.listener import Listener
from reconciler.simulator.model import NfsMount, PortGroup
from reconciler.simulator.saved import saved_files
from reconciler.simulator.strikes import relieve, strike
from reconciler.simulator.vms.hand import Doer, Machines
from reconciler.simulator.volumes import Attached, uuid

if TYPE_CHECKING:
    from reconciler.simulator.sdk.port import SdkPort

__all__ = ["Files", "HostHandle", "Stat"]


class HostHandle(Machines):
    """One host: where to reach it, what it has done, and a hand on its world.

    What is put into the world here is saved at once, as if an hourly backup had run since, unless `saved` is False.
    """

    def __init__(self, host: Host, listener: Listener, do: Doer, sdk: SdkPort | None = None) -> None:
        self._host, self._listener, self._do, self._sdk = host, listener, do, sdk
        self.name = host.name
        self.files = Files(host, do)

    # -- looking ---------------------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        return self._listener.address

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def host_keys(self) -> list[str]:
        """`type base64` lines."""
        return self._listener.host_keys

    @property
    def sdk(self) -> SdkPort:
        """The port of the SDK. Raises SimulatorError for a host without one."""
        if self._sdk is None:
            raise SimulatorError(f"{self.name} does not answer the SDK (make it with sdk=True)")
        return self._sdk

    @property
    def sdk_port(self) -> int:
        return self.sdk.port

    @property
    def thumbprint(self) -> str:
        """`SHA256:AA:BB:…` of the certificate."""
        return self.sdk.thumbprint

    @property
    def certificate(self) -> bytes:
        """The certificate, in DER."""
        return self.sdk.certificate

    @property
    def sdk_calls(self) -> list[str]:
        """The methods of the API that were called, in order."""
        return self._do(lambda: list(self.sdk.agent.called))

    @property
    def sdk_logins(self) -> list[tuple[str, bool]]:
        """Who tried to log in over the SDK or HTTPS, and whether it went well."""
        return self._do(lambda: list(self.sdk.agent.logins))

    @property
    def version(self) -> str:
        return self._host.release.name

    @property
    def keys_path(self) -> str:
        return self._host.release.keys_path

    @property
    def executed(self) -> list[Executed]:
        """The programs that ran, and the builtins that wrote a file, in order; the last `REMEMBERED` of them."""
        return self._do(lambda: list(self._host.executed))

    @property
    def execs(self) -> int:
        """How many exec requests there were."""
        return self._do(lambda: self._host.execs)

    @property
    def logins(self) -> list[tuple[str, bool]]:
        return self._do(lambda: list(self._host.logins))

    @property
    def up(self) -> bool:
        return self._do(lambda: self._host.up)

    @property
    def down_reason(self) -> str:
        """Why it did not boot; "" while it is up."""
        return self._do(lambda: self._host.down_reason)

    @property
    def ssh(self) -> tuple[bool, bool]:
        """Whether SSH runs, and whether it starts with the host."""
        return self._do(lambda: (self._host.ssh_running, self._host.ssh_policy))

    @property
    def mounts(self) -> list[NfsMount]:
        return self._do(lambda: list(self._host.config.mounts))

    @property
    def port_groups(self) -> list[PortGroup]:
        return self._do(lambda: list(self._host.config.port_groups))

    @property
    def saved(self) -> dict[str, bytes] | None:
        """What a power loss now would bring back of /etc, by path without the first slash (`etc/hosts`)."""
        return self._do(lambda: saved_files(self._host))

    def digest(self) -> str:
        """A hash of the complete state: equal before and after what has changed nothing."""
        return self._do(self._host.digest)

    # -- doing -----------------------------------------------------------------------------------------------

    def reboot(self, power_loss: bool = False) -> None:
        """Boot again. Raises BootFailure when it does not come up."""
        self._do(lambda: self._host.reboot(power_loss))

    def save(self) -> None:
        """A configuration backup that nobody sees."""
        self._do(self._host.keep)

    def fault(
        self, name: str, count: int = 1, polls: int | None = None, seconds: float | None = None
    ) -> None:
        """Put a fault in force (names in `faults.FAULTS`); raises SimulatorError for one that is none."""
        self._do(lambda: strike(self._host, Fault(name, count, polls, seconds)))

    def clear_faults(self) -> None:
        self._do(lambda: relieve(self._host))

    def forget(self) -> None:
        """Begin a new record: `executed`, `execs` and `logins` are empty."""

        def work() -> None:
            self._host.executed.clear()
            self._host.logins.clear()
            self._host.execs = 0

        self._do(work)

    def set_ssh(self, running: bool | None = None, policy: bool | None = None) -> None:
        def work() -> None:
            if policy is not None:
                self._host.ssh_policy = policy
                self._host.keep()
            if running is not None:
                self._host.set_ssh(running)

        self._do(work)

    # -- the world -------------------------------------------------------------------------------------------

    def _change(self, work: Callable[[], Any], saved: bool) -> None:
        def changed() -> None:
            work()
            if saved:
                self._host.keep()
            else:
                self._host.commit()

        self._do(changed)

    def add_datastore(self, name: str, capacity: int = 64 << 30, saved: bool = True) -> None:
        """A further VMFS volume (capacity in bytes)."""

        def work() -> None:
            volume = Attached(
                uuid(f"{self.name}/{name}"),
                name,
                self._host.vmfs_type,
                self._host.vmfs_volume(capacity),
            )
            self._host.vmfs.append(volume)
            self._host.volumes.attach(volume)

        self._change(work, saved)

    def mount_nfs(
        self,
        name: str,
        server: str,
        share: str,
        version: str = "3",
        read_only: bool = False,
        saved: bool = True,
    ) -> None:
        """A mount that is there already; its server may be down or not exist."""
        mount = NfsMount(name, server, share, version, read_only)

        def work() -> None:
            self._host.config.mounts.append(mount)
            self._host.volumes.restore(mount)

        self._change(work, saved)

    def unmount_nfs(self, name: str, saved: bool = True) -> None:
        def work() -> None:
            mount = self._host.config.mount(name)
            if mount is not None:
                self._host.volumes.unmount(name, mount.version)

        self._change(work, saved)

    def add_port_group(
        self, name: str, vswitch: str = "vSwitch0", vlan: int = 0, clients: int = 0, saved: bool = True
    ) -> None:
        """A port group that is there already, with its switch; it replaces one of that name."""
        self._change(lambda: self._host.place_port_group(PortGroup(name, vswitch, vlan, clients)), saved)

    def remove_port_group(self, name: str, saved: bool = True) -> None:
        def work() -> None:
            self._host.config.port_groups = [
                each for each in self._host.config.port_groups if each.name != name
            ]

        self._change(work, saved)

    def fill(self, datastore: str, free: int | None) -> None:
        """Something has taken the room of a datastore: so many bytes are left (None: it is given back)."""

        def work() -> None:
            volume = self._host.volumes.by_name(datastore)
            assert volume is not None
            volume.volume.fill(free)

        self._do(work)

    def space(self, datastore: str) -> tuple[int, int]:
        """Capacity and free bytes of a datastore."""

        def work() -> tuple[int, int]:
            volume = self._host.volumes.by_name(datastore)
            assert volume is not None
            return volume.volume.capacity, volume.volume.free

        return self._do(work)

    @property
    def running(self) -> dict[int, list[str]]:
        """Long commands that run now, by pid."""
        return self._do(lambda: dict(self._host.running))

    @property
    def modules(self) -> set[str]:
        """VMkernel modules that were loaded by hand."""
        return self._do(lambda: set(self._host.modules))

    def set_clone_rate(self, rate: float | None) -> None:
        """Bytes per second of clones from now on."""
        self._do(lambda: setattr(self._host.model, "clone_rate", rate))

    def open_file_on(self, datastore: str, is_open: bool = True) -> None:
        """Files on a datastore are open: it can't be unmounted."""

        def work() -> None:
            (self._host.open_files.add if is_open else self._host.open_files.discard)(datastore)

        self._do(work)

    def set_option(self, path: str, value: str, saved: bool = True) -> None:
        """An advanced option (`/NFS/MaxVolumes`)."""
        self._change(lambda: self._host.config.advanced.__setitem__(path, value), saved)
