package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	groupKey  = "key-vim.host.PortGroup-"
	switchKey = "key-vim.host.VirtualSwitch-"
)

func switchNamed(network *types.HostNetworkInfo, name string) *types.HostVirtualSwitch {
	for i := range network.Vswitch {
		if it := &network.Vswitch[i]; it.Name == name {
			return it
		}
	}
	return nil
}

func groupNamed(network *types.HostNetworkInfo, name string) *types.HostPortGroup {
	for i := range network.Portgroup {
		if it := &network.Portgroup[i]; it.Spec.Name == name {
			return it
		}
	}
	return nil
}

// settle makes switches list the keys of their groups.
func settle(network *types.HostNetworkInfo) {
	for i := range network.Vswitch {
		it := &network.Vswitch[i]
		it.Portgroup = nil
		for _, group := range network.Portgroup {
			if group.Spec.VswitchName == it.Name {
				it.Portgroup = append(it.Portgroup, group.Key)
			}
		}
	}
}

func networkOf(method *simulator.Method) (*simulator.HostSystem, *types.HostNetworkInfo) {
	host := hostOf(method.This)
	if host == nil {
		return nil, nil
	}
	return host, host.Config.Network
}

func addSwitch(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	body := method.Body.(*types.AddVirtualSwitch)
	host, network := networkOf(method)
	switch {
	case host == nil:
		return nil, missing(method)
	case body.VswitchName == "" || len(body.VswitchName) > 31:
		return nil, &types.InvalidArgument{InvalidProperty: "vswitchName"}
	case switchNamed(network, body.VswitchName) != nil:
		return nil, &types.AlreadyExists{Name: body.VswitchName}
	}
	it := types.HostVirtualSwitch{Name: body.VswitchName, Key: switchKey + body.VswitchName, NumPorts: 128, Mtu: 1500}
	setSwitch(&it, body.Spec)
	network.Vswitch = append(network.Vswitch, it)
	return &types.AddVirtualSwitchResponse{}, nil
}

func setSwitch(it *types.HostVirtualSwitch, spec *types.HostVirtualSwitchSpec) {
	if spec == nil {
		return
	}
	it.Spec = *spec
	if spec.NumPorts != 0 {
		it.NumPorts = spec.NumPorts
	}
	if spec.Mtu != 0 {
		it.Mtu = spec.Mtu
	}
	it.NumPortsAvailable = it.NumPorts
}

func updateSwitch(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	body := method.Body.(*types.UpdateVirtualSwitch)
	host, network := networkOf(method)
	if host == nil {
		return nil, missing(method)
	}
	it := switchNamed(network, body.VswitchName)
	if it == nil {
		return nil, &types.NotFound{}
	}
	setSwitch(it, &body.Spec)
	return &types.UpdateVirtualSwitchResponse{}, nil
}

func removeSwitch(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	body := method.Body.(*types.RemoveVirtualSwitch)
	host, network := networkOf(method)
	if host == nil {
		return nil, missing(method)
	}
	if switchNamed(network, body.VswitchName) == nil {
		return nil, &types.NotFound{}
	}
	var kept []types.HostPortGroup
	for _, group := range network.Portgroup {
		if group.Spec.VswitchName != body.VswitchName {
			kept = append(kept, group)
		} else if inUse(host, group.Spec.Name) {
			return nil, &types.ResourceInUse{Type: "HostVirtualSwitch", Name: body.VswitchName}
		}
	}
	network.Portgroup = kept
	for i, it := range network.Vswitch {
		if it.Name == body.VswitchName {
			network.Vswitch = append(network.Vswitch[:i], network.Vswitch[i+1:]...)
			break
		}
	}
	return &types.RemoveVirtualSwitchResponse{}, nil
}

func checked(network *types.HostNetworkInfo, spec types.HostPortGroupSpec) types.BaseMethodFault {
	switch {
	case spec.Name == "":
		return &types.InvalidArgument{InvalidProperty: "name"}
	case spec.VlanId < 0 || spec.VlanId > 4095:
		return &types.InvalidArgument{InvalidProperty: "vlanId"}
	case switchNamed(network, spec.VswitchName) == nil:
		return &types.NotFound{}
	}
	return nil
}

