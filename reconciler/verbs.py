"""What can be done to a host, as frozen values: shown, ordered, weighed, held back, and only then done.

`title` is one line for people. `saved` tells that what the verb changes lives in the configuration that ESXi saves,
so that a pass that did it owes a backup.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from hashlib import md5

from reconciler.facts import NfsSource
from reconciler.records import record


@record
class Verb(ABC):
    """Base of all verbs."""

    @property
    def saved(self) -> bool:
        """Whether what it changes lives in the configuration that ESXi saves."""
        return False

    @property
    @abstractmethod
    def title(self) -> str:
        """One line for people."""


class Configuring(Verb):
    """A verb that changes the saved configuration."""

    @property
    def saved(self) -> bool:
        return True


@record
class KeysVerb(Verb):
    """A verb on root's keys file at `path`, which is saved from 5.0 on; on 4.x it lies outside /etc."""

    path: str

    @property
    def saved(self) -> bool:
        return self.path.startswith("/etc/")


@record
class StartSsh(Verb):
    @property
    def title(self) -> str:
        return "start the SSH service"


@record
class StopSsh(Verb):
    @property
    def title(self) -> str:
        return "stop the SSH service"


@record
class SetSshPolicy(Configuring):
    """Whether SSH starts with the host."""

    on: bool

    @property
    def title(self) -> str:
        return "start SSH with the host" if self.on else "do not start SSH with the host"


@record
class AppendKeys(KeysVerb):
    """Add whole lines at the end of root's authorized_keys, which keeps its inode, mode and every other byte.

    `create`: there is no file yet.
    """

    lines: tuple[bytes, ...]
    create: bool = False

    @property
    def title(self) -> str:
        return f"add {_count(len(self.lines), 'key')} to {self.path}"


@record
class MarkKeys(KeysVerb):
    """Set ESXi's mark for saving (the sticky bit) on a keys file that lacks it."""

    @property
    def title(self) -> str:
        return f"mark {self.path} for saving"


@record
class RewriteKeys(KeysVerb):
    """Replace the text of root's authorized_keys in place, provided that it is still `old`."""

    old: bytes
    new: bytes
    removed: int

    @property
    def title(self) -> str:
        return f"remove {_count(self.removed, 'key')} from {self.path}"


@record
class ArchiveKeys(Verb):
    """4.x: put /.ssh into the boot bank's vcl.tgz, whole or not at all."""

    @property
    def title(self) -> str:
        return "archive /.ssh as vcl.tgz in the boot bank"


@record
class ReplaceBootConfig(Verb):
    """4.x: replace boot.cfg in one rename, provided that it is still `old`; the old one stays beside it."""

    old: bytes
    new: bytes

    @property
    def title(self) -> str:
        return "name vcl.tgz in the modules line of boot.cfg"


@record
class SaveConfiguration(Verb):
    """Back up the configuration to the boot bank, and see that the archive there is a new one."""

    @property
    def title(self) -> str:
        return "save the configuration to the boot bank"


@record
class OweBackup(Verb):
    """Leave a note on the host (in /var/run, gone at a boot) that a resource's change is not saved yet."""

    resource: str

    @property
    def title(self) -> str:
        return "note that a backup is owed"


@record
class MountNfs(Configuring):
    name: str
    source: NfsSource

    @property
    def title(self) -> str:
        return f"mount {self.source.server}:{self.source.path} as {self.name}"


@record
class UnmountNfs(Configuring):
    name: str
    version: str

    @property
    def title(self) -> str:
        return f"unmount {self.name}"


@record
class RemountNfs(Configuring):
    """Take a mount away and make it anew; if the new one fails, the old one comes back."""

    name: str
    old: NfsSource
    new: NfsSource

    @property
    def title(self) -> str:
        return f"replace the mount {self.name} by {self.new.server}:{self.new.path}"


@record
class MakeFolder(Verb):
    """Make a folder and those above it, below an existing datastore."""

    path: str

    @property
    def title(self) -> str:
        return f"make the folder {self.path}"


@record
class AddSwitch(Configuring):
    name: str

    @property
    def title(self) -> str:
        return f"add the standard switch {self.name}, without uplinks"


@record
class AddPortGroup(Configuring):
    name: str
    vswitch: str

    @property
    def title(self) -> str:
        return f"add the port group {self.name} to {self.vswitch}"


@record
class MovePortGroup(Configuring):
    """Take a port group from one switch to another, with its VLAN; if that fails, it comes back."""

    name: str
    old_switch: str
    new_switch: str
    old_vlan: int
    new_vlan: int

    @property
    def title(self) -> str:
        return f"move the port group {self.name} from {self.old_switch} to {self.new_switch}, VLAN {self.new_vlan}"


@record
class SetVlan(Configuring):
    name: str
    vswitch: str
    vlan: int

    @property
    def title(self) -> str:
        return f"set VLAN {self.vlan} on the port group {self.name}"


@record
class PlacementVerb(Verb):
    """A verb on the inventory of the vCenter: below `parent` (its id; `path` are the names that lead there) each of
    `names` is made in the one before, unless it is there."""

    parent: str
    path: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def whole(self) -> str:
        """The path of the last one that is made."""
        return "/" + "/".join((*self.path, *self.names))


@record
class CreateResourcePools(PlacementVerb):
    @property
    def title(self) -> str:
        return f"make the resource pool {self.whole} in the vCenter"


@record
class CreateVmFolders(PlacementVerb):
    @property
    def title(self) -> str:
        return f"make the folder {self.whole} of VMs and Templates in the vCenter"


def digest(content: bytes) -> str:
    """What `md5sum` of the host prints for `content`; every ESXi has that tool (a guard against races, no secret)."""
    return md5(content, usedforsecurity=False).hexdigest()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
