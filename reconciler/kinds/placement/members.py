"""Which host of an inventory is the one that is asked for: by name, by address, last by hardware."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address

from reconciler.facts import Facts, Unseen
from reconciler.placement_facts import HardwareUuid, Member, Tree

NO_UUID = re.compile(r"0*|f*")
"""What broken firmware tells (field guide, esxi.md section 3)."""


def by_name_or_address(tree: Tree, names: Iterable[str]) -> tuple[Member, ...]:
    """The hosts that the vCenter calls so, by the first name that any has; else those with one of the addresses."""
    for name in names:
        found = tuple(member for member in tree.members if member.name.casefold() == name.casefold())
        if found:
            return found
    own = {_address(it) for it in tree.addresses}
    return tuple(it for it in tree.members if own & set(map(_address, (it.name, *it.addresses))))


def _address(text: str) -> str:
    """An IP address in its one spelling; anything else as it is."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return text


def members_of(tree: Tree, names: Iterable[str], facts: Facts) -> tuple[Member, ...]:
    """The hosts of the inventory that may be this one: by name, by address, last by hardware."""
    found = by_name_or_address(tree, names)
    uuid = facts.see(HardwareUuid())
    if found or isinstance(uuid, Unseen):
        return found
    return tuple(member for member in tree.members if _same_hardware(member.uuid, uuid))


def _same_hardware(one: str, other: str) -> bool:
    """Whether two UUIDs are one: of the first three groups, makers write the bytes in either order (SMBIOS 2.6)."""
    left, right = (re.sub(r"[^0-9a-f]", "", text.lower()) for text in (one, other))
    if len(left) != 32 or len(right) != 32 or NO_UUID.fullmatch(left):
        return False
    swapped = (
        left[6:8] + left[4:6] + left[2:4] + left[:2] + left[10:12] + left[8:10] + left[14:16] + left[12:14]
    )
    return right in (left, swapped + left[16:])
