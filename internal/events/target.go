package events

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// A Target names a managed device by another route than its own id: one of the
// longer ones of Graph's page of changeAssignments, from below deviceManagement.
//
//	comanagedDevices/{managedDevice id}
//	deviceHealthScripts/{id}/deviceRunStates/{id}/managedDevice
//	                          …/managedDevice/users/{id}/managedDevices/{managedDevice id}
//	                          …/managedDevice/detectedApps/{id}/managedDevices/{managedDevice id}
//
// and the last three after deviceManagementScripts and deviceComplianceScripts
// as well. The zero Target is the device's own id, which is what to use.
type Target string

// MaxTarget bounds a target, bytes.
const MaxTarget = 512

// The first steps of targets.
const (
	comanaged = "comanagedDevices"
	runStates = "deviceRunStates"
	managed   = "managedDevice"
)

var scriptFamilies = []string{"deviceHealthScripts", "deviceManagementScripts", "deviceComplianceScripts"}

// Steps are the segments of the target's path.
func (t Target) Steps() []string {
	if t == "" {
		return nil
	}
	return strings.Split(string(t), "/")
}

// Device is the managedDevice id that the target carries, in canonical form; ""
// if only Graph knows which device it is.
func (t Target) Device() string {
	if s := t.Steps(); len(s) == 2 || len(s) == 9 {
		return s[len(s)-1]
	}
	return ""
}

// Fingerprint is the event's Digest as it was before its device was known, in
// hexadecimal. An event of TARGETS keeps it on its way to CHANGES.
func (e Event) Fingerprint() string {
	if e.Target != "" && e.Target.Device() == "" {
		e.Device = ""
	}
	d := e.Digest()
	return hex.EncodeToString(d[:])
}

// newTarget returns t in canonical form, or why it is none.
func newTarget(t Target) (Target, string) {
	if t == "" {
		return "", ""
	}
	if len(t) > MaxTarget {
		return "", fmt.Sprintf("has %d bytes; at most %d are taken", len(t), MaxTarget)
	}
	steps := t.Steps()
	if i := slices.IndexFunc(steps, func(s string) bool { return !isStep(s) }); i >= 0 {
		return "", given(string(t), "is not a route to a device") + fmt.Sprintf("; its step %d is empty or has characters that stand in no id", i+1)
	}
	if !isRoute(steps) {
		return "", given(string(t), "is not a route to a device") + "; want comanagedDevices/{id}, or " + list(scriptFamilies, "or") +
			"/{id}/deviceRunStates/{id}/managedDevice, with /users/{id}/managedDevices/{id} or /detectedApps/{id}/managedDevices/{id} behind it or not; a device's own id belongs in data.device"
	}
	if device := t.Device(); device != "" {
		if reason := refuseDevice(device); reason != "" {
			return "", "ends with a device id, which " + reason
		}
		t = Target(strings.TrimSuffix(string(t), device) + lower(device))
	}
	return t, ""
}

// isRoute reports whether the steps are those of one of the routes.
func isRoute(s []string) bool {
	switch len(s) {
	case 2:
		return s[0] == comanaged
	case 9:
		return isRoute(s[:5]) && (s[5] == "users" || s[5] == "detectedApps") && s[7] == "managedDevices"
	case 5:
		return slices.Contains(scriptFamilies, s[0]) && s[2] == runStates && s[4] == managed
	}
	return false
}

// isStep accepts what can be an id in a path and nothing else there.
func isStep(s string) bool {
	return s != "" && s != "." && s != ".." && isVisible(s) && !strings.ContainsAny(s, "\"'`\\?#%()$&,;<>{}|^[]")
}
