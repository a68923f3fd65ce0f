"""`portGroup/NAME`: standard port groups, which VCL calls virtual switches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from reconciler.facts import Facts, Network, NetworkState, PortGroup, Question, Unseen
from reconciler.kinds.model import (
    Change,
    Finder,
    Found,
    Fragment,
    Kind,
    Resource,
    Risk,
    Stage,
    Verdict,
    Wisher,
    differences,
)
from reconciler.records import record
from reconciler.verbs import AddPortGroup, AddSwitch, MovePortGroup, SetVlan, Verb

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


@record
class PortGroupResource:
    """One port group. `sharing` names all port groups of the spec, this one too, that wish the same switch."""

    port_group: str
    wish: PortGroupWish
    sharing: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"portGroup/{self.port_group}"

    @property
    def place(self) -> tuple[str, ...]:
        return ("portGroups", self.port_group)

    def needs(self, facts: Facts) -> tuple[str, ...]:
        """Where several wish one new switch, the others wait for the one that makes it."""
        seen = facts.see(NetworkState())
        if self.wish.vswitch is None or isinstance(seen, Unseen) or self.wish.vswitch in seen.vswitches:
            return ()
        maker = self._maker(seen)
        return () if maker == self.port_group else (f"portGroup/{maker}",)

    def _maker(self, seen: Network) -> str:
        """Who makes the switch: one that is new itself, since that is safe, or else the first."""
        there = {group.name for group in seen.port_groups}
        return next((name for name in self.sharing if name not in there), self.sharing[0])

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
        adding = AddPortGroup(self.port_group, self.wish.vswitch)
        tagging = (SetVlan(self.port_group, self.wish.vswitch, self.wish.vlan),) if self.wish.vlan else ()
        actions = (*self._making(self.wish.vswitch, seen), adding, *tagging)
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
        mine = vswitch not in seen.vswitches and self._maker(seen) == self.port_group
        return (AddSwitch(vswitch),) if mine else ()

    def _move(self, found: PortGroup, seen: Network) -> Change:
        vswitch = self.wish.vswitch or ""
        vlan = found.vlan if self.wish.vlan is None else self.wish.vlan
        before = {"vswitch": found.vswitch, "vlan": found.vlan}
        wanted = differences(before, {"vswitch": vswitch, "vlan": self.wish.vlan})
        move = MovePortGroup(self.port_group, found.vswitch, vswitch, found.vlan, vlan)
        actions = (*self._making(vswitch, seen), move)
        why = f"it is on {found.vswitch} with {_clients(found)}; policies of its own are lost when it moves"
        return Change("update", Risk.LINK, wanted, actions, why, (*self.place, "vswitch"), Stage.LINK)

    def _vlan(self, found: PortGroup) -> tuple[Change, ...]:
        wanted = differences({"vlan": found.vlan}, {"vlan": self.wish.vlan})
        if not wanted or self.wish.vlan is None:
            return ()
        risk, stage = (Risk.LINK, Stage.LINK) if found.clients else (Risk.SAFE, Stage.NORMAL)
        action = SetVlan(self.port_group, found.vswitch, self.wish.vlan)
        why = f"it has VLAN {found.vlan}, with {_clients(found)}"
        return (Change("update", risk, wanted, (action,), why, (*self.place, "vlan"), stage),)


def _clients(group: PortGroup) -> str:
    if not group.clients:
        return "no client"
    return "1 client" if group.clients == 1 else f"{group.clients} clients"


def resources(wish: PortGroupsWish, wisher: Wisher) -> Iterable[Resource]:
    """One resource a port group, by name."""
    groups = sorted((wish.port_groups or {}).items())
    sharing: dict[str | None, list[str]] = {}
    for name, group in groups:
        sharing.setdefault(group.vswitch, []).append(name)
    for name, group in groups:
        yield PortGroupResource(name, group, tuple(sharing[group.vswitch]))


def asks(wish: PortGroupsWish, facts: Facts) -> Iterable[Question[Any]]:
    """What has to be seen to tell which there are."""
    yield NetworkState()


def found(wish: PortGroupsWish, facts: Facts) -> Iterable[Found]:
    """Each port group with its switch and VLAN."""
    seen = facts.see(NetworkState())
    if isinstance(seen, Unseen):
        yield Found("portGroup", ("portGroups",), why=seen.why)
        return
    for it in sorted(seen.port_groups, key=lambda group: group.name):
        value = {"vswitch": it.vswitch, "vlan": it.vlan}
        yield Found(f"portGroup/{it.name}", ("portGroups", it.name), value)


KIND = Kind("portGroup", "", PortGroupsWish, resources, Finder(asks, found))
