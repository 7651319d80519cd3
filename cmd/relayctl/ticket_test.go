package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/events"
)

func TestStatusOfATicket(t *testing.T) {
	r := newRig(t)
	const none = "relayctl: no change of ticket CHG0031337 is stored, of the tenants that the source may ask for"
	r.run("status", "--ticket", "CHG0031337").want(t, 1, "", none)
	r.run("status", "--ticket", "CHG0031337", "--wait").want(t, 1, "", none)
	r.run("status", "--ticket", "CHG0031337", "--output", "json").want(t, 1, `{"ticket":"CHG0031337","total":0,"changes":[]}`, none)
	first := r.run(byFlags...).id(t)
	second := r.run("send", "--tenant", "acme", "--device", phone, "--ticket", "CHG0031337", "--restore", app3).id(t)
	id := "acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY"
	r.run("status", "--ticket", "CHG0031337").want(t, 0, `
STATUS  TENANT  DEVICE  CHANGES  STORED  UNTIL  ID  REASON
queued  acme  `+phone+`  remove 2  TIME  -  `+id+`
queued  acme  `+phone+`  restore 1  TIME  -  `+id+`
`, "")
	r.run("status", "--ticket", "CHG0031337", "--tenant", "globex").want(t, 1, "", none)
	got := r.run("status", "--ticket", "CHG0031337", "--wait", "--timeout", "300ms")
	got.fails(t, 1, "there is no outcome after 300ms; ask again later: relayctl status --ticket CHG0031337 --url http")
	if !strings.Contains(got.out, first) || !strings.Contains(got.out, second) {
		t.Errorf("printed\n%s", got.out)
	}
	r.work()
	got = r.run("status", "--ticket", "CHG0031337", "--wait", "--output", "json")
	if got.code != 0 || !strings.HasPrefix(got.out, `{"ticket":"CHG0031337","total":2,"changes":[{"status":"`) || strings.Count(got.out, `"state":"final"`) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestStatusOfATicketSaysWhatIsWrong(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing", []string{"status"}, 2, "give an event's id, or a ticket's number"},
		{"both", []string{"status", "--ticket", "CHG1", "acme.x.y"}, 2, "give an event's id, or a ticket's number"},
		{"tenant alone", []string{"status", "--tenant", "acme", "acme.x.y"}, 2, "--tenant: goes with --ticket only"},
		{"source alone", []string{"status", "--source", "desk", "acme.x.y"}, 2, "--source: goes with --ticket, or with an id without a device"},
		{"configuration", []string{"status", "--ticket", "CHG1", "--config", "/none.yaml"}, 1, "there is no file /none.yaml"},
		{"source", []string{"status", "--ticket", "CHG1", "--source", "dsk"}, 1, `there is no source "dsk"`},
		{"kind", []string{"status", "--ticket", "CHG1", "--source", "snow"}, 1, "the source snow is of kind servicenow, which cannot ask"},
		{"tenant", []string{"status", "--ticket", "CHG1", "--source", "slack", "--tenant", "globex"}, 1, "403 forbidden: tenant: source slack may not ask for tenant globex"},
	} {
		t.Run(c.name, func(t *testing.T) { r.run(c.args...).fails(t, c.code, "relayctl: ", c.want) })
	}
	r.write("desk", "whsec_bm90IHRoZSByZWxheSdz\n")
	r.run("status", "--ticket", "CHG1").fails(t, 1, "401 unauthorized", "is the secret of source desk in "+r.config+" the relay's")
	r.relay.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusMethodNotAllowed)
		_, _ = w.Write([]byte(`{"error":"method_not_allowed","reason":"the route does not take this method","request_id":"1"}`))
	})
	r.run("status", "--ticket", "CHG1").fails(t, 1, "this relay is older than relayctl")
}

// A ticket of which a person must look at something, and one that is cut.
func TestATicketsEnd(t *testing.T) {
	l := listed{Ticket: "CHG1", Total: 120}
	for _, o := range []events.Outcome{events.Accepted, events.Refused, ""} {
		l.Changes = append(l.Changes, found{Receipt: events.Receipt{Outcome: o, State: events.Waiting}})
	}
	if l.final() {
		t.Error("it is final")
	}
	if err := l.dead(); err == nil || !strings.Contains(err.Error(), "a person must look at 1 change of the ticket") {
		t.Errorf("got %v", err)
	}
	var out strings.Builder
	if err := l.print(&out, nil, false); err != nil || !strings.Contains(out.String(), "3 of 120 changes; the others have ended") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// A relay that waits is asked as often as it answers; one that is older, or has no
// place, at the pace of polling.
func TestWaitAsksNoOftenerThanNeeded(t *testing.T) {
	id := "acme." + phone + "." + events.Key("/test", "1")
	for name, c := range map[string]struct {
		waits bool
		most  int32
	}{"waits": {true, 3}, "answers at once": {false, 8}} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				wait, err := time.ParseDuration(r.URL.Query().Get("wait"))
				if c.waits && err == nil {
					<-time.After(wait)
				}
				fmt.Fprintf(w, `{"status":"waiting","state":"waiting","until":"2026-11-23T10:00:00Z","reason":"the tenant pauses","id":"%s"}`, id)
			}))
			defer srv.Close()
			got := runWith(t, "", "status", "--wait", "--timeout", "1s", "--url", srv.URL, id)
			got.fails(t, 1, "there is no outcome after 1s")
			if !strings.HasPrefix(norm(got.out), "state  waiting: something else must pass first\nreason  the tenant pauses\nuntil  TIME") {
				t.Errorf("printed\n%s", got.out)
			}
			if n := asked.Load(); n > c.most {
				t.Errorf("it was asked %d times", n)
			}
		})
	}
}
