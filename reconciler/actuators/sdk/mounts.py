"""NFS mounts over the SDK: HostDatastoreSystem.

RemoveDatastore takes any datastore away, a VMFS volume with all that is on it too. So what is removed is looked at
just before, and only an NFS mount is.
"""

from __future__ import annotations

from typing import Any

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.describing import access_mode, nas_type
from reconciler.actuators.sdk.halves import finish, left_undone
from reconciler.actuators.sdk.refusals import refusal, words
from reconciler.actuators.sdk.session import Managers, Session
from reconciler.actuators.sdk.volumes import Volume, volumes
from reconciler.actuators.work import Work
from reconciler.facts import NfsSource
from reconciler.faults import Fault
from reconciler.records import record
from reconciler.transports.sdk.answers import MethodFault
from reconciler.verbs import MountNfs, RemountNfs, UnmountNfs

CHANGED = "it is not the mount any more that it was when it was looked at"


@record
class Mounts:
    """What the three verbs need."""

    session: Session
    managers: Managers
    work: Work

    def mount(self, verb: MountNfs) -> Answer:
        """Raises MethodFault, Stumbled, faults.Unreachable."""
        self._create(verb.name, verb.source)
        return Answer(True)

    def unmount(self, verb: UnmountNfs) -> Answer:
        """Raises as `mount`."""
        found = self._volume(verb.name)
        if found is None:
            return Answer(True)
        if found.nfs is None or found.nfs.version != verb.version:
            return Answer(False, CHANGED)
        self._remove(found)
        return Answer(True)

    def remount(self, verb: RemountNfs) -> Answer:
        """Out and in; when the new one is refused, the old one comes back. Raises as `mount`."""
        found = self._volume(verb.name)
        if found is None or found.nfs is None or not _same_place(found.nfs, verb.old):
            return Answer(False, CHANGED)
        self._remove(found)
        try:
            self._make_sure(verb.name, verb.new)
        except MethodFault as fault:
            return self._back(verb, found.nfs, found.security, refusal(fault, verb))
        except Fault as gone:
            raise left_undone(
                gone, f"{verb.name} was unmounted, and is not known to be mounted anew"
            ) from gone
        return Answer(True)

    def _back(self, verb: RemountNfs, old: NfsSource, security: str, refused: Answer) -> Answer:
        try:
            self._make_sure(verb.name, old, security)
        except MethodFault as fault:
            back = f"and {old.server}:{old.path} could not be mounted again: {words(fault)}"
        except Fault as gone:
            raise left_undone(
                gone, f"{verb.name} was unmounted, and is not known to be mounted again"
            ) from gone
        else:
            back = f"{old.server}:{old.path} is mounted again"
        return Answer(False, f"{refused.said}; {back}", next=refused.next)

    def _make_sure(self, name: str, source: NfsSource, security: str = "") -> None:
        def there() -> bool:
            found = self._volume(name)
            return found is not None and found.nfs is not None and _same_place(found.nfs, source)

        finish(self.work, lambda: self._create(name, source, security), there)

    def _create(self, name: str, source: NfsSource, security: str = "") -> None:
        """`remoteHost` is the one server of NFS 3; NFS 4.1 takes the list (vSphere API reference)."""
        servers = source.server.split(",") if source.version == "4.1" else [source.server]
        spec = self.session.make(
            "HostNasVolumeSpec",
            remoteHost=servers[0],
            remotePath=source.path,
            localPath=name,
            accessMode=access_mode(source),
            type=nas_type(source),
            remoteHostNames=servers if source.version == "4.1" else [],
            securityType=security or None,
        )
        self.session.call(self._system, "CreateNasDatastore", spec=spec)

    def _remove(self, found: Volume) -> None:
        self.session.call(self._system, "RemoveDatastore", datastore=found.object)

    @property
    def _system(self) -> Any:
        return self.managers.get("datastoreSystem")

    def _volume(self, name: str) -> Volume | None:
        return next((it for it in volumes(self.session) if it.name == name), None)


def _same_place(one: NfsSource, other: NfsSource) -> bool:
    """Read-only or not may have been unknown when it was looked at."""
    return (one.server, one.path, one.version) == (other.server, other.path, other.version)
