package graph

import (
	"net/url"
	"regexp"
	"strings"
)

// A Route is how a path names a managed device: by its id, or by one of the other
// ways of Graph's page of changeAssignments. Nobody was found to use those: they
// are longer, and some of them are not served for every device. Its zero value
// names nothing.
type Route struct {
	steps []string // behind deviceManagement, unescaped
}

// A ScriptFamily is a collection of scripts whose runs lead to devices.
type ScriptFamily string

// The script families.
const (
	HealthScripts     ScriptFamily = "deviceHealthScripts"
	ManagementScripts ScriptFamily = "deviceManagementScripts"
	ComplianceScripts ScriptFamily = "deviceComplianceScripts"
)

// ManagedDevice is the route by the device's own id.
func ManagedDevice(id string) Route { return Route{[]string{"managedDevices", id}} }

// ComanagedDevice is the route by the id of a device that Configuration Manager
// manages too.
func ComanagedDevice(id string) Route { return Route{[]string{"comanagedDevices", id}} }

// RunState is the route to the device that a script ran on. The state's id is
// opaque.
func RunState(f ScriptFamily, script, state string) Route {
	return Route{[]string{string(f), script, "deviceRunStates", state, "managedDevice"}}
}

// User goes on from r's device to a device of one of its users.
func (r Route) User(user, device string) Route { return r.hop("users", user, device) }

// DetectedApp goes on from r's device to a device that has one of its apps.
func (r Route) DetectedApp(app, device string) Route { return r.hop("detectedApps", app, device) }

func (r Route) hop(through, id, device string) Route {
	return Route{append(append([]string{}, r.steps...), through, id, "managedDevices", device)}
}

// path is the route as a path, or "" if one of its ids is malformed.
func (r Route) path() string {
	escaped := make([]string, len(r.steps))
	for i, s := range r.steps {
		if !stepForm.MatchString(s) || s == "." || s == ".." {
			return ""
		}
		escaped[i] = url.PathEscape(s)
	}
	if len(escaped) == 0 {
		return ""
	}
	return "/beta/deviceManagement/" + strings.Join(escaped, "/")
}

// stepForm is what can stand in a path without meaning anything else there.
var stepForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_.@:=+~!*-]{0,255}$`)
