package graphsim

import (
	"net/http"
	"slices"
	"strings"
)

// RunState is a script's run on a device: the alias by which the longer routes name the device.
type RunState struct {
	Family                string // deviceHealthScripts, deviceManagementScripts, deviceComplianceScripts
	Script, State, Device string // State is opaque; often scriptId:deviceId
}

// AddRunState makes a device reachable through a script's run state, or moves the state to it.
func (s *Sim) AddRunState(tenantID string, r RunState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	t := s.directory(tenantID)
	script := strings.ToLower(r.Family + "/" + r.Script)
	t.scripts[script] = true
	t.runs[script+"/"+strings.ToLower(r.State)] = r
}

var scriptFamilies = []string{"deviceHealthScripts", "deviceManagementScripts", "deviceComplianceScripts"}

// target is the device as a path names it.
type target struct {
	route  string // the first segment: managedDevices, comanagedDevices, users, or a script family
	script string // family/script, lower case
	state  string // family/script/state
	via    string // "users" or "detectedApps" behind managedDevice, or as the first segment
	viaID  string
	device string // as named; empty when only the run state knows it
}

// parseTarget reads the segments behind deviceManagement, or /users. rest is what follows the device.
func parseTarget(p []string) (t target, rest []string, ok bool) {
	family := slices.IndexFunc(scriptFamilies, func(f string) bool { return same(f, p[0]) })
	switch {
	case family >= 0 && len(p) >= 5 && same(p[2], "deviceRunStates") && same(p[4], "managedDevice"):
		t.route = scriptFamilies[family]
		t.script = strings.ToLower(t.route + "/" + p[1])
		t.state = t.script + "/" + strings.ToLower(p[3])
		if rest = p[5:]; len(rest) >= 4 {
			rest = t.hop(rest)
		}
		return t, rest, rest != nil
	case same(p[0], "managedDevices") && len(p) >= 2:
		return target{route: "managedDevices", device: p[1]}, p[2:], true
	case same(p[0], "comanagedDevices") && len(p) >= 2:
		return target{route: "comanagedDevices", device: p[1]}, p[2:], true
	case same(p[0], "users") && len(p) >= 4:
		t.route = "users"
		rest = t.hop(p)
		return t, rest, rest != nil
	}
	return t, nil, false
}

// hop reads users/{id}/managedDevices/{id} or detectedApps/{id}/managedDevices/{id}.
func (t *target) hop(p []string) (rest []string) {
	if !same(p[2], "managedDevices") || !same(p[0], "users") && !same(p[0], "detectedApps") {
		return nil
	}
	t.via, t.viaID, t.device = strings.ToLower(p[0]), p[1], p[3]
	return p[4:]
}

// resolve finds out which device is meant, and why it cannot be found. The caller holds mu.
func (s *Sim) resolve(tenantID string, t target) (device string, bad *refusal) {
	device = t.device
	if t.script != "" {
		known := s.tenants[tenantID]
		run, ok := known.runs[t.state]
		switch {
		case !known.scripts[t.script]:
			return "", s.knobs.gone(t.script[strings.LastIndex(t.script, "/")+1:])
		case !ok || s.find(keyOf(tenantID, run.Device)) == nil:
			return "", s.knobs.gone(t.state[strings.LastIndex(t.state, "/")+1:])
		case device == "":
			device = run.Device
		}
	}
	device = strings.ToLower(device)
	d := s.find(key{tenantID, device})
	switch {
	case d == nil && !guid(device):
		return device, &refusal{status: http.StatusBadRequest, code: "InternalError", message: "An internal server error has occurred", intune: true}
	case d == nil:
		return device, s.knobs.gone(device)
	case t.via == "users" && !same(d.UserID, t.viaID),
		t.via == "detectedapps" && !slices.ContainsFunc(d.DetectedApps, func(id string) bool { return same(id, t.viaID) }):
		return device, s.knobs.gone(t.viaID)
	}
	return device, nil
}

// gone is the answer for what does not exist; nobody has captured its body.
func (k *Knobs) gone(what string) *refusal {
	f := refused(http.StatusNotFound, "ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", clip(what))
	switch k.GoneForm {
	case "NotFound":
		f.code = "NotFound"
	case "Gone":
		f.status, f.code = http.StatusGone, "Gone"
	}
	return f
}
