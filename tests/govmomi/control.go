package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// order is what a test asks for; what is not named stays as it is.
type order struct {
	Restricted *bool    `json:"restricted"`
	Trouble    *trouble `json:"trouble"`
	Calm       bool     `json:"calm"`
	Expire     bool     `json:"expire"`
	Forget     bool     `json:"forget"`
	Product    *struct {
		Version string `json:"version"`
		Build   string `json:"build"`
	} `json:"product"`
	Service *struct {
		Running bool   `json:"running"`
		Policy  string `json:"policy"`
	} `json:"service"`
	Keys      *string `json:"keys"`
	HostKey   *string `json:"hostKey"`
	Datastore *struct {
		Name       string `json:"name"`
		Accessible bool   `json:"accessible"`
	} `json:"datastore"`
	Host *struct {
		Was  string `json:"was"`
		Name string `json:"name"`
		IP   string `json:"ip"`
		UUID string `json:"uuid"`
	} `json:"host"`
}

type state struct {
	Calls    []string `json:"calls"`
	Logins   []bool   `json:"logins"`
	Sessions int      `json:"sessions"`
	Keys     string   `json:"keys"`
	Running  bool     `json:"running"`
	Policy   string   `json:"policy"`
	Error    string   `json:"error,omitempty"`
}

// control carries out the order of a test and answers with the state.
func (g *gate) control(w http.ResponseWriter, r *http.Request) {
	g.Lock()
	defer g.Unlock()
	var it order
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&it)
	if err == nil {
		err = g.obey(it)
	}
	shown := g.state()
	if err != nil {
		shown.Error = err.Error()
		w.WriteHeader(http.StatusBadRequest)
	}
	must(json.NewEncoder(w).Encode(shown))
}

func (g *gate) obey(it order) error {
	if it.Restricted != nil {
		g.restricted = *it.Restricted
	}
	if it.Calm {
		g.troubles = nil
	}
	if it.Trouble != nil {
		if err := g.expect(*it.Trouble); err != nil {
			return err
		}
	}
	if it.Expire {
		g.sessions = map[string]bool{}
	}
	if it.Forget {
		g.calls, g.logins = nil, nil
	}
	if it.Keys != nil {
		g.keys = []byte(*it.Keys)
	}
	if it.HostKey != nil {
		g.hostKey = []byte(*it.HostKey)
	}
	return arrange(it)
}

func (g *gate) expect(it trouble) error {
	if it.Fault != "503" && it.Fault != "hangup" {
		if _, err := faultNamed(it.Fault); err != nil {
			return err
		}
	}
	g.troubles = append(g.troubles, &it)
	return nil
}

// arrange changes what the simulator shows.
func arrange(it order) error {
	if it.Product != nil {
		setProduct(it.Product.Version, it.Product.Build)
	}
	if it.Service != nil {
		for _, host := range hosts() {
			service := ssh(host)
			service.Running, service.Policy = it.Service.Running, it.Service.Policy
			shareServices(host)
		}
	}
	if it.Datastore != nil && !setAccessible(it.Datastore.Name, it.Datastore.Accessible) {
		return fmt.Errorf("no datastore %q", it.Datastore.Name)
	}
	if it.Host != nil {
		return renameHost(it.Host.Was, it.Host.Name, it.Host.IP, it.Host.UUID)
	}
	return nil
}

func renameHost(was, name, ip, uuid string) error {
	for _, host := range hosts() {
		if host.Name != was {
			continue
		}
		if name != "" {
			host.Name, host.Summary.Config.Name = name, name
		}
		if ip != "" {
			if net.ParseIP(ip) == nil {
				return fmt.Errorf("%q is no address", ip)
			}
			vnics := append([]types.HostVirtualNic{}, host.Config.Network.Vnic...)
			address := *vnics[0].Spec.Ip
			address.IpAddress = ip
			vnics[0].Spec.Ip = &address
			host.Config.Network.Vnic = vnics
		}
		if uuid != "" {
			host.Summary.Hardware.Uuid, host.Hardware.SystemInfo.Uuid = uuid, uuid
		}
		return nil
	}
	return fmt.Errorf("no host %q", was)
}

func ssh(host *simulator.HostSystem) *types.HostService {
	for i := range host.Config.Service.Service {
		if it := &host.Config.Service.Service[i]; it.Key == "TSM-SSH" {
			return it
		}
	}
	return nil
}

func (g *gate) state() state {
	service := ssh(hosts()[0])
	shown := state{Calls: append([]string{}, g.calls...), Logins: append([]bool{}, g.logins...), Sessions: len(g.sessions),
		Keys: string(g.keys), Running: service.Running, Policy: service.Policy}
	return shown
}
