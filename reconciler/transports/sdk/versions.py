"""What answers at an address: is it ESXi's agent, or a vCenter, and which version of the API it speaks."""

from __future__ import annotations

import re
from typing import Any

from pyVmomi import VmomiSupport

from reconciler.faults import Fault, Unreachable, Unsupported
from reconciler.records import record
from reconciler.transports.sdk.https import AWAY, TRY_LATER, HttpAnswer
from reconciler.transports.sdk.target import SdkTarget

LIST = "/sdk/vimServiceVersions.xml"
MOST_BYTES = 256 * 1024
OLDEST = "vim.version.version5"
_VIM25 = re.compile(rb"<name>\s*urn:vim25\s*</name>(.*?)</namespace>", re.DOTALL)
_VERSION = re.compile(rb"<version>\s*([0-9A-Za-z.]{1,20})\s*</version>")


@record
class About:
    """What answers: `VMware ESXi`, `6.7.0`, `8169922`, and `HostAgent` or `VirtualCenter`."""

    name: str
    version: str
    build: str
    api_type: str


def best(answer: HttpAnswer, target: SdkTarget) -> str:
    """pyVmomi's name of the newest version of the API that both sides speak, from LIST.

    Raises faults.Unsupported when no such file is there, as on any other web server, faults.Unreachable for 502 to 504.
    """
    if answer.status in AWAY:
        raise Unreachable(
            f"{target.place}: the management agent (hostd) is not ready ({answer.status} {answer.reason})",
            next="it needs up to a minute after a start; try again then",
        )
    listed = _VIM25.search(answer.body) if answer.status == 200 else None
    if listed is None:
        raise foreign(
            target, f"asked for the versions of the vSphere API it says {answer.status} {answer.reason}"
        )
    spoken = {found.decode() for found in _VERSION.findall(listed[1])}
    ours = {
        number: name for name, number in VmomiSupport.versionIdMap.items() if name.startswith("vim.version.")
    }
    common = sorted((_order(number), ours[number]) for number in spoken if number in ours)
    return common[-1][1] if common else OLDEST


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", number))


def checked(about: Any, target: SdkTarget) -> About:
    """Who it is. Raises faults.Unsupported when it is not what the spec takes it for."""
    found = About(
        *(
            " ".join(str(getattr(about, name, "") or "").split())
            for name in ("name", "version", "build", "apiType")
        )
    )
    if found.api_type == target.api:
        return found
    if found.api_type == "VirtualCenter":
        raise Unsupported(
            f"{target.place}: a vCenter answers there ({found.name} {found.version}), not an ESXi host",
            next=f"give the host's own address, and the vCenter's under access.vcenter, not under {target.field}",
        )
    if found.api_type == "HostAgent":
        raise Unsupported(
            f"{target.place}: an ESXi host answers there ({found.name} {found.version}), not a vCenter",
            next=f"give the vCenter's address under {target.field}",
        )
    raise foreign(target, f"it calls itself {found.name or 'nothing'} ({found.api_type or 'of no type'})")


def foreign(target: SdkTarget, what: str) -> Fault:
    """What to raise for a server that is none of VMware's."""
    wanted = "ESXi host" if target.api == "HostAgent" else "vCenter"
    return Unsupported(
        f"{target.place}: what answers there is no {wanted}: {what}; no password was sent",
        next=f"correct the address, or {target.field}.port. {TRY_LATER}",
    )
