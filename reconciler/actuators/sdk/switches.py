"""Standard switches and port groups over the SDK: HostNetworkSystem."""

from __future__ import annotations

from typing import Any

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.describing import SWITCH_PORTS
from reconciler.actuators.sdk.halves import finish, left_undone
from reconciler.actuators.sdk.refusals import refusal, words
from reconciler.actuators.sdk.session import Managers, Session, host_property
from reconciler.actuators.work import Work
from reconciler.faults import Fault
from reconciler.records import record
from reconciler.transports.sdk.answers import MethodFault
from reconciler.verbs import AddPortGroup, AddSwitch, MovePortGroup, SetVlan


@record
class Switches:
    """What the four verbs need."""

    session: Session
    managers: Managers
    work: Work

    def add(self, verb: AddSwitch) -> Answer:
        """A switch without uplinks. Raises MethodFault, Stumbled, faults.Unreachable."""
        spec = self.session.make("HostVirtualSwitchSpec", numPorts=SWITCH_PORTS)
        self.session.call(self._system, "AddVirtualSwitch", vswitchName=verb.name, spec=spec)
        return Answer(True)

    def add_group(self, verb: AddPortGroup) -> Answer:
        """Raises as `add`."""
        policy = self.session.make("HostNetworkPolicy")
        self._add(self._spec(verb.name, verb.vswitch, 0, policy))
        return Answer(True)

    def set_vlan(self, verb: SetVlan) -> Answer:
        """Only the VLAN changes: UpdatePortGroup replaces the whole specification, so that it is sent as it was read.
        Raises as `add`."""
        found = self._group(verb.name)
        if found is None or found.vswitchName != verb.vswitch:
            return Answer(False, _gone(verb.name, verb.vswitch))
        if found.vlanId == verb.vlan:
            return Answer(True)
        spec = self._spec(verb.name, verb.vswitch, verb.vlan, found.policy)
        self.session.call(self._system, "UpdatePortGroup", pgName=verb.name, portgrp=spec)
        return Answer(True)

    def move(self, verb: MovePortGroup) -> Answer:
        """Out and in, with the policy that it has; when the new switch refuses it, it comes back. Raises as `add`."""
        found = self._group(verb.name)
        if found is None or found.vswitchName != verb.old_switch:
            return Answer(False, _gone(verb.name, verb.old_switch))
        old = self._spec(verb.name, verb.old_switch, found.vlanId, found.policy)
        new = self._spec(verb.name, verb.new_switch, verb.new_vlan, found.policy)
        self.session.call(self._system, "RemovePortGroup", pgName=verb.name)
        try:
            self._make_sure(new)
        except MethodFault as fault:
            return self._back(verb, old, refusal(fault, verb))
        except Fault as gone:
            raise left_undone(gone, _half(verb, found.vlanId)) from gone
        return Answer(True)

    def _back(self, verb: MovePortGroup, old: Any, refused: Answer) -> Answer:
        try:
            self._make_sure(old)
        except MethodFault as fault:
            back = f"and it could not be put back on {verb.old_switch} with VLAN {old.vlanId}: {words(fault)}"
        except Fault as gone:
            raise left_undone(gone, _half(verb, old.vlanId)) from gone
        else:
            back = f"it is back on {verb.old_switch}"
        return Answer(False, f"{refused.said}; {back}", next=refused.next)

    def _make_sure(self, spec: Any) -> None:
        def there() -> bool:
            found = self._group(spec.name)
            return found is not None and found.vswitchName == spec.vswitchName

        finish(self.work, lambda: self._add(spec), there)

    def _add(self, spec: Any) -> None:
        self.session.call(self._system, "AddPortGroup", portgrp=spec)

    def _spec(self, name: str, vswitch: str, vlan: int, policy: Any) -> Any:
        return self.session.make(
            "HostPortGroupSpec", name=name, vlanId=vlan, vswitchName=vswitch, policy=policy
        )

    @property
    def _system(self) -> Any:
        return self.managers.get("networkSystem")

    def _group(self, name: str) -> Any:
        """The specification of a port group as it is now; None when there is none."""
        network = host_property(self.session, "config.network")
        return next((it.spec for it in network.portgroup or () if it.spec.name == name), None)


def _gone(name: str, vswitch: str) -> str:
    return f"the port group {name} is not on {vswitch} any more"


def _half(verb: MovePortGroup, vlan: int) -> str:
    group = f"the port group {verb.name} (VLAN {vlan})"
    return f"{group} was taken from {verb.old_switch}, and is not known to be on {verb.new_switch}"
