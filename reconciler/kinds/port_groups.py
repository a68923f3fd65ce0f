"""`portGroup/NAME`: standard port groups, which VCL calls virtual switches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from reconciler.facts import Facts, Network, NetworkState, PortGroup, Question, Unseen
from reconciler.kinds.model import Change, Fragment, Kind, Resource, Risk, Verdict, Wisher, differences
from reconciler.verbs import AddPortGroup, AddSwitch, RemovePortGroup, SetVlan, Verb

PortGroupName = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^-\x00-\x1f\x7f][^\x00-\x1f\x7f]*$")
]
SwitchName = Annotated[
    str, StringConstraints(min_length=1, max_length=31, pattern=r"^[^-\s\x00-\x1f\x7f][^\s\x00-\x1f\x7f]*$")
]


class PortGroupWish(Fragment):
    """One port group; `{}` means that it must exist."""

    vswitch: SwitchName | None = Field(
        default=None,
        description="its standard switch, made without uplinks when missing",
        examples=["vSwitch0"],
    )
    vlan: int | None = Field(
        default=None, ge=0, le=4095, description="VLAN id: 0 none, 4095 all", examples=[10]
    )


class PortGroupsWish(Fragment):
    """`spec.portGroups`."""

    port_groups: dict[PortGroupName, PortGroupWish] | None = Field(
        default=None,
        description="standard port groups by name (case-sensitive)",
        examples=[{"Private": {"vswitch": "vSwitch0", "vlan": 10}, "Public": {}}],
    )


@dataclass(frozen=True)
class PortGroupResource:
    """One port group. `first` is the resource that makes the switch, when several wish the same new one."""

    port_group: str
    wish: PortGroupWish
    first: str

    @property
    def name(self) -> str:
        return f"portGroup/{self.port_group}"

    @property
    def place(self) -> tuple[str, ...]:
        return ("portGroups", self.port_group)

    def needs(self, facts: Facts) -> tuple[str, ...]:
        seen = facts.see(NetworkState())
        if self.wish.vswitch is None or self.first == self.name:
            return ()
        if isinstance(seen, Unseen) or self.wish.vswitch in seen.vswitches:
            return ()
        return (self.first,)

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield NetworkState()

    def judge(self, facts: Facts) -> Verdict:
        seen = facts.see(NetworkState())
        if isinstance(seen, Unseen):
            return Verdict(unknown=seen.why)
        found = next((group for group in seen.port_groups if group.name == self.port_group), None)
        if found is None:
            return self._missing(seen)
        if self.wish.vswitch not in (None, found.vswitch):
            return Verdict(changes=(self._move(found, seen),))
        return Verdict(changes=self._vlan(found))

    def _missing(self, seen: Network) -> Verdict:
        if self.wish.vswitch is None:
            return Verdict(held=(self._absent(seen),))
        wanted = differences({}, {"vswitch": self.wish.vswitch, "vlan": self.wish.vlan})
        actions = (*self._making(self.wish.vswitch, seen), *self._tagging(0, self.wish.vlan))
        return Verdict(
            changes=(Change("create", Risk.SAFE, wanted, actions, "there is no such port group", self.place),)
        )

    def _absent(self, seen: Network) -> str:
        near = [it.name for it in seen.port_groups if it.name.casefold() == self.port_group.casefold()]
        also = f" (there is {near[0]!r}; names are case-sensitive)" if near else ""
        return (
            f"there is no port group {self.port_group!r}{also}, and the spec names no vswitch to make it on"
        )

    def _making(self, vswitch: str, seen: Network) -> tuple[Verb, ...]:
        add = AddPortGroup(self.port_group, vswitch)
        mine = vswitch not in seen.vswitches and self.first == self.name
        return (AddSwitch(vswitch), add) if mine else (add,)

    def _tagging(self, current: int, wanted: int | None) -> tuple[Verb, ...]:
        vlan = current if wanted is None else wanted
        return (SetVlan(self.port_group, self.wish.vswitch or "", vlan),) if vlan else ()

    def _move(self, found: PortGroup, seen: Network) -> Change:
        vswitch = self.wish.vswitch or ""
        wanted = differences(
            {"vswitch": found.vswitch, "vlan": found.vlan}, {"vswitch": vswitch, "vlan": self.wish.vlan}
        )
        actions = (
            *(action for action in self._making(vswitch, seen) if isinstance(action, AddSwitch)),
            RemovePortGroup(self.port_group, found.vswitch),
            AddPortGroup(self.port_group, vswitch),
            *self._tagging(found.vlan, self.wish.vlan),
        )
        why = f"it is on {found.vswitch} with {_clients(found)}; policies of its own are lost when it moves"
        return Change("update", Risk.LINK, wanted, actions, why, (*self.place, "vswitch"))

    def _vlan(self, found: PortGroup) -> tuple[Change, ...]:
        wanted = differences({"vlan": found.vlan}, {"vlan": self.wish.vlan})
        if not wanted or self.wish.vlan is None:
            return ()
        risk = Risk.LINK if found.clients else Risk.SAFE
        action = SetVlan(self.port_group, found.vswitch, self.wish.vlan)
        why = f"it has VLAN {found.vlan}, with {_clients(found)}"
        return (Change("update", risk, wanted, (action,), why, (*self.place, "vlan")),)


def _clients(group: PortGroup) -> str:
    if not group.clients:
        return "no client"
    return "1 client" if group.clients == 1 else f"{group.clients} clients"


def resources(wish: PortGroupsWish, wisher: Wisher) -> Iterable[Resource]:
    """One resource a port group, by name."""
    makers: dict[str | None, str] = {}
    for name, group in sorted((wish.port_groups or {}).items()):
        first = makers.setdefault(group.vswitch, f"portGroup/{name}")
        yield PortGroupResource(name, group, first)


KIND = Kind("portGroup", "", PortGroupsWish, resources)
