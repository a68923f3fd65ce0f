package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

const cookieName = "vmware_soap_session"

// trouble is a fault on demand: for the next `Times` requests of `Method` (of any, when empty).
// Fault is a name of the API, "503", or "hangup"; After: the request is carried out first, only its answer is lost.
type trouble struct {
	Fault  string `json:"fault"`
	Method string `json:"method"`
	Times  int    `json:"times"`
	After  bool   `json:"after"`
}

// gate stands before the simulator: sessions, licence, faults on demand, and the calls that it lacks.
type gate struct {
	sync.Mutex
	service        *simulator.Service
	folder         string
	user, password string
	sessions       map[string]bool
	restricted     bool
	troubles       []*trouble
	calls          []string
	logins         []bool
	keys, hostKey  []byte
}

func newGate(service *simulator.Service, folder, user, password string) *gate {
	return &gate{service: service, folder: folder, user: user, password: password, sessions: map[string]bool{},
		keys: []byte{}}
}

// ServeHTTP takes one request at a time, so that the state of the simulator needs no further locks.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.Lock()
	defer g.Unlock()
	switch {
	case r.URL.Path == "/sdk" && r.Method == http.MethodPost:
		g.soap(w, r)
	case r.URL.Path == "/sdk/vimServiceVersions.xml":
		writeVersions(w)
	case strings.HasPrefix(r.URL.Path, "/host/"), strings.HasPrefix(r.URL.Path, "/folder/"):
		name := r.Method + " " + r.URL.Path
		g.calls = append(g.calls, name)
		g.troubled(w, name, func(w http.ResponseWriter) { g.files(w, r) })
	default:
		http.NotFound(w, r)
	}
}

func (g *gate) soap(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	method, err := simulator.UnmarshalBody(decodable, body)
	if err != nil {
		writeFault(w, err.Error(), &types.InvalidRequest{})
		return
	}
	g.calls = append(g.calls, method.Name)
	g.troubled(w, method.Name, func(w http.ResponseWriter) { g.answer(w, r, method) })
}

// troubled carries out a request, unless a fault was asked for it.
func (g *gate) troubled(w http.ResponseWriter, name string, work func(http.ResponseWriter)) {
	for _, it := range g.troubles {
		if it.Times == 0 || it.Method != "" && it.Method != name {
			continue
		}
		it.Times--
		if it.After {
			work(httptest.NewRecorder())
		}
		g.raise(w, it.Fault)
		return
	}
	work(w)
}

func (g *gate) raise(w http.ResponseWriter, name string) {
	switch name {
	case "503":
		http.Error(w, "hostd is starting", http.StatusServiceUnavailable)
	case "hangup":
		if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = connection.Close()
		}
	default:
		fault, err := faultNamed(name)
		must(err)
		if it, ok := fault.(interface{ GetNoPermission() *types.NoPermission }); ok {
			it.GetNoPermission().Object, it.GetNoPermission().PrivilegeId = hosts()[0].Self, "Host.Config.Settings"
		}
		writeFault(w, "asked for by the test: "+name, fault)
	}
}

// free of a session are these, on a real host too.
var open = map[string]bool{"RetrieveServiceContent": true, "Login": true, "CurrentTime": true}

func (g *gate) answer(w http.ResponseWriter, r *http.Request, method *simulator.Method) {
	cookie, err := r.Cookie(cookieName)
	in := err == nil && g.sessions[strings.Trim(cookie.Value, `"`)]
	if !in {
		r.Header.Del("Cookie")
	}
	if !in && !open[method.Name] {
		fault := &types.NotAuthenticated{}
		fault.Object, fault.PrivilegeId = method.This, "System.View"
		writeFault(w, "The session is not authenticated.", fault)
		return
	}
	if g.restricted && writes(method.Name) {
		words := "Current license or ESXi version prohibits execution of the requested operation."
		writeFault(w, words, &types.RestrictedVersion{})
		return
	}
	if method.Name == "Fetch" || strings.HasPrefix(method.Name, "RetrieveProperties") {
		refresh()
	}
	work, ok := added[method.Name]
	if !ok {
		g.forward(w, r, method.Name)
		return
	}
	if value, fault := work(g, method); fault != nil {
		writeFault(w, method.Name+" was refused", fault)
	} else {
		writeAnswer(w, value)
	}
}

// forward lets govmomi's simulator answer, and keeps count of the sessions.
func (g *gate) forward(w http.ResponseWriter, r *http.Request, name string) {
	recorder := httptest.NewRecorder()
	g.service.ServeMux.ServeHTTP(recorder, r)
	result := recorder.Result()
	if name == "Login" {
		g.logins = append(g.logins, result.StatusCode == http.StatusOK)
		for _, cookie := range result.Cookies() {
			g.sessions[cookie.Value] = true
		}
	}
	if cookie, err := r.Cookie(cookieName); name == "Logout" && err == nil {
		delete(g.sessions, cookie.Value)
	}
	if strings.HasSuffix(name, "_Task") {
		clear(recorder.Body.Bytes())
	}
	for key, values := range result.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(result.StatusCode)
	_, _ = io.Copy(w, result.Body)
}

var taskID = regexp.MustCompile(`>(task-\d+)<`)

// clear takes the entity from a task of a manager (of files, of disks): only inventory has entities, and pyVmomi
// refuses others.
func clear(body []byte) {
	found := taskID.FindSubmatch(body)
	if found == nil {
		return
	}
	ref := types.ManagedObjectReference{Type: "Task", Value: string(found[1])}
	task, ok := simulator.Map.Get(ref).(*simulator.Task)
	if !ok || task.Info.Entity == nil {
		return
	}
	if _, entity := simulator.Map.Get(*task.Info.Entity).(mo.Entity); !entity {
		task.Info.Entity = nil
	}
}

var reading = []string{
	"Login", "Logout", "Retrieve", "ContinueRetrieve", "CancelRetrieve", "CreateFilter", "DestroyPropertyFilter",
	"CreatePropertyCollector", "DestroyPropertyCollector", "WaitForUpdates", "CheckForUpdates", "CancelWait",
	"CreateContainerView", "CreateListView", "DestroyView", "SearchDatastore", "Query", "Find", "CurrentTime",
	"SessionIsActive", "Refresh", "CancelTask", "Fetch",
}

// writes tells whether the free licence forbids a method.
func writes(name string) bool {
	for _, it := range reading {
		if strings.HasPrefix(name, it) {
			return false
		}
	}
	return true
}
