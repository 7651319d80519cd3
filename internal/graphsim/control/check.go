package control

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"changerelay/internal/graphsim"
)

func (d *decoder) check(sc *Scenario, read func(string) ([]byte, error)) {
	d.knobs("knobs", sc.Knobs)
	if len(sc.Tenants) > maxTenants || len(sc.Faults) > maxFaults {
		d.bad("", "more than %d tenants or %d faults", maxTenants, maxFaults)
		return
	}
	ids := map[string]bool{}
	for i := range sc.Tenants {
		at := fmt.Sprintf("tenants[%d]", i)
		d.once(at+".id", "tenant", sc.Tenants[i].ID, ids)
		d.tenant(at, &sc.Tenants[i], read)
	}
	for i, f := range sc.Faults {
		d.fault(fmt.Sprintf("faults[%d]", i), f)
	}
}

func (d *decoder) tenant(at string, t *Tenant, read func(string) ([]byte, error)) {
	apps, devices := map[string]bool{}, map[string]bool{}
	if len(t.Apps) == 0 {
		d.bad(at+".apps", "a tenant needs an app, or nobody can call")
	}
	if len(t.Devices) > maxDevices {
		d.bad(at+".devices", "more than %d devices", maxDevices)
	}
	for i := range t.Apps {
		app := fmt.Sprintf("%s.apps[%d]", at, i)
		d.once(app+".client_id", "app", t.Apps[i].ClientID, apps)
		d.keys(app, &t.Apps[i], read)
	}
	for i := range t.Devices {
		dev := fmt.Sprintf("%s.devices[%d]", at, i)
		d.once(dev+".id", "device", t.Devices[i].ID, devices)
		d.oneOf(dev+".ownership", t.Devices[i].Ownership, "", "company", "personal", "unknown")
		for j := range t.Devices[i].Items {
			d.item(fmt.Sprintf("%s.items[%d]", dev, j), &t.Devices[i].Items[j])
		}
	}
	for i, r := range t.RunStates {
		d.runState(fmt.Sprintf("%s.run_states[%d]", at, i), r, devices)
	}
}

func (d *decoder) runState(at string, r graphsim.RunState, devices map[string]bool) {
	d.oneOf(at+".family", r.Family, "deviceHealthScripts", "deviceManagementScripts", "deviceComplianceScripts")
	if r.Script == "" || r.State == "" {
		d.bad(at, "needs script and state")
	}
	if !devices[strings.ToLower(r.Device)] {
		d.bad(at+".device", "this tenant has no such device")
	}
}

// item completes an item: most are applications.
func (d *decoder) item(at string, it *graphsim.Item) {
	if it.Type == "" {
		it.Type = "application"
	}
	if len(it.ID) == 0 || len(it.ID) > 40 {
		d.bad(at+".id", "want 1 to 40 characters")
	}
}

// once wants an id, and only once.
func (d *decoder) once(at, what, id string, seen map[string]bool) {
	id = strings.ToLower(id)
	switch {
	case id == "" || strings.ContainsAny(id, "/?#"):
		d.bad(at, "the %s needs an id, without / ? #", what)
	case seen[id]:
		d.bad(at, "another %s has this id", what)
	}
	seen[id] = true
}

func (d *decoder) oneOf(at, word string, words ...string) {
	if !slices.Contains(words, word) {
		d.bad(at, "want one of: %s", strings.Trim(strings.Join(words, ", "), ", "))
	}
}

// knobs puts the simulator's own objections at the keys that they are about.
func (d *decoder) knobs(at string, k graphsim.Knobs) {
	err := k.Check()
	if err == nil {
		return
	}
	for line := range strings.Lines(err.Error()) {
		name, reason, _ := strings.Cut(strings.TrimSpace(line), " ")
		d.bad(strings.TrimPrefix(at+"."+snake(name), "."), "%s", reason)
	}
}

func (d *decoder) fault(at string, f graphsim.Fault) {
	at = strings.TrimPrefix(at+".", ".")
	d.oneOf(at+"op", f.Op, "", "post", "get", "token", "batch", "approvals", "other")
	d.oneOf(at+"form", f.Form, graphsim.Forms...)
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		d.bad(at+"status", "want 200 to 599")
	}
	if f.Chance < 0 || f.Chance > 1 {
		d.bad(at+"chance", "want 0 to 1; 0 strikes always")
	}
	if f.Times < -1 || f.Skip < 0 {
		d.bad(at+"times", "want -1 (until cleared) or more, and skip 0 or more")
	}
	for name, t := range map[string]time.Duration{"after": f.After, "for": f.For, "delay": f.Delay, "late": f.Late} {
		if t < 0 {
			d.bad(at+name, "must not be negative")
		}
	}
}
