package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
)

// object is a device's JSON.
func (r *rig) object(args ...string) (o deviceObject) {
	r.t.Helper()
	got := r.run(append([]string{"device", "acme", phone, "--output", "json"}, args...)...)
	if err := json.Unmarshal([]byte(got.out), &o); err != nil || got.code != 0 || strings.Count(got.out, "\n") != 1 {
		r.t.Fatalf("%d, %v: %s%s", got.code, err, got.out, got.stderr)
	}
	return o
}

// untold is a document with something to tell: app1 is told, an admin has removed
// app2, and app1 is to be restored and app3 removed.
func (r *rig) untold(read time.Duration) ledger.Device {
	t, now := ledger.DefaultTiming, time.Now().UTC().Truncate(time.Millisecond)
	at := now.Add(-10 * time.Hour)
	fold := func(d ledger.Device, e events.Event, seq uint64) ledger.Device {
		return d.Fold(ledger.NewEntry(e, e.Ref(), seq, e.Time))
	}
	d := fold(ledger.Device{}, event(r.t, "CHG0000001", at, change(events.Remove, app1)), 1)
	d = d.See(ledger.Sight{At: at.Add(time.Second)}, t).Begin("a1", at.Add(2*time.Second), t)
	d = must(d.Accepted("a1", "req-1", at.Add(3*time.Second)))
	d = d.Reported(d.Reports[0].Key)
	d = d.See(ledger.Sight{At: now.Add(-read), Removed: []events.Item{{ID: app1, Type: "application"}, {ID: app2, Type: "application"}}}, t)
	return fold(d, event(r.t, "CHG0000002", now.Add(-time.Second), change(events.Restore, app1), change(events.Remove, app3)), 2)
}

