package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"changerelay/internal/events"
	"changerelay/internal/graphsim"
)

// reload writes the configuration anew, has the worker read it, and waits until it
// says that it has.
func (r *rig) reload(w *process, text, says string) {
	r.t.Helper()
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := w.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
	r.eventually(says, func() bool { return strings.Contains(r.log.String(), says) })
}

// Tenants come, change and go while the worker runs. An event that is ahead of its
// tenant waits for it, one tenant's broken credential holds nobody up, and a
// tenant that is as it was asks for no new token.
func TestTenantsByReload(t *testing.T) {
	const other, otherClient = "9a3c1d52-9b1e-4d0e-8a52-3c1b7f0a1d00", "9b7e1d52-9b1e-4d0e-8a52-3c1b7f0a1d01"
	dev, theirs := deviceID(1), deviceID(2)
	r := newRig(t, "{fresh: 2s, lag: 60ms, settle: 60ms, hold: 8h, skew: 20ms, budget: 5s, max_age: 1h}", dev)
	r.sim.AddTenant(graphsim.Tenant{ID: other, ClientID: otherClient, ClientSecret: secret + "-2"}, graphsim.Device{ID: theirs, Platform: "iOS"})
	for name, text := range map[string]string{"secret2": secret + "-2", "wrong": "no client has this secret"} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(r.config), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	one := string(data)
	_, acme, _ := strings.Cut(one, "  acme:")
	like := func(name, file string) string {
		return "  " + name + ":" + strings.NewReplacer(entraTenant, other, clientID, otherClient, "{file: secret}", "{file: "+file+"}").Replace(acme)
	}
	remove := []events.Change{{Intent: events.Remove, Item: events.Item{ID: "app-1", Type: events.Application}}}

	w := r.start()
	r.outcome(r.publish(dev, remove...), events.Accepted)
	early := r.publishFor("beta", theirs, remove...)
	r.eventually("the event to wait for its tenant", func() bool { return strings.Contains(r.log.String(), "waits for a reload") })
	r.publishFor("broken", theirs, remove...)
	r.reload(w, one+like("beta", "secret2")+like("broken", "wrong"), `"tenants":{"added":["beta","broken"],"removed":null,"changed":null}`)
	r.eventually("broken to have no token", func() bool { return strings.Contains(r.log.String(), `"no token for the tenant`) })
	restore := []events.Change{{Intent: events.Restore, Item: remove[0].Item}}
	r.outcome(r.publish(dev, restore...), events.Accepted)
	r.outcome(early, events.Accepted)

	tokens := 0
	for _, c := range r.sim.Journal() {
		if c.Op == "token" && c.Tenant == entraTenant {
			tokens++
		}
	}
	if tokens != 1 {
		t.Errorf("acme asked for %d tokens, want 1", tokens)
	}
	r.reload(w, one, `"removed":["beta","broken"]`)
	r.publishFor("beta", theirs, restore...)
	r.outcome(r.publish(dev, remove...), events.Accepted)
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	r.eventually("the worker to end", func() bool { return closed(w.done) })
	if held := r.sim.Held(other, theirs); len(held) != 1 {
		t.Errorf("a tenant that is gone was changed: %v", held)
	}
}
