package graphsim_test

import (
	"net/http"
	"strings"
	"testing"

	"changerelay/internal/graphsim"
)

const (
	script = "88888888-8888-4888-8888-888888888888"
	state  = script + ":" + phone
	user   = "66666666-6666-4666-8666-666666666666"
	seen   = "77777777-7777-4777-8777-777777777777"
)

// with is a rig whose knobs are the default ones, changed.
func with(t *testing.T, change func(*graphsim.Knobs)) *rig {
	t.Helper()
	r := newRig(t, graphsim.Options{})
	r.turn(change)
	return r
}

func (r *rig) turn(change func(*graphsim.Knobs)) {
	k := r.Knobs()
	change(&k)
	r.Set(k)
}

// ask is must with headers, as name and value by turns.
func (r *rig) ask(method, path, body string, headers ...string) answer {
	r.t.Helper()
	req, err := http.NewRequest(method, r.URL()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	a, err := r.send(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func managed(device string) string { return "/beta/deviceManagement/managedDevices/" + device }

// routed gives the phone all the names that the long routes know it by.
func routed(t *testing.T, change func(*graphsim.Knobs)) *rig {
	r := with(t, change)
	r.AddTenant(graphsim.Tenant{ID: tenantID, ClientID: clientID, ClientSecret: "s3cret"},
		graphsim.Device{ID: phone, Name: "phone", Platform: "iOS", Serial: "SER'1", UserID: user, DetectedApps: []string{seen}})
	for _, family := range []string{"deviceHealthScripts", "deviceManagementScripts", "deviceComplianceScripts"} {
		r.AddRunState(tenantID, graphsim.RunState{Family: family, Script: script, State: state, Device: phone})
	}
	return r
}

// Line 2: every route of the page, both to read and to post, by either spelling.
func TestRoutes(t *testing.T) {
	r := routed(t, func(k *graphsim.Knobs) { k.ComanagedRoute = true })
	run := func(family, script, state string) string {
		return "/beta/deviceManagement/" + family + "/" + script + "/deviceRunStates/" + state + "/managedDevice"
	}
	const gone = "55555555-5555-4555-8555-555555555555"
	for path, status := range map[string]int{
		managed(phone): 200,
		"/beta/deviceManagement/comanagedDevices/" + phone:                                                                        200,
		"/beta/deviceManagement/comanagedDevices('" + phone + "')":                                                                200,
		run("deviceHealthScripts", script, state):                                                                                 200,
		run("deviceManagementScripts", script, state):                                                                             200,
		run("deviceComplianceScripts", script, state):                                                                             200,
		"/beta/deviceManagement/deviceHealthScripts('" + script + "')/deviceRunStates('" + state + "')/managedDevice":             200,
		run("deviceManagementScripts", script, state) + "/users/" + user + "/managedDevices/" + phone:                             200,
		run("deviceManagementScripts", script, state) + "/detectedApps/" + seen + "/managedDevices/" + phone:                      200,
		run("deviceManagementScripts", script, state) + "/users('" + user + "')/managedDevices('" + strings.ToUpper(phone) + "')": 200,
		"/beta/users/" + user + "/managedDevices/" + phone:                                                                        200,
		run("deviceHealthScripts", gone, state):                                                                                   404,
		run("deviceHealthScripts", script, "other"):                                                                               404,
		run("deviceManagementScripts", script, state) + "/users/" + gone + "/managedDevices/" + phone:                             404,
		run("deviceManagementScripts", script, state) + "/users/" + user + "/managedDevices/" + offline:                           404,
		run("deviceManagementScripts", script, state) + "/detectedApps/" + gone + "/managedDevices/" + phone:                      404,
		run("deviceShellScripts", script, state):                                                                                  400,
		run("deviceHealthScripts", script, state) + "/groups/" + user + "/managedDevices/" + phone:                                400,
		managed("no-guid"): 400,
	} {
		a := r.must("GET", path+"?$select=id", "")
		want(t, "GET "+path, a.status, status)
		if status == 200 && !strings.Contains(a.body, `"id":"`+phone+`"`) {
			t.Errorf("GET %s: %s", path, a.body)
		}
		posted := status
		if status == 200 {
			posted = 204
		}
		for _, action := range []string{"/changeAssignments", "/microsoft.graph.changeAssignments"} {
			want(t, "POST "+path+action, r.must("POST", path+action, setOf(appA)).status, posted)
		}
	}
	want(t, "journal knows the device", r.must("POST", run("deviceHealthScripts", script, state)+"/changeAssignments", setOf(appB)).status, 204)
	c := r.last()
	want(t, "journal", line(c.Route, c.Device, c.Applied, c.App), line("deviceHealthScripts", phone, true, clientID))
	code, _ := r.must("GET", managed("no-guid"), "").code(t)
	want(t, "malformed id", code, "InternalError")
}

// Line 2: the routes that the field has not seen working.
func TestRoutesAsSeenInTheField(t *testing.T) {
	r := routed(t, func(k *graphsim.Knobs) { k.NoScriptRoutes = true })
	for _, path := range []string{
		"/beta/deviceManagement/comanagedDevices/" + phone,
		"/beta/deviceManagement/deviceHealthScripts/" + script + "/deviceRunStates/" + state + "/managedDevice",
	} {
		for method, tail := range map[string]string{"GET": "", "POST": "/changeAssignments"} {
			a := r.must(method, path+tail, setOf(appA))
			code, message := a.code(t)
			want(t, path, line(a.status, code), "400 No method match route template")
			want(t, "message", strings.HasPrefix(message, "No OData route exists that match template ~/singleton/navigation/key"), true)
		}
	}
	want(t, "the list works", r.must("GET", "/beta/deviceManagement/comanagedDevices", "").status, 200)
}

// Line 2: version 1.0 reads devices, without the items, and has no such action.
func TestVersion1(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.post(phone, appA)
	a := r.must("GET", strings.Replace(managed(phone), "beta", "v1.0", 1)+"?$select=deviceActionResults", "")
	want(t, "read", line(a.status, strings.Contains(a.body, `"actionName":"changeAssignments"`),
		strings.Contains(a.body, "deviceAssignmentItems"), strings.Contains(a.body, "/v1.0/$metadata")), "200 true false true")
	want(t, "list", r.must("GET", "/v1.0/deviceManagement/managedDevices", "").status, 200)
	for _, path := range []string{"managedDevices/" + phone + "/changeAssignments", "comanagedDevices/" + phone, "operationApprovalRequests"} {
		a := r.must("POST", "/v1.0/deviceManagement/"+path, setOf(appA))
		_, message := a.code(t)
		want(t, path, line(a.status, strings.HasPrefix(message, "Resource not found for the segment '")), "400 true")
	}
}
