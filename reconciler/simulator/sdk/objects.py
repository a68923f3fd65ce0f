"""Making what the API shows: data objects, references, times; and who a host says it is."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from reconciler.simulator.sdk.soap import ApiFault, support
from reconciler.simulator.sdk.versions import newest

if TYPE_CHECKING:
    from reconciler.simulator.host import Host


def make(name: str, /, **fields: Any) -> Any:
    """A data object by its name in the API."""
    return support.GetWsdlType("urn:vim25", name)(**fields)


def ref(kind: str, moid: str) -> Any:
    """A reference to a managed object."""
    return support.GetWsdlType("urn:vim25", kind)(moid, None)


def moment(seconds: float) -> Any:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def gone(kind: str, moid: str) -> ApiFault:
    """There is no such object."""
    message = "The object has already been deleted or has not been completely created"
    return ApiFault("ManagedObjectNotFound", message, obj=ref(kind, moid))


def about(host: Host) -> Any:
    release = host.release
    return make(
        "AboutInfo",
        name=release.product,
        fullName=f"{release.product} {release.number} build-{release.build}",
        vendor="VMware, Inc.",
        version=release.number,
        build=release.build,
        osType="vmnix-x86",
        productLineId="embeddedEsx",
        apiType="HostAgent",
        apiVersion=newest(release.version),
    )
