"""Which product answers: `vmware -v` on every ESX and ESXi."""

from __future__ import annotations

import re

from reconciler.facts import Product
from reconciler.faults import Unsupported
from reconciler.observers.ssh.errors import QUOTED

LINE = re.compile(
    r"^(VMware \S.*?) ([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]{1,3}))?(?:\.[0-9]+)* [a-z]*build-([0-9]+)\b",
    re.MULTILINE | re.IGNORECASE,
)
OLDEST, NEWEST = (4, 1, 0), 9
NEXT = "take the host out of the specs, or give the address of an ESXi from 4.1 to 9.x"


def product(text: str) -> Product:
    """The product in what `vmware -v` printed (`VMware ESXi 6.7.0 build-8169922`), from 4.1 to 9.x.

    From 9.0 ESXi is called `VMware ESX` again. Raises faults.Unsupported, which says what answers, for
    everything else: ESX with a service console, ESXi 3.5 and 4.0, a vCenter appliance, a Linux without the
    command.
    """
    match = LINE.search(text)
    if match is None:
        raise Unsupported(f"this is no ESXi: vmware -v printed {_quoted(text)}", next=NEXT)
    version = (int(match[2]), int(match[3]), int(match[4] or 0))
    return managed(Product(match[1], version, match[5]), f"vmware -v printed {_quoted(match[0])}")


def managed(product: Product, said: str) -> Product:
    """The product, if it is one that is managed; `said` is what the host said of itself. Raises faults.Unsupported."""
    reason = _unsupported(product.name.removeprefix("VMware "), product.version)
    if reason:
        raise Unsupported(f"{reason}: {said}", next=NEXT)
    return product


def _quoted(text: str) -> str:
    return repr(text.strip()[:QUOTED]) if text.strip() else "nothing"


def _unsupported(name: str, version: tuple[int, int, int]) -> str | None:
    if name.startswith(("VirtualCenter", "vCenter")):
        return "this is a vCenter, not an ESXi host"
    if name.startswith("ESX Server") or (name == "ESX" and version[0] < NEWEST):
        return "this is an ESX with a service console or an ESXi 3.5, which are not managed"
    if name not in ("ESX", "ESXi"):
        return "this is no ESXi"
    if version < OLDEST:
        return (
            "ESXi before 4.1 is not managed: it has no SSH service, only a line in inetd.conf to edit by hand"
        )
    return "this ESXi is newer than any that is known here" if version[0] > NEWEST else None
