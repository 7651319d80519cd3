package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/stream"
)

func TestTenants(t *testing.T) {
	r := newRig(t)
	r.run("tenants").want(t, 0, `
TENANT  ENTRA TENANT  CLIENT  CLOUD  WRITES  READS  DUE  LOOKUP  DEAD  PAUSED
acme  `+entraTenant+`  `+clientID+`  custom  unused of 7/s  unused of 60/s  0  0  0  -
globex  `+entraTenant+`  `+clientID+`  custom  unused of 7/s  unused of 60/s  0  0  0  -
`, "")
	e := event(t, "CHG0000001", time.Now(), change(events.Remove, app1))
	if err := r.streams.Wake(t.Context(), e.Address()); err != nil {
		t.Fatal(err)
	}
	if err := r.streams.Bury(t.Context(), stream.DeadLetter{Ref: e.Ref(), Outcome: events.Refused, Reason: "no", Data: e.Encode(), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	r.throttle(5 * time.Minute)
	r.edit("cloud: custom", "quota: { writes_per_second: 3 }, cloud: custom")
	out := norm(r.run("tenants", "acme").out)
	for _, want := range []string{"0 of 3/s  unused of 60/s  1  0  1, newest ", "  until TIME: Graph answered 429 to writes"} {
		if !strings.Contains(out, want) || strings.Contains(out, "globex") {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	lines := strings.Split(strings.TrimSpace(r.run("tenants", "--output", "json").out), "\n")
	var s tenantState
	if len(lines) != 2 || json.Unmarshal([]byte(lines[0]), &s) != nil {
		t.Fatalf("printed %q", lines)
	}
	if s.Tenant != "acme" || s.Entra != entraTenant || s.Writes.Now != 0 || s.Writes.Configured != 3 || !s.Writes.Used || s.Reads.Used ||
		s.Paused == nil || time.Until(s.Paused.Until) < 4*time.Minute || s.Due != 1 || s.Dead != 1 || s.Last.IsZero() {
		t.Errorf("acme is %+v", s)
	}
	r.run("tenants", "initech").fails(t, 1, `there is no tenant "initech"`)
}

// The quota that a real worker uses is the one that is shown.
func TestTenantsShowTheWorkersQuota(t *testing.T) {
	r := newRig(t)
	r.work()
	if got := r.run(send1("--wait")...); got.code != 0 {
		t.Fatal(got)
	}
	r.settled()
	if out := norm(r.run("tenants", "acme").out); !strings.Contains(out, "7 of 7/s  60 of 60/s  0  0  0  -") {
		t.Errorf("printed\n%s", out)
	}
	if line := r.run("doctor").line(t, "streams"); !strings.HasSuffix(line, " KV_ledger, KV_quota: as declared") {
		t.Error(line) // its declaration is quota's own
	}
}

func TestTenantsWithoutABroker(t *testing.T) {
	r := newRig(t)
	r.broker.Stop()
	r.run("tenants").fails(t, 1, "looking at tenants: the broker does not answer at ")
}

// send1 sends one change of the phone.
func send1(args ...string) []string {
	return append([]string{"send", "--source", "desk", "--tenant", "acme", "--device", phone, "--ticket", "CHG0031337", "--remove", app1}, args...)
}

// A lost permission is known to everybody who asks.
func TestTenantsShowALostPermission(t *testing.T) {
	r := newRig(t)
	r.sim.Fail(graphsim.Fault{Op: "get", Status: 403, Times: -1})
	r.work()
	e := event(t, "CHG0000001", time.Now(), change(events.Remove, app1))
	if _, err := r.streams.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	paused := func() bool {
		return strings.Contains(r.run("tenants", "acme").out, "Graph or Entra turns the tenant's application down")
	}
	await.State(t, "the pause to be known", paused)
}