func addGroup(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	spec := method.Body.(*types.AddPortGroup).Portgrp
	host, network := networkOf(method)
	if host == nil {
		return nil, missing(method)
	}
	if fault := checked(network, spec); fault != nil {
		return nil, fault
	}
	if groupNamed(network, spec.Name) != nil {
		return nil, &types.AlreadyExists{Name: spec.Name}
	}
	network.Portgroup = append(network.Portgroup, types.HostPortGroup{
		Key: groupKey + spec.Name, Vswitch: switchKey + spec.VswitchName, Spec: spec,
	})
	settle(network)
	showNetwork(host, spec.Name)
	return &types.AddPortGroupResponse{}, nil
}

func updateGroup(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	body := method.Body.(*types.UpdatePortGroup)
	host, network := networkOf(method)
	if host == nil {
		return nil, missing(method)
	}
	it := groupNamed(network, body.PgName)
	if it == nil {
		return nil, &types.NotFound{}
	}
	spec := body.Portgrp
	if fault := checked(network, spec); fault != nil {
		return nil, fault
	}
	if spec.Name != body.PgName && groupNamed(network, spec.Name) != nil {
		return nil, &types.AlreadyExists{Name: spec.Name}
	}
	it.Spec, it.Key, it.Vswitch = spec, groupKey+spec.Name, switchKey+spec.VswitchName
	settle(network)
	if spec.Name != body.PgName {
		hideNetwork(host, body.PgName)
		showNetwork(host, spec.Name)
	}
	return &types.UpdatePortGroupResponse{}, nil
}

func removeGroup(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	name := method.Body.(*types.RemovePortGroup).PgName
	host, network := networkOf(method)
	switch {
	case host == nil:
		return nil, missing(method)
	case groupNamed(network, name) == nil:
		return nil, &types.NotFound{}
	case inUse(host, name):
		return nil, &types.ResourceInUse{Type: "HostPortGroup", Name: name}
	}
	for i, it := range network.Portgroup {
		if it.Spec.Name == name {
			network.Portgroup = append(network.Portgroup[:i], network.Portgroup[i+1:]...)
			break
		}
	}
	settle(network)
	hideNetwork(host, name)
	return &types.RemovePortGroupResponse{}, nil
}

// networkFolder is where the datacenter of a host shows its networks.
func networkFolder(host *simulator.HostSystem) *simulator.Folder {
	parent := host.Parent
	for parent != nil {
		if center, ok := simulator.Map.Get(*parent).(*simulator.Datacenter); ok {
			return simulator.Map.Get(center.NetworkFolder).(*simulator.Folder)
		}
		parent = simulator.Map.Get(*parent).(mo.Entity).Entity().Parent
	}
	return nil
}

func showNetwork(host *simulator.HostSystem, name string) {
	folder := networkFolder(host)
	found := simulator.Map.FindByName(name, folder.ChildEntity)
	if found == nil {
		it := &mo.Network{Name: name}
		it.ManagedEntity.Name = name
		simulator.Map.PutEntity(folder, simulator.Map.NewEntity(it))
		it.Summary = &types.NetworkSummary{Network: &it.Self, Name: name, Accessible: true}
		folder.ChildEntity = append(folder.ChildEntity, it.Self)
		found = it
	}
	host.Network = append(append([]types.ManagedObjectReference{}, host.Network...), found.Reference())
}

// hideNetwork takes the network away from a host, and away at all when no other host has it.
func hideNetwork(host *simulator.HostSystem, name string) {
	folder := networkFolder(host)
	found := simulator.Map.FindByName(name, folder.ChildEntity)
	if found == nil {
		return
	}
	kept := append([]types.ManagedObjectReference{}, host.Network...)
	simulator.RemoveReference(&kept, found.Reference())
	host.Network = kept
	for _, it := range hosts() {
		if groupNamed(it.Config.Network, name) != nil {
			return
		}
	}
	simulator.RemoveReference(&folder.ChildEntity, found.Reference())
	simulator.Map.Remove(found.Reference())
}
