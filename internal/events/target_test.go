package events

import (
	"strings"
	"testing"
)

const phone = "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11"

// routes are the six that are no device's own id.
var routes = []string{
	"comanagedDevices/" + phone,
	"deviceHealthScripts/8f1a/deviceRunStates/8f1a:77/managedDevice",
	"deviceManagementScripts/8f1a/deviceRunStates/8f1a:77/managedDevice",
	"deviceComplianceScripts/8f1a/deviceRunStates/c3Rh=/managedDevice",
	"deviceHealthScripts/8f1a/deviceRunStates/77/managedDevice/users/ada@example.com/managedDevices/" + phone,
	"deviceComplianceScripts/8f1a/deviceRunStates/77/managedDevice/detectedApps/0000a1/managedDevices/" + phone,
}

// targeted is the example with a target in place of its device, or beside it.
func targeted(target, device string) string {
	with := `"target":"` + target + `"`
	if device != "" {
		with += `,"device":"` + device + `"`
	}
	return strings.Replace(example, `"device":"`+phone+`"`, with, 1)
}

// Each route is taken, comes back from its own encoding, and says which device it
// is if it can.
func TestTargets(t *testing.T) {
	for _, target := range routes {
		e := mustParse(t, targeted(strings.Replace(target, phone, strings.ToUpper(phone), 1), ""))
		if string(e.Target) != target {
			t.Errorf("%s became %s", target, e.Target)
		}
		if again := mustParse(t, string(e.Encode())); again.Digest() != e.Digest() || again.Device != e.Device {
			t.Errorf("%s is another event once encoded: %s", target, again.Encode())
		}
		want := ""
		if strings.HasSuffix(target, phone) {
			want = phone
		}
		if e.Device != want || e.Target.Device() != want {
			t.Errorf("%s: device %q, of the target %q, want %q", target, e.Device, e.Target.Device(), want)
		}
		if got, ref, err := FromMessage(e.Subject(), nil, e.Encode(), now); err != nil || got.Digest() != e.Digest() || ref != e.Ref() {
			t.Errorf("from its own message %s: %v, %v", e.Subject(), ref, err)
		}
		if both := mustParse(t, targeted(target, phone)); both.Device != phone || both.Target != e.Target {
			t.Errorf("%s beside its device: %+v", target, both)
		}
	}
}

// An event without a device has the ticket in the device's place.
func TestUnresolved(t *testing.T) {
	e := mustParse(t, targeted(routes[1], ""))
	ref, token := e.Ref(), TicketToken(e.Ticket)
	if !ref.Unresolved() || exampleEvent().Ref().Unresolved() {
		t.Errorf("%v is resolved, or %v is not", ref, exampleEvent().Ref())
	}
	for got, want := range map[string]string{
		ref.String():              "acme." + token + "." + ref.Key,
		e.Subject():               "targets.v1.acme." + token + "." + ref.Key,
		ref.OutcomeSubject(token): "outcomes.v1.acme." + token + ".target." + ref.Key,
		ref.DeadSubject(Refused):  "dead.v1.refused.acme." + token + "." + ref.Key,
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if again, err := ParseRef(ref.String()); err != nil || again != ref {
		t.Errorf("ParseRef: %v, %v", again, err)
	}
	// Nothing but the broker's stream tells the two kinds of messages apart.
	for _, wrong := range []string{ChangesPrefix + ref.String() + "." + token, TargetsPrefix + exampleEvent().Ref().String()} {
		if _, _, err := FromMessage(wrong, nil, e.Encode(), now); err == nil {
			t.Errorf("taken under %s", wrong)
		}
	}
	carries := mustParse(t, targeted(routes[0], ""))
	_, _, err := FromMessage(Ref{Address{"acme", token}, ref.Key}.TargetSubject(), nil, carries.Encode(), now)
	wantInvalid(t, err, "subject", "publish it, with a new id, to the subject made of it")
}

func TestTargetRefusals(t *testing.T) {
	const other = "1f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d12"
	for _, c := range []struct{ target, device, field, reason string }{
		{"", "", "data.target", "is empty"},
		{"managedDevices/" + phone, "", "data.target", "a device's own id belongs in data.device"},
		{"/deviceManagement/" + routes[0], "", "data.target", "its step 1 is empty"},
		{"deviceManagement/" + routes[0], "", "data.target", "is not a route to a device; want comanagedDevices/{id}"},
		{"comanageddevices/" + phone, "", "data.target", "is not a route"},
		{"comanagedDevices/", "", "data.target", "its step 2 is empty"},
		{"comanagedDevices/PHONE-7", "", "data.target", "ends with a device id, which \"PHONE-7\" is not a UUID"},
		{"comanagedDevices/..", "", "data.target", "its step 2"},
		{"deviceHealthScripts/a/deviceRunStates/b", "", "data.target", "is not a route"},
		{"deviceHealthScripts/a/deviceRunStates/b/managedDevice/changeAssignments", "", "data.target", "is not a route"},
		{"deviceHealthScripts/a/deviceRunStates/b?x/managedDevice", "", "data.target", "its step 4"},
		{"deviceHealthScripts/a/deviceRunStates/b%2fc/managedDevice", "", "data.target", "its step 4"},
		{"deviceHealthScripts/a/deviceRunStates/b/managedDevice/groups/c/managedDevices/" + phone, "", "data.target", "is not a route"},
		{"deviceHealthScripts/a/deviceRunStates/" + strings.Repeat("b", 600) + "/managedDevice", "", "data.target", "at most 512"},
		{routes[0], other, "data.device", "is not the device of data.target"},
		{routes[1], "PHONE-7", "data.device", "is not a UUID"},
	} {
		_, err := Parse([]byte(targeted(c.target, c.device)), now)
		wantInvalid(t, err, c.field, c.reason)
	}
}