func TestDeviceNextCall(t *testing.T) {
	r := newRig(t)
	r.keep(r.untold(time.Second))
	o := r.object("--no-graph")
	route, want := "managedDevices/"+phone, []setItem{{"kept", "application", app2}, {"removed", "application", app3}, {"restored", "application", app1}}
	if n := o.Next; n.Step != "post" || !n.At.IsZero() || n.Call == nil || n.Call.Route != route || !equal(n.Call.Set, want) || len(n.Call.Events) != 1 {
		t.Errorf("next: %+v, call %+v", n, n.Call)
	}
	if e := o.Ledger.Events; len(e) != 1 || e[0].Ticket != "CHG0000002" || e[0].State != "waiting" || e[0].Expires.Sub(e[0].Accepted) != 4*time.Hour || e[0].Event != o.Next.Call.Events[0] {
		t.Errorf("events: %+v", e)
	}
	if out := norm(r.run("device", "acme", phone, "--no-graph").out); !strings.Contains(out, norm(`
next call  deviceManagement/managedDevices/`+phone+`/changeAssignments

           `+app2+`  application  kept
+          `+app3+`  application  removed
-          `+app1+`  application  restored`)) {
		t.Errorf("printed\n%s", out)
	}

	// Graph shows otherwise now: the call would be another, and is made after a read.
	r.keep(r.untold(time.Hour))
	r.sim.PortalRemove(entraTenant, phone, graphsim.Item{ID: app1, Type: "application"})
	o = r.object()
	if n := o.Next; n.Step != "observe" || n.After != "read" || n.Call == nil || !equal(n.Call.Set, []setItem{{"removed", "application", app3}, {"restored", "application", app1}}) {
		t.Errorf("after a read: %+v, call %+v", n, n.Call)
	}
	if d := o.Differences; len(d) != 1 || d[0].ID != app2 || d[0].Believed != "removed" || d[0].Graph != "not_listed" {
		t.Errorf("differences: %+v", d)
	}
	r.sim.PortalRemove(entraTenant, phone, graphsim.Item{ID: app2, Type: "application"}, graphsim.Item{ID: app3, Type: "application"})
	r.sim.PortalRestore(entraTenant, phone, app2)
	for _, want := range []string{app2 + "  restored since, by Graph itself or in the portal", app3 + "  removed in the portal since, or by a call that came late: it is kept"} {
		if out := norm(r.run("device", "acme", phone).out); !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func equal(a, b []setItem) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// throttle has Graph's 429 be known to all workers.
func (r *rig) throttle(pause time.Duration) {
	r.t.Helper()
	js, err := jetstream.New(natstest.Connect(r.t, r.broker.URL()))
	if err != nil {
		r.t.Fatal(err)
	}
	q, err := quota.Open(r.t.Context(), js, 1)
	if err != nil {
		r.t.Fatal(err)
	}
	k := quota.Key{TenantID: entraTenant, ClientID: clientID, Class: quota.Write}
	q.Bucket(k, quota.DefaultWrite, time.Now).Throttled(r.t.Context(), pause)
}

// A call waits for the pause that Graph asked for.
func TestDeviceWaitsForTheQuota(t *testing.T) {
	r := newRig(t)
	r.keep(r.untold(time.Second))
	r.throttle(5 * time.Minute)
	n := r.object("--no-graph").Next
	if left := time.Until(n.At); n.Step != "post" || left > 5*time.Minute+5*time.Second || left < 4*time.Minute || len(n.Waits) == 0 || n.Waits[0] != "the tenant's pause for writes: Graph answered 429" {
		t.Errorf("next: %+v", n)
	}
	if line := r.run("device", "acme", phone, "--no-graph").out; !strings.Contains(norm(line), "next  post, not before TIME for the tenant's") {
		t.Error(line)
	}
}

// Where only the relay's removals are kept, the next call leaves an admin's out.
func TestDeviceNextCallOfATenantWithItsOwnSet(t *testing.T) {
	r := newRig(t)
	r.config = r.write("own.yaml", strings.Replace(r.yaml(), "acme: {", "acme: { own_set: true,", 1))
	r.keep(r.untold(time.Hour))
	r.sim.PortalRemove(entraTenant, phone, graphsim.Item{ID: app1, Type: "application"}, graphsim.Item{ID: app2, Type: "application"})
	if n := r.object().Next; n.Step != "observe" || n.Call == nil ||
		!equal(n.Call.Set, []setItem{{"removed", "application", app3}, {"restored", "application", app1}, {"restored", "application", app2}}) {
		t.Errorf("next: %+v, call %+v", n, n.Call)
	}
	r.sim.PortalRemove(entraTenant, phone, graphsim.Item{ID: app1, Type: "application"}, graphsim.Item{ID: app2, Type: "application"}, graphsim.Item{ID: app3, Type: "application"})
	want := app3 + "  removed in the portal since, or by a call that came late: the next call restores it"
	if out := norm(r.run("device", "acme", phone).out); strings.Contains(out, "it is kept") || !strings.Contains(out, want) {
		t.Errorf("no %q in\n%s", want, out)
	}
}

// A call waits while the tenant's permission is lost.
func TestDeviceWaitsForThePermission(t *testing.T) {
	r := newRig(t)
	r.keep(r.untold(time.Second))
	js, err := jetstream.New(natstest.Connect(t, r.broker.URL()))
	if err != nil {
		t.Fatal(err)
	}
	q, err := quota.Open(t.Context(), js, 1)
	if err != nil {
		t.Fatal(err)
	}
	k := quota.Key{TenantID: entraTenant, ClientID: clientID, Class: quota.Write}
	until := time.Now().Add(5 * time.Minute).UTC().Truncate(time.Millisecond)
	if err := q.Post(t.Context(), k, quota.Notice{Until: until, Why: "Graph turns the application down"}); err != nil {
		t.Fatal(err)
	}
	if n := r.object("--no-graph").Next; n.Step != "post" || !n.At.Equal(until) || len(n.Waits) != 1 || n.Waits[0] != "the tenant's pause: Graph turns the application down" {
		t.Errorf("next: %+v", n)
	}
}

// The routes by which an event names its device, and what is going on, are told.
func TestDeviceObject(t *testing.T) {
	r := newRig(t)
	if o := r.object(); o.Ledger.Due || o.Next.Step != "done" || o.Graph == nil || o.Graph.Shown {
		t.Errorf("of a device that nobody has changed: %+v", o)
	}
	r.keep(r.busy())
	o := r.object()
	l := o.Ledger
	if !l.Due || l.Attempt == nil || len(l.Doubts) != 1 || len(l.Told) != 2 || l.Told[0].Ticket != "CHG0000001" || !l.Told[0].Yielded || len(l.Believed) != 1 || o.Next.Step != "wait" || o.Next.At.IsZero() {
		t.Errorf("of a busy one: %+v, %+v", l, o.Next)
	}
	if len(l.Events) != 3 || l.Events[0].State != "calling" || l.Events[2].State != "accepted" {
		t.Errorf("events: %+v", l.Events)
	}
	d := r.untold(time.Second)
	d.Pending[0].Target = "comanagedDevices/" + phone
	r.keep(d)
	if c := r.object("--no-graph").Next.Call; c.Route != "comanagedDevices/"+phone {
		t.Errorf("by another route: %+v", c)
	}
	d = d.Begin("a2", time.Now(), ledger.DefaultTiming)
	d = must(d.Refused("a2", "no such app", "req-2", time.Now()))
	r.keep(d)
	o = r.object("--no-graph")
	if b := o.Ledger.Blame; b == nil || b.Reason != "no such app" || o.Ledger.Events[0].State != "suspected" || !o.Next.Call.Probe {
		t.Errorf("of a refused one: %+v, %+v, %+v", b, o.Ledger.Events, o.Next.Call)
	}
}
