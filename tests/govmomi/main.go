// Command govmomi-sim is the third party of the SDK tests: an ESXi host or a vCenter made of govmomi's simulator, with
// what that lacks (field guide, sdk.md). tests/live/sdk/govmomi.py starts it.
//
// It listens on 127.0.0.1 only, prints one line of JSON when it is ready and ends when its standard input is closed.
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"

	"github.com/vmware/govmomi/simulator"
)

type ready struct {
	Port        int    `json:"port"`
	Control     int    `json:"control"`
	Fingerprint string `json:"fingerprint"`
	Certificate string `json:"certificate"`
	Folder      string `json:"folder"`
}

func main() {
	vpx := flag.Bool("vpx", false, "be a vCenter, not a host")
	user := flag.String("user", "root", "who may log in")
	password := flag.String("password", "secret", "with which password")
	certFile := flag.String("cert", "", "certificate, PEM (default: a new one)")
	keyFile := flag.String("key", "", "its key, PEM")
	folder := flag.String("folder", "", "where the datastores lie; its owner removes it")
	machines := flag.Int("machines", 2, "virtual machines of each host or pool")
	hosts := flag.Int("hosts", 3, "hosts of the vCenter's cluster")
	clusters := flag.Int("clusters", 1, "clusters of the vCenter")
	pools := flag.Int("pools", 0, "resource pools of each cluster")
	flag.Parse()
	log.SetOutput(io.Discard)

	model := simulator.ESX()
	if *vpx {
		model = simulator.VPX()
		model.ClusterHost, model.Cluster, model.Pool = *hosts, *clusters, *pools
	}
	model.Machine = *machines
	must(os.Setenv("TMPDIR", *folder))
	must(model.Create())
	model.Service.Listen = &url.URL{User: url.UserPassword(*user, *password)}
	model.Service.RegisterSDK(simulator.Map)

	it := newGate(model.Service, *folder, *user, *password)
	it.prepare()
	certificate := certificateOf(*certFile, *keyFile)
	sdk, control := listen(), listen()
	go func() { must((&http.Server{Handler: it, TLSConfig: offering(certificate)}).ServeTLS(sdk, "", "")) }()
	go func() { must(http.Serve(control, http.HandlerFunc(it.control))) }()

	must(json.NewEncoder(os.Stdout).Encode(ready{
		Port:        sdk.Addr().(*net.TCPAddr).Port,
		Control:     control.Addr().(*net.TCPAddr).Port,
		Fingerprint: fingerprint(certificate),
		Certificate: pemOf(certificate),
		Folder:      *folder,
	}))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	return listener
}

func must(err error) {
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
		os.Exit(1)
	}
}
