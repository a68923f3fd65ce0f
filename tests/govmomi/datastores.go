package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

func datastores(refs []types.ManagedObjectReference) []*simulator.Datastore {
	var found []*simulator.Datastore
	for _, ref := range refs {
		if it, ok := simulator.Map.Get(ref).(*simulator.Datastore); ok {
			found = append(found, it)
		}
	}
	return found
}

// settleDatastores makes VMFS volumes of the model's local folders, below a path as hosts have it:
// FOLDER/vmfs/volumes/UUID.
func (g *gate) settleDatastores() {
	for i, entity := range simulator.Map.All("Datastore") {
		it := entity.(*simulator.Datastore)
		uuid := fmt.Sprintf("5f1e0a%02x-0c0ffee%d-0000-0050569f0001", i, i)
		home := filepath.Join(g.folder, "vmfs", "volumes", uuid)
		must(os.MkdirAll(filepath.Dir(home), 0o755))
		must(os.Rename(it.Info.GetDatastoreInfo().Url, home))
		info := *it.Info.GetDatastoreInfo()
		info.Name, info.Url = it.Name, home
		local := true
		it.Info = &types.VmfsDatastoreInfo{DatastoreInfo: info, Vmfs: &types.HostVmfsVolume{
			HostFileSystemVolume: types.HostFileSystemVolume{Type: "VMFS", Name: it.Name, Capacity: it.Summary.Capacity},
			BlockSizeMb:          1, BlockSize: 1024, MajorVersion: 6, Version: "6.82", Uuid: uuid, Local: &local,
			Extent: []types.HostScsiDiskPartition{{DiskName: "mpx.vmhba0:C0:T0:L0", Partition: 3}},
		}}
		it.Summary.Type, it.Summary.Url = "VMFS", home
		for j := range it.Host {
			it.Host[j].MountInfo.Path = home
		}
	}
}

// CreateNasDatastore asks for no folder: the share is made, one for each server and path, and lives on after the mount.
func createNas(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	spec := method.Body.(*types.CreateNasDatastore).Spec
	host := hostOf(method.This)
	if host == nil {
		return nil, missing(method)
	}
	if fault := checkedNas(host, &spec); fault != nil {
		return nil, fault
	}
	share := fmt.Sprintf("%x", sha256.Sum256([]byte(spec.RemoteHost+"\x00"+spec.RemotePath)))
	home := filepath.Join(g.folder, "vmfs", "volumes", share[:8]+"-"+share[8:16])
	must(os.MkdirAll(home, 0o755))
	made, fault := g.mounted(method, spec, home)
	if fault != nil {
		return nil, fault
	}
	showMount(host, made, spec, home)
	return &types.CreateNasDatastoreResponse{Returnval: made.Self}, nil
}

func checkedNas(host *simulator.HostSystem, spec *types.HostNasVolumeSpec) types.BaseMethodFault {
	if spec.Type == "" {
		spec.Type = "NFS"
	}
	switch {
	case spec.LocalPath == "" || strings.ContainsRune(spec.LocalPath, '/'):
		return &types.InvalidArgument{InvalidProperty: "localPath"}
	case spec.Type != "NFS" && spec.Type != "NFS41" && spec.Type != "CIFS":
		return &types.InvalidArgument{InvalidProperty: "type"}
	case spec.AccessMode != "readWrite" && spec.AccessMode != "readOnly":
		return &types.InvalidArgument{InvalidProperty: "accessMode"}
	case spec.Type == "NFS41" && len(spec.RemoteHostNames) == 0:
		return &types.InvalidArgument{InvalidProperty: "remoteHostNames"}
	case spec.Type != "NFS41" && spec.RemoteHost == "":
		return &types.InvalidArgument{InvalidProperty: "remoteHost"}
	}
	for _, it := range datastores(host.Datastore) {
		if it.Name == spec.LocalPath {
			return &types.DuplicateName{Name: it.Name, Object: it.Self}
		}
		nas, ok := it.Info.(*types.NasDatastoreInfo)
		if ok && nas.Nas.RemoteHost == spec.RemoteHost && nas.Nas.RemotePath == spec.RemotePath {
			return &types.AlreadyExists{Name: it.Name}
		}
	}
	return nil
}

