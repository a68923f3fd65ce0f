package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

func inUse(host *simulator.HostSystem, name string) bool {
	refresh()
	group := groupNamed(host.Config.Network, name)
	return group != nil && len(group.Port) > 0
}

// refresh shows the ports of port groups that running machines and the host itself are connected to.
func refresh() {
	for _, host := range hosts() {
		network := host.Config.Network
		for i := range network.Portgroup {
			group := &network.Portgroup[i]
			group.Port = hostPorts(network, group.Spec.Name)
			for _, ref := range host.Vm {
				if machine, ok := simulator.Map.Get(ref).(*simulator.VirtualMachine); ok {
					group.Port = append(group.Port, machinePorts(machine, group.Spec.Name)...)
				}
			}
		}
	}
}

func hostPorts(network *types.HostNetworkInfo, name string) []types.HostPortGroupPort {
	var found []types.HostPortGroupPort
	for _, nic := range network.Vnic {
		if nic.Portgroup == name {
			found = append(found, types.HostPortGroupPort{Key: nic.Port, Mac: []string{nic.Spec.Mac}, Type: "host"})
		}
	}
	return found
}

func machinePorts(machine *simulator.VirtualMachine, name string) []types.HostPortGroupPort {
	var found []types.HostPortGroupPort
	if machine.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
		return nil
	}
	for _, device := range machine.Config.Hardware.Device {
		card, ok := device.(types.BaseVirtualEthernetCard)
		if !ok {
			continue
		}
		it := card.GetVirtualEthernetCard()
		backing, ok := it.Backing.(*types.VirtualEthernetCardNetworkBackingInfo)
		if ok && backing.DeviceName == name {
			port := types.HostPortGroupPort{Key: machine.Self.Value, Mac: []string{it.MacAddress}, Type: "virtualMachine"}
			found = append(found, port)
		}
	}
	return found
}
