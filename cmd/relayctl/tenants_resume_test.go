package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/stream"
)

// A tenant whose permission was lost is paused for a minute and more; one that a
// person resumes is called at once.
func TestTenantsResume(t *testing.T) {
	r := newRig(t)
	mend := r.sim.Fail(graphsim.Fault{Op: "get", Status: 403, Times: -1})
	r.work()
	e := event(t, "CHG0000001", time.Now(), change(events.Remove, app1))
	if _, err := r.streams.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	await.State(t, "the pause to be known", func() bool {
		return strings.Contains(r.run("tenants", "acme").out, "turns the tenant's application down")
	})
	mend()

	got := r.run("tenants", "resume", "acme")
	got.fails(t, 1, "TENANT  PAUSED", "acme    until ", ": Graph or Entra turns the tenant's application down",
		"call it again at once, with a new token; so with globex, of the same app registration", "nothing was done: standard input is no terminal", "--yes")
	if n := r.stored(stream.AuditLog); n != 0 || got.out != "" {
		t.Fatalf("asked, and nobody answered: %d records, %s", n, got.out)
	}
	r.run("tenants", "resume", "acme", "--yes", "--as", "Ada", "--why", "consent given").want(t, 0, `
TENANT  RESULT  REASON
acme  resumed

next: relayctl tenants acme --watch`, norm(strings.Split(got.stderr, "\nrelayctl: ")[0]))
	await.State(t, "the event to end", func() bool {
		f, err := r.streams.Find(t.Context(), e.Ref())
		return err == nil && f.Outcome == events.Accepted
	})
	await.State(t, "the pause to be over", func() bool { return !strings.Contains(r.run("tenants", "acme").out, "until ") })
	r.run("audit", "list", "--action", "resume").want(t, 0, `
NUMBER  TIME  WHO  ACTION  STATE  LETTER  OUTCOME  TENANT  TICKET  RESULT  WHY
1  TIME  Ada  resume  asked  -  -  acme  -  -  consent given
2  TIME  Ada  resume  done  -  -  acme  -  resumed  consent given`, "")
	if as := lines[stream.Audit](t, r.run("audit", "list", "-o", "json").out); as[1].Of != 1 || as[1].User == "" || as[1].Host == "" {
		t.Errorf("the record is %+v", as[1])
	}
}

// What a person cannot end is not tried, and leaves no record.
func TestTenantsResumeWhatCannotBe(t *testing.T) {
	r := newRig(t)
	r.run("tenants", "resume").fails(t, 2, "expected \"<tenant> ...\"")
	r.run("tenants", "resume", "acme", "initech").fails(t, 1, `there is no tenant "initech" in `+r.config+"; it has acme, globex")
	got := r.run("tenants", "resume", "acme", "-o", "json")
	got.fails(t, 1, "not all tenants were resumed; each line says why")
	if out := fmt.Sprint(lines[resumedTenant](t, got.out)); out != "[{acme skipped nothing: no worker has called a tenant yet, so none is paused}]" {
		t.Error(out)
	}
	r.throttle(5 * time.Minute)
	r.run("tenants", "resume", "acme", "--yes").fails(t, 1, ": Graph answered 429", "nothing: this pause is Graph's; look for other programs of the same app registration")
	if n := r.stored(stream.AuditLog); n != 0 {
		t.Errorf("%d records are stored", n)
	}
	r.broker.Stop()
	r.run("tenants", "resume", "acme").fails(t, 1, "the broker does not answer at ")
}
