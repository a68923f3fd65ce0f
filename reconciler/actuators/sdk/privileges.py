"""Which vSphere privilege each verb needs over the SDK. Pure; docs/reference/rights.md shows the same table.

Sources: the privilege that the vSphere API reference requires for each call; its appendix on HTTP access for /host.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.records import record

SERVICE = "Host.Config.NetService"
STORAGE = "Host.Config.Storage"
NETWORK = "Host.Config.Network"
FILES = "Datastore.FileManagement"
HOST_FILES = "Host.Config.AdvancedConfig"


@record
class Right:
    """What a verb of a kind needs. `does` is for people, `verb` the name of its class."""

    kind: str
    verb: str
    does: str
    privilege: str


RIGHTS = (
    Right("ssh", "StartSsh", "start the SSH service", SERVICE),
    Right("ssh", "StopSsh", "stop the SSH service", SERVICE),
    Right("ssh", "SetSshPolicy", "let SSH start with the host, or not", SERVICE),
    Right("authorizedKeys", "AppendKeys", "add keys (5.1 and later)", HOST_FILES),
    Right("authorizedKeys", "RewriteKeys", "remove keys (5.1 and later)", HOST_FILES),
    Right("datastore/NAME", "MountNfs", "mount", STORAGE),
    Right("datastore/NAME", "UnmountNfs", "unmount", STORAGE),
    Right("datastore/NAME", "RemountNfs", "replace a mount", STORAGE),
    Right("workingDirectory", "MakeFolder", "make the folder", FILES),
    Right("image/NAME", "CloneDisk", "copy from a repository on the host", FILES),
    Right("portGroup/NAME", "AddSwitch", "add its switch", NETWORK),
    Right("portGroup/NAME", "AddPortGroup", "add it", NETWORK),
    Right("portGroup/NAME", "MovePortGroup", "move it to another switch", NETWORK),
    Right("portGroup/NAME", "SetVlan", "set its VLAN", NETWORK),
)

PRIVILEGES: Mapping[str, str] = MappingProxyType({right.verb: right.privilege for right in RIGHTS})
"""By the verb's name. A verb that is not here is not done over the SDK."""


def privilege(verb: object) -> str:
    """The privilege that a verb needs; empty where none is known."""
    return PRIVILEGES.get(type(verb).__name__, "")