// mounted lets the simulator register the datastore. Its name there is the last element of a path, so that it
// gets a link with that name to the share.
func (g *gate) mounted(
	method *simulator.Method, spec types.HostNasVolumeSpec, home string,
) (*simulator.Datastore, types.BaseMethodFault) {
	links, err := os.MkdirTemp(g.folder, "link-")
	must(err)
	defer os.RemoveAll(links)
	link := filepath.Join(links, spec.LocalPath)
	must(os.Symlink(home, link))
	spec.LocalPath = link
	request := &methods.CreateNasDatastoreBody{Req: &types.CreateNasDatastore{This: method.This, Spec: spec}}
	var answer methods.CreateNasDatastoreBody
	if err := g.service.RoundTrip(context.Background(), request, &answer); err != nil {
		return nil, &types.HostConfigFault{}
	}
	return simulator.Map.Get(answer.Res.Returnval).(*simulator.Datastore), nil
}

func showMount(host *simulator.HostSystem, made *simulator.Datastore, spec types.HostNasVolumeSpec, home string) {
	info := made.Info.(*types.NasDatastoreInfo)
	info.Url, info.Name = home, spec.LocalPath
	info.Nas.Name, info.Nas.Type = spec.LocalPath, spec.Type
	info.Nas.RemoteHostNames, info.Nas.UserName, info.Nas.SecurityType = spec.RemoteHostNames, spec.UserName, spec.SecurityType
	yes := true
	made.Summary.Url, made.Summary.Type, made.Summary.MultipleHostAccess = home, spec.Type, &yes
	made.Host = append(made.Host, types.DatastoreHostMount{Key: host.Self, MountInfo: types.HostMountInfo{
		Path: home, AccessMode: spec.AccessMode, Mounted: &yes, Accessible: &yes,
	}})
}

func removeDatastore(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	wanted := method.Body.(*types.RemoveDatastore).Datastore
	host := hostOf(method.This)
	if host == nil {
		return nil, missing(method)
	}
	if simulator.FindReference(host.Datastore, wanted) == nil {
		return nil, &types.NotFound{}
	}
	it := simulator.Map.Get(wanted).(*simulator.Datastore)
	if len(it.Vm) > 0 {
		return nil, &types.ResourceInUse{Type: "Datastore", Name: it.Name}
	}
	system := simulator.Map.Get(method.This).(*simulator.HostDatastoreSystem)
	simulator.RemoveReference(&system.Datastore, wanted)
	request := &methods.Destroy_TaskBody{Req: &types.Destroy_Task{This: wanted}}
	if err := g.service.RoundTrip(context.Background(), request, &methods.Destroy_TaskBody{}); err != nil {
		return nil, &types.HostConfigFault{}
	}
	return &types.RemoveDatastoreResponse{}, nil
}

func refreshed(method *simulator.Method) types.BaseMethodFault {
	it, ok := simulator.Map.Get(method.This).(*simulator.Datastore)
	if !ok {
		return missing(method)
	}
	if !it.Summary.Accessible {
		return &types.HostConfigFault{}
	}
	if it.RefreshDatastore(&types.RefreshDatastore{This: it.Self}).Fault() != nil {
		return &types.HostConfigFault{}
	}
	return nil
}

func refreshDatastore(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	return &types.RefreshDatastoreResponse{}, refreshed(method)
}

func refreshStorageInfo(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	return &types.RefreshDatastoreStorageInfoResponse{}, refreshed(method)
}

func refreshStorageSystem(g *gate, method *simulator.Method) (interface{}, types.BaseMethodFault) {
	return &types.RefreshStorageSystemResponse{}, nil
}

// setAccessible cuts a datastore off, or brings it back.
func setAccessible(name string, accessible bool) bool {
	for _, entity := range simulator.Map.All("Datastore") {
		it := entity.(*simulator.Datastore)
		if it.Name != name {
			continue
		}
		it.Summary.Accessible = accessible
		for i := range it.Host {
			value := accessible
			it.Host[i].MountInfo.Accessible = &value
		}
		return true
	}
	return false
}
