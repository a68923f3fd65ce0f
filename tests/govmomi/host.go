package main

import (
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

type work func(*gate, *simulator.Method) (interface{}, types.BaseMethodFault)

// added are the methods that the plain simulator lacks, or answers in a way that no host does.
var added = map[string]work{
	"StartService":                setRunning(true, &types.StartServiceResponse{}),
	"StopService":                 setRunning(false, &types.StopServiceResponse{}),
	"UpdateServicePolicy":         updatePolicy,
	"QueryDateTime":               queryDateTime,
	"BackupFirmwareConfiguration": backup,
	"AddVirtualSwitch":            addSwitch,
	"RemoveVirtualSwitch":         removeSwitch,
	"UpdateVirtualSwitch":         updateSwitch,
	"AddPortGroup":                addGroup,
	"RemovePortGroup":             removeGroup,
	"UpdatePortGroup":             updateGroup,
	"CreateNasDatastore":          createNas,
	"RemoveDatastore":             removeDatastore,
	"RefreshDatastore":            refreshDatastore,
	"RefreshDatastoreStorageInfo": refreshStorageInfo,
	"RefreshStorageSystem":        refreshStorageSystem,
}

func hosts() []*simulator.HostSystem {
	var found []*simulator.HostSystem
	for _, it := range simulator.Map.All("HostSystem") {
		found = append(found, it.(*simulator.HostSystem))
	}
	return found
}

// hostOf is the host whose manager has this reference.
func hostOf(manager types.ManagedObjectReference) *simulator.HostSystem {
	for _, host := range hosts() {
		config := host.ConfigManager
		for _, ref := range []*types.ManagedObjectReference{
			config.ServiceSystem, config.NetworkSystem, config.DatastoreSystem, config.StorageSystem,
			config.DateTimeSystem, config.FirmwareSystem,
		} {
			if ref != nil && *ref == manager {
				return host
			}
		}
	}
	return nil
}

func missing(method *simulator.Method) types.BaseMethodFault {
	return &types.ManagedObjectNotFound{Obj: method.This}
}

// prepare gives each host the managers that the plain simulator has not registered.
func (g *gate) prepare() {
	for _, host := range hosts() {
		config := &host.ConfigManager
		name := host.Self.Value
		services := &mo.HostServiceSystem{}
		services.Self = register(&config.ServiceSystem, "HostServiceSystem", "serviceSystem-"+name)
		simulator.Map.Put(services)
		shareServices(host)
		clock := &mo.HostDateTimeSystem{}
		clock.Self = register(&config.DateTimeSystem, "HostDateTimeSystem", "dateTimeSystem-"+name)
		simulator.Map.Put(clock)
		firmware := &mo.HostFirmwareSystem{}
		firmware.Self = register(&config.FirmwareSystem, "HostFirmwareSystem", "firmwareSystem-"+name)
		simulator.Map.Put(firmware)
		network := simulator.Map.Get(*config.NetworkSystem).(*simulator.HostNetworkSystem)
		network.NetworkInfo = host.Config.Network
		options := simulator.Map.Get(*config.AdvancedOption).(*simulator.OptionManager)
		options.Setting = append(options.Setting,
			&types.OptionValue{Key: "UserVars.ESXiShellTimeOut", Value: int64(0)},
			&types.OptionValue{Key: "NFS.MaxVolumes", Value: int64(8)})
	}
	g.settleDatastores()
	setProduct("6.7.0", "14320388")
}

func register(slot **types.ManagedObjectReference, kind, value string) types.ManagedObjectReference {
	ref := types.ManagedObjectReference{Type: kind, Value: value}
	*slot = &ref
	return ref
}

// shareServices shows the services where hosts show them: at the manager and in the configuration.
func shareServices(host *simulator.HostSystem) {
	services := simulator.Map.Get(*host.ConfigManager.ServiceSystem).(*mo.HostServiceSystem)
	services.ServiceInfo = *host.Config.Service
}

func serviceOf(method *simulator.Method, key string) (*simulator.HostSystem, *types.HostService) {
	host := hostOf(method.This)
	if host == nil {
		return nil, nil
	}
	for i := range host.Config.Service.Service {
		if it := &host.Config.Service.Service[i]; it.Key == key {
			return host, it
		}
	}
	return host, nil
}

func setRunning(running bool, response interface{}) work {
	return func(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
		var key string
		switch body := method.Body.(type) {
		case *types.StartService:
			key = body.Id
		case *types.StopService:
			key = body.Id
		}
		host, service := serviceOf(method, key)
		if host == nil {
			return nil, missing(method)
		}
		if service == nil {
			return nil, &types.NotFound{}
		}
		service.Running = running
		shareServices(host)
		return response, nil
	}
}

func updatePolicy(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	body := method.Body.(*types.UpdateServicePolicy)
	host, service := serviceOf(method, body.Id)
	if host == nil {
		return nil, missing(method)
	}
	if service == nil {
		return nil, &types.NotFound{}
	}
	switch body.Policy {
	case "on", "off", "automatic":
		service.Policy = body.Policy
	default:
		return nil, &types.InvalidArgument{InvalidProperty: "policy"}
	}
	shareServices(host)
	return &types.UpdateServicePolicyResponse{}, nil
}

func queryDateTime(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	if hostOf(method.This) == nil {
		return nil, missing(method)
	}
	return &types.QueryDateTimeResponse{Returnval: time.Now().UTC()}, nil
}

func backup(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	if hostOf(method.This) == nil {
		return nil, missing(method)
	}
	return &types.BackupFirmwareConfigurationResponse{Returnval: "http://*/downloads/configBundle.tgz"}, nil
}

// setProduct makes the host, or the vCenter, one of that version.
func setProduct(version, build string) {
	instance := simulator.Map.Get(vim25.ServiceInstance).(*simulator.ServiceInstance)
	update := func(about *types.AboutInfo) {
		about.Version, about.ApiVersion, about.Build = version, apiVersion(version), build
		about.FullName = about.Name + " " + version + " build-" + build
	}
	forget(version)
	update(&instance.Content.About)
	for _, host := range hosts() {
		product := types.AboutInfo{Name: "VMware ESXi", Vendor: "VMware, Inc.", OsType: "vmnix-x86",
			ProductLineId: "embeddedEsx", ApiType: "HostAgent", LicenseProductName: "VMware ESX Server"}
		update(&product)
		host.Config.Product = product
		host.Summary.Config.Product = &product
	}
}

// forget takes from what is shown the fields that the API did not have in that version (vSphere API reference), which
// clients of that age refuse. What is gone does not come back with a newer version.
func forget(version string) {
	for _, host := range hosts() {
		if older(version, 5, 5) {
			host.Config.Network.NetStackInstance = nil
		}
		if !older(version, 5, 1) {
			continue
		}
		for i := range host.Config.Service.Service {
			host.Config.Service.Service[i].SourcePackage = nil
		}
		for i := range host.Config.Network.Pnic {
			host.Config.Network.Pnic[i].FcoeConfiguration = nil
		}
		shareServices(host)
	}
	if !older(version, 5, 1) {
		return
	}
	for _, entity := range simulator.Map.All("VirtualMachine") {
		for _, device := range entity.(*simulator.VirtualMachine).Config.Hardware.Device {
			device.GetVirtualDevice().SlotInfo = nil
		}
	}
}
