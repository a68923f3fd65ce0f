"""The methods of HostNetworkSystem: standard switches and port groups."""

from __future__ import annotations

from typing import Any

from reconciler.simulator.esx.command import Refusal
from reconciler.simulator.esx.network import Net
from reconciler.simulator.sdk.calls import Context, SimulationMissing, invalid, method
from reconciler.simulator.sdk.soap import ApiFault


def _refused(refusal: Refusal, name: str) -> ApiFault:
    said = str(refusal)
    if "already exists" in said:
        return ApiFault(
            "AlreadyExists", f"The specified key, name, or identifier '{name}' already exists.", name=name
        )
    if "Not found" in said:
        return ApiFault("NotFound", "The object or item referred to could not be found.")
    if "Busy" in said:
        return ApiFault("ResourceInUse", f"The resource '{name}' is in use.", type=None, name=name)
    return invalid(name)


@method("HostNetworkSystem", "AddVirtualSwitch", changing=True)
async def add_switch(context: Context, moid: str, words: dict[str, Any]) -> None:
    spec, name = words.get("spec"), words["vswitchName"]
    ports = spec.numPorts if spec is not None and spec.numPorts else 128
    try:
        Net(context.host).add_switch(name, ports)
    except Refusal as refusal:
        raise _refused(refusal, name) from refusal


@method("HostNetworkSystem", "RemoveVirtualSwitch", changing=True)
async def remove_switch(context: Context, moid: str, words: dict[str, Any]) -> None:
    try:
        Net(context.host).remove_switch(words["vswitchName"])
    except Refusal as refusal:
        raise _refused(refusal, words["vswitchName"]) from refusal


@method("HostNetworkSystem", "AddPortGroup", changing=True)
async def add_group(context: Context, moid: str, words: dict[str, Any]) -> None:
    spec, net = words["portgrp"], Net(context.host)
    if not 0 <= spec.vlanId <= 4095:
        raise invalid("portgrp.vlanId")
    try:
        net.add_group(spec.name, spec.vswitchName)
        net.set_vlan(spec.name, str(spec.vlanId))
    except Refusal as refusal:
        raise _refused(refusal, spec.name) from refusal


@method("HostNetworkSystem", "RemovePortGroup", changing=True)
async def remove_group(context: Context, moid: str, words: dict[str, Any]) -> None:
    name = words["pgName"]
    group = context.host.config.port_group(name)
    if group is None:
        raise ApiFault("NotFound", "The object or item referred to could not be found.")
    try:
        Net(context.host).remove_group(name, group.vswitch)
    except Refusal as refusal:
        raise _refused(refusal, name) from refusal


@method("HostNetworkSystem", "UpdatePortGroup", changing=True)
async def update_group(context: Context, moid: str, words: dict[str, Any]) -> None:
    """A port group may change its VLAN, and be moved to another switch while nothing uses it."""
    name, spec, host = words["pgName"], words["portgrp"], context.host
    group = host.config.port_group(name)
    if group is None or host.config.switch(spec.vswitchName) is None:
        raise ApiFault("NotFound", "The object or item referred to could not be found.")
    if spec.policy is None or not 0 <= spec.vlanId <= 4095:
        raise invalid("portgrp")
    if spec.name != name:
        raise SimulationMissing("renaming a port group")
    if spec.vswitchName != group.vswitch and group.clients:
        raise ApiFault("ResourceInUse", f"The resource '{name}' is in use.", type=None, name=name)
    host.room()
    group.vlan, group.vswitch = spec.vlanId, spec.vswitchName
    host.commit()
