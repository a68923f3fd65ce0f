package main

import (
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

const mostKeys = 1 << 20

func (g *gate) known(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	return ok && same(user, g.user) && same(password, g.password)
}

// files answers what is asked for beside SOAP, with basic authentication or a session.
func (g *gate) files(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(cookieName)
	if !g.known(r) && (err != nil || !g.sessions[strings.Trim(cookie.Value, `"`)]) {
		w.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		http.Error(w, "401 Unauthorized", http.StatusUnauthorized)
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/folder/"):
		g.service.ServeDatastore(w, r)
	case about().ApiType != "HostAgent" || older(about().Version, 5, 1):
		http.NotFound(w, r)
	case r.URL.Path == "/host/ssh_root_authorized_keys":
		g.file(w, r, &g.keys, true)
	case r.URL.Path == "/host/ssh_host_rsa_key_pub":
		g.file(w, r, &g.hostKey, false)
	default:
		http.NotFound(w, r)
	}
}

func (g *gate) file(w http.ResponseWriter, r *http.Request, content *[]byte, writable bool) {
	switch {
	case r.Method == http.MethodGet && *content == nil:
		http.NotFound(w, r)
	case r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(*content)
	case r.Method == http.MethodPut && writable:
		body, err := io.ReadAll(io.LimitReader(r.Body, mostKeys))
		if err != nil {
			return
		}
		*content = body
		w.WriteHeader(http.StatusOK)
	default:
		http.Error(w, "405", http.StatusMethodNotAllowed)
	}
}

func about() types.AboutInfo {
	return simulator.Map.Get(vim25.ServiceInstance).(*simulator.ServiceInstance).Content.About
}

func older(version string, major, minor int) bool {
	var a, b int
	_, _ = fmt.Sscanf(version, "%d.%d", &a, &b)
	return a < major || a == major && b < minor
}

var apis = []string{"8.0.1.0", "7.0.0.0", "6.7", "6.5", "6.0", "5.5", "5.1", "5.0", "4.1", "4.0", "2.5"}

// apiVersion is the version of the API that a product of this version speaks.
func apiVersion(version string) string {
	for _, it := range apis {
		if strings.HasPrefix(version, it[:3]) {
			return it
		}
	}
	return version
}

// writeVersions tells the versions of the API, as clients ask before anything else.
func writeVersions(w http.ResponseWriter) {
	api := about().ApiVersion
	prior := ""
	for _, it := range apis {
		if it < api {
			prior += "<version>" + it + "</version>"
		}
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><namespaces version="1.0"><namespace><name>urn:vim25</name>`+
		`<version>%s</version><priorVersions>%s</priorVersions></namespace></namespaces>`, api, prior)
}
