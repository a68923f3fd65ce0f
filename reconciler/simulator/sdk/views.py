"""What the API shows of a host: properties of managed objects, from the same state that the shell shows.

Shapes and meanings: vSphere API reference; the SSH service's label and policy: field guide, section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reconciler.simulator.esx.network import Net
from reconciler.simulator.sdk import machines
from reconciler.simulator.sdk.objects import about, make, moment, ref
from reconciler.simulator.sdk.soap import ApiFault
from reconciler.simulator.sdk.tasks import Tasks
from reconciler.simulator.volumes import Attached, hardware_uuid

if TYPE_CHECKING:
    from reconciler.simulator.config import Switch
    from reconciler.simulator.host import Host
    from reconciler.simulator.model import PortGroup

MANAGERS = {
    "serviceSystem": ("HostServiceSystem", "serviceSystem"),
    "datastoreSystem": ("HostDatastoreSystem", "ha-datastoresystem"),
    "networkSystem": ("HostNetworkSystem", "networkSystem"),
    "storageSystem": ("HostStorageSystem", "storageSystem"),
    "advancedOption": ("OptionManager", "ha-adv-options"),
    "dateTimeSystem": ("HostDateTimeSystem", "dateTimeSystem"),
    "firmwareSystem": ("HostFirmwareSystem", "firmwareSystem"),
}
POLICY = {True: "on", False: "off"}
VMFS = {"VMFS-3": (3, "3.58"), "VMFS-5": (5, "5.81"), "VMFS-6": (6, "6.82")}


class Views:
    """The properties of one host's objects. `stale` is the free space that hostd knows, by volume id: it asks
    again only when it is told to."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.stale: dict[str, int] = {}
        self.tasks = Tasks()

    def value(self, kind: str, moid: str, path: str) -> Any:
        """The value at a path; None where nothing is set.

        Raises KeyError for an object that is not there, ApiFault for what a real host shows and this one does not.
        """
        tables: dict[str, Callable[[str], dict[str, Callable[[], Any]]]] = {
            "HostSystem": self._host_system,
            "HostServiceSystem": lambda moid: {"serviceInfo": self._services},
            "HostNetworkSystem": lambda moid: {"networkInfo": self._network},
            "OptionManager": lambda moid: {},
            "Datastore": lambda moid: self._datastore(self.volume(moid)),
            "VirtualMachine": lambda moid: machines.properties(self.host, moid),
            "Task": lambda moid: {"info": lambda: self.tasks.info(moid)},
        }
        table = tables[kind](moid)
        words = path.split(".")
        for count in range(len(words), 0, -1):
            head = ".".join(words[:count])
            if head in table:
                value = table[head]()
                for word in words[count:]:
                    value = getattr(value, word, None)
                return value
        raise ApiFault("NotSupported", f"{kind}.{path} is not simulated")

    # -- the host --------------------------------------------------------------------------------------------

    def _host_system(self, moid: str) -> dict[str, Callable[[], Any]]:
        if moid != "ha-host":
            raise KeyError(moid)
        host = self.host
        system = make(
            "HostSystemInfo",
            vendor="VMware, Inc.",
            model="VMware Virtual Platform",
            uuid=hardware_uuid(host.name),
        )
        return {
            "name": lambda: host.name,
            "config.product": lambda: about(host),
            "config.network": self._network,
            "config.service": self._services,
            "configManager": self._managers,
            "datastore": lambda: [ref("Datastore", it.id) for it in self.volumes],
            "vm": lambda: [ref("VirtualMachine", str(it.id)) for it in host.machines],
            "hardware.systemInfo": lambda: system,
            "runtime": lambda: make(
                "HostRuntimeInfo",
                connectionState="connected",
                powerState="poweredOn",
                inMaintenanceMode=host.maintenance,
                bootTime=moment(host.boot_time),
            ),
        }

    def _managers(self) -> Any:
        return make("HostConfigManager", **{name: ref(*it) for name, it in MANAGERS.items()})

    def _services(self) -> Any:
        host = self.host
        ssh = "SSH" if host.release.since(5) else "Remote Tech Support (SSH)"
        rows = [
            ("DCUI", "Direct Console UI", True, "on"),
            ("TSM", "ESXi Shell" if host.release.since(5) else "Local Tech Support", False, "off"),
            ("TSM-SSH", ssh, host.ssh_running, POLICY[host.ssh_policy]),
            ("ntpd", "NTP Daemon", False, "off"),
        ]
        services = [
            make(
                "HostService",
                key=key,
                label=label,
                required=False,
                uninstallable=False,
                running=running,
                policy=policy,
            )
            for key, label, running, policy in rows
        ]
        return make("HostServiceInfo", service=services)

    def _network(self) -> Any:
        net = Net(self.host)
        switches = [self._switch(net, it) for it in self.host.config.switches]
        groups = [self._group(it) for it in self.host.config.port_groups]
        return make("HostNetworkInfo", vswitch=switches, portgroup=groups)

    def _switch(self, net: Net, switch: Switch) -> Any:
        return make(
            "HostVirtualSwitch",
            name=switch.name,
            key=f"key-vim.host.VirtualSwitch-{switch.name}",
            numPorts=switch.ports,
            numPortsAvailable=max(0, switch.ports - net.used(switch.name)),
            mtu=switch.mtu,
            portgroup=[_group_key(it.name) for it in net.groups(switch.name)],
            pnic=[f"key-vim.host.PhysicalNic-{nic}" for nic in switch.uplinks],
            spec=make("HostVirtualSwitchSpec", numPorts=switch.ports, mtu=switch.mtu),
        )

    def _group(self, group: PortGroup) -> Any:
        ports = [
            make("HostPortGroupPort", key=f"{group.name}-{number}", type="virtualMachine", mac=[])
            for number in range(group.clients)
        ]
        return make(
            "HostPortGroup",
            key=_group_key(group.name),
            port=ports,
            vswitch=f"key-vim.host.VirtualSwitch-{group.vswitch}",
            computedPolicy=make("HostNetworkPolicy"),
            spec=make(
                "HostPortGroupSpec",
                name=group.name,
                vlanId=group.vlan,
                vswitchName=group.vswitch,
                policy=make("HostNetworkPolicy"),
            ),
        )

    # -- datastores ------------------------------------------------------------------------------------------

    @property
    def volumes(self) -> list[Attached]:
        """What the API calls datastores: neither boot banks nor what ESXi keeps for itself."""
        return [it for it in self.host.volumes.attached if it.mount is not None or it.type in VMFS]

    def volume(self, moid: str) -> Attached:
        """Raises KeyError."""
        found = next((it for it in self.volumes if it.id == moid), None)
        if found is None:
            raise KeyError(moid)
        return found

    def refresh(self, volume: Attached) -> None:
        """Ask for the free space again."""
        self.stale[volume.id] = volume.volume.free

    def _free(self, volume: Attached) -> int:
        return self.stale.setdefault(volume.id, volume.volume.free) if volume.reached else 0

    def _datastore(self, volume: Attached) -> dict[str, Callable[[], Any]]:
        return {
            "name": lambda: volume.name,
            "summary": lambda: self._summary(volume),
            "info": lambda: self._info(volume),
            "host": lambda: [
                make("DatastoreHostMount", key=ref("HostSystem", "ha-host"), mountInfo=self._mount(volume))
            ],
            "browser": lambda: ref("HostDatastoreBrowser", f"browser-{volume.id}"),
            "vm": lambda: [
                ref("VirtualMachine", str(it.id)) for it in self.host.machines if it.datastore == volume.name
            ],
        }

    def _url(self, volume: Attached) -> str:
        """Up to 5.x the path, with a slash behind it in later ones (captures of listsummary)."""
        path = f"/vmfs/volumes/{volume.id}"
        return f"ds://{path}/" if self.host.release.since(5) else path

    def _summary(self, volume: Attached) -> Any:
        kind = {"3": "NFS", "4.1": "NFS41"}[volume.mount.version] if volume.mount else "VMFS"
        return make(
            "DatastoreSummary",
            datastore=ref("Datastore", volume.id),
            name=volume.name,
            url=self._url(volume),
            capacity=volume.volume.capacity if volume.reached else 0,
            freeSpace=self._free(volume),
            accessible=self._accessible(volume),
            multipleHostAccess=volume.mount is not None,
            type=kind,
            maintenanceMode="normal",
        )

    def _accessible(self, volume: Attached) -> bool:
        """A fresh mount may need a few looks."""
        if volume.hidden > 0:
            volume.hidden -= 1
            return False
        return volume.reached

    def _mount(self, volume: Attached) -> Any:
        read_only = volume.mount is not None and volume.mount.read_only
        return make(
            "HostMountInfo",
            path=f"/vmfs/volumes/{volume.id}",
            accessMode="readOnly" if read_only else "readWrite",
            mounted=True,
            accessible=volume.reached,
        )

    def _info(self, volume: Attached) -> Any:
        free = self._free(volume)
        common = {
            "name": volume.name,
            "url": self._url(volume),
            "freeSpace": free,
            "maxFileSize": 1 << 46,
            "maxMemoryFileSize": 1 << 46,
        }
        if volume.mount is not None:
            return make("NasDatastoreInfo", **common, nas=self._nas(volume))
        major, version = VMFS[volume.type]
        vmfs = make(
            "HostVmfsVolume",
            type="VMFS",
            name=volume.name,
            capacity=volume.volume.capacity,
            blockSizeMb=max(1, volume.volume.file_block >> 20),
            maxBlocks=63963136,
            majorVersion=major,
            version=version,
            uuid=volume.id,
            extent=[make("HostScsiDiskPartition", diskName="mpx.vmhba1:C0:T0:L0", partition=3)],
            vmfsUpgradable=False,
            local=True,
        )
        return make(
            "VmfsDatastoreInfo", **common, maxPhysicalRDMFileSize=0, maxVirtualRDMFileSize=0, vmfs=vmfs
        )

    def _nas(self, volume: Attached) -> Any:
        mount = volume.mount
        assert mount is not None
        servers = mount.server.split(",")
        more = {"remoteHostNames": servers, "securityType": "AUTH_SYS"} if mount.version == "4.1" else {}
        return make(
            "HostNasVolume",
            type="NFS" if mount.version == "3" else "NFS41",
            name=volume.name,
            capacity=volume.volume.capacity if volume.reached else 0,
            remoteHost=servers[0] if mount.version == "4.1" else mount.server,
            remotePath=mount.share,
            userName="",
            **more,
        )


def _group_key(name: str) -> str:
    return f"key-vim.host.PortGroup-{name}"
