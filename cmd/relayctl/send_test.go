package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

var byFlags = []string{"send", "--tenant", "acme", "--device", phone, "--ticket", "CHG0031337", "--remove", app1, "--remove", app2 + ":deviceconfiguration"}

func TestSendAndFollow(t *testing.T) {
	r := newRig(t)
	r.work()
	sent := r.run(append(byFlags, "--wait")...)
	sent.want(t, 0, `
id           acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
status       queued: the relay has stored it
status URL   URL/v1/changes/acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
source       desk
repeat with  --id ID --time TIME

outcome     accepted: Graph took it; the device follows when it checks in
ticket      CHG0031337
tenant      acme
device      0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
changes     remove 5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01 (application)
            remove 5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c02 (deviceConfiguration)
stored      TIME
ended       TIME
Graph       1 call
request-id  REQUEST
id          acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
`, "")

	_, repeat, _ := strings.Cut(sent.out, "repeat with  ")
	repeat, _, _ = strings.Cut(repeat, "\n")
	again := r.run(append(byFlags, strings.Fields(repeat)...)...)
	again.want(t, 0, `
id           acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
status       duplicate: the same event was stored before
status URL   URL/v1/changes/acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
source       desk
repeat with  --id ID --time TIME
next         relayctl status acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY --wait --url URL
`, "")
	if again.id(t) != sent.id(t) {
		t.Errorf("the repetition is another event: %s", again.id(t))
	}

	r.settled()
	r.run("device", "acme", strings.ToUpper(phone)).want(t, 0, `
device  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
tenant  acme
next    nothing: the device is settled
untold  0 events
viewed  TIME
called  TIME
Graph   shows 2 removed, 0 restored

ITEM                                  TYPE                 TOLD                       PENDING  BELIEVED  GRAPH
5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01  application          remove TIME by CHG0031337  -        removed   removed
5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c02  deviceConfiguration  remove TIME by CHG0031337  -        removed   removed
`, "")

	asJSON := r.run("status", "--output", "json", sent.id(t))
	if asJSON.code != 0 || !strings.HasPrefix(asJSON.out, `{"status":"accepted","id":"acme.`) {
		t.Errorf("%+v", asJSON)
	}
}

func TestSendWaitsForADeadOne(t *testing.T) {
	r := newRig(t)
	r.work()
	r.sim.DeleteDevice(entraTenant, phone)
	got := r.run(append(byFlags, "--wait", "--output", "json")...)
	got.fails(t, 1, "relayctl: the change ended refused; its dead letter: relayctl dead list --tenant acme --reason refused\n")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"status":"queued"`) || !strings.Contains(lines[1], `"status":"refused"`) {
		t.Errorf("printed\n%s", got.out)
	}
	if list := r.run("dead", "list", "--tenant", "acme", "--reason", "refused"); !strings.Contains(list.out, "CHG0031337") {
		t.Errorf("%+v", list)
	}
}

func TestStatusOfOneThatIsQueued(t *testing.T) {
	r := newRig(t) // without a worker
	sent := r.run(append(byFlags, "--source", "slack")...)
	const queued = `
state    queued: stored, and not yet looked at by a worker
ticket   CHG0031337
tenant   acme
device   0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
changes  remove 5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01 (application)
         remove 5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c02 (deviceConfiguration)
stored   TIME
id       acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
next     relayctl device acme 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
`
	r.run("status", sent.id(t)).want(t, 0, queued, "")
	r.run("status", sent.id(t), "--wait", "--timeout", "300ms").want(t, 1, queued,
		"relayctl: there is no outcome after 300ms; ask again later: relayctl status acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY --url URL")
}

func TestSendFile(t *testing.T) {
	r := newRig(t)
	e := event(t, "CHG0000001", time.Now().Add(-time.Minute), change(events.Restore, app1))
	file := r.write("event.json", string(e.Encode()))
	if got := r.run("send", "--file", file); got.code != 0 || got.id(t) != e.Ref().String() {
		t.Errorf("%+v", got)
	}
	r.run() // sets the environment
	piped := runWith(t, string(e.Encode()), "send", "--file", "-", "--source", "slack", "-o", "json")
	if piped.code != 0 || !strings.Contains(piped.out, `"duplicate":true`) {
		t.Errorf("%+v", piped)
	}
	r.write("record.json", record)
	if got := r.run("send", "--source", "snow", "--file", r.dir+"/record.json"); got.code != 0 || strings.Contains(got.out, "repeat with") {
		t.Errorf("%+v", got)
	} else if got := r.run("status", got.id(t)); !strings.Contains(got.out, "CHG0031877") {
		t.Errorf("%+v", got)
	}
}

const record = `{"number":"CHG0031877","sys_id":"4e1c8a2b","sys_mod_count":"9","sys_updated_on":"2025-11-22 15:42:51","approval":"approved",
 "short_description":"kept as it is: \u00e9", "u_intune_device_id":"` + phone + `","u_intune_app_id":"a7d7a9a2"}`

// What is wrong is said in words that name the flag, before anything is sent.
func TestSendRefuses(t *testing.T) {
	r := newRig(t)
	bad := r.write("bad.json", `{"specversion":"1.0","id":"1"}`)
	asked := r.write("asked.json", strings.Replace(record, `"approved"`, `"requested"`, 1))
	strange := event(t, "CHG1", time.Now().Add(-time.Minute), change(events.Remove, app1))
	strange.Tenant = "initech"
	other := r.write("other.json", string(strange.Encode()))
	with := func(args ...string) []string { return append(append([]string{}, byFlags...), args...) }
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"item type", with("--restore", app3+":app"), 2, `"app" is not an item type; want ITEM:TYPE with one of application, deviceConfiguration, deviceManagementConfigurationPolicy, mobileAppConfiguration`},
		{"nothing", []string{"send"}, 2, "missing flags: --tenant, --device, --ticket, --remove or --restore; or give the whole event with --file"},
		{"both", with("--file", bad), 2, "give --file, or an event by flags, not both"},
		{"url", with("--url", "relay.example"), 2, "--url: want one such as https://relay.example"},
		{"status url", []string{"status", "--url", "ftp://x", "acme"}, 2, "--url: want one such as https://relay.example"},
		{"item twice", with("--restore", app1), 1, "nothing was sent: --remove, --restore, --restore-all: data.changes[2].item.id: is the item of data.changes[0] too"},
		{"time", with("--time", "yesterday"), 1, `nothing was sent: --time: "yesterday" is not a time; write it like 2026-11-23T10:00:00Z`},
		{"time ahead", with("--time", "2099-01-01T00:00:00Z"), 1, "nothing was sent: --time: 2099-01-01T00:00:00Z is ahead of the clock here"},
		{"device", []string{"send", "--tenant", "acme", "--device", "phone", "--ticket", "CHG1", "--remove", app1}, 1, `nothing was sent: --device: "phone" is not a UUID`},
		{"event", []string{"send", "--file", bad}, 1, "nothing was sent: " + bad + ": type: is required; want changerelay.change.v1"},
		{"no file", []string{"send", "--file", "/none"}, 1, "nothing was sent: --file: open /none: no such file"},
		{"record", []string{"send", "--file", asked, "--source", "snow"}, 1, "nothing was sent: " + asked + ": ignoring a request: the record is not approved"},
		{"flags for a record", with("--source", "snow"), 1, "the source snow is of kind servicenow: give a body of its own with --file, or name another --source"},
		{"source", with("--source", "dsk"), 1, `there is no source "dsk" in ` + r.config + "; it has desk, slack, snow"},
		{"configuration", with("--config", "/none.yaml"), 1, "there is no file /none.yaml; name another with --config"},
		{"tenant", []string{"send", "--tenant", "initech", "--device", phone, "--ticket", "CHG1", "--remove", app1}, 1,
			`nothing was sent: --tenant: there is no tenant "initech" in ` + r.config + "; it has acme, globex; if the relay's configuration has it otherwise, add --force"},
		{"tenant, all the same", []string{"send", "--force", "--tenant", "initech", "--device", phone, "--ticket", "CHG1", "--remove", app1}, 1,
			"sending: the relay answered 403 forbidden: data.tenant: source desk may not speak for tenant initech (request-id "},
		{"source's tenant", []string{"send", "--source", "slack", "--tenant", "globex", "--device", phone, "--ticket", "CHG1", "--remove", app1}, 1,
			"nothing was sent: data.tenant: source slack may not speak for tenant globex (sources.slack in " + r.config + ")"},
		{"tenant of a file", []string{"send", "--file", other}, 1, "nothing was sent: " + other + `: data.tenant: there is no tenant "initech"`},
		{"restore all", []string{"send", "--tenant", "globex", "--device", phone, "--ticket", "CHG1", "--restore-all"}, 1,
			"nothing was sent: --restore-all: tenant globex does not allow to restore everything: set tenants.globex.restore_all in " + r.config},
		{"event's id", []string{"status", "acme.CHG0031337"}, 1, `id: "acme.CHG0031337" is not an event's id`},
		{"unknown event", []string{"status", "--wait", "acme." + phone + "." + events.Key("/test", "none")}, 1, "the relay answered 404 not_found: no such event is stored"},
	} {
		t.Run(c.name, func(t *testing.T) { r.run(c.args...).fails(t, c.code, "relayctl: ", c.want) })
	}
	t.Run("conflict", func(t *testing.T) {
		r.run(with("--id", "req-1")...)
		r.run(with("--id", "req-1", "--restore", app3)...).fails(t, 1, "409 conflict: an event with this source and id is stored with other content", "; the event is acme."+phone)
	})
	t.Run("secret", func(t *testing.T) {
		r.write("desk", "whsec_bm90IHRoZSByZWxheSdz\n")
		r.run(byFlags...).fails(t, 1, "401 unauthorized", "is the secret of source desk in "+r.config+" the relay's, and are both clocks right?")
		r.write("desk", "not of the form\n")
		r.run(byFlags...).fails(t, 1, "nothing was sent: "+r.config+":7:65: sources.desk.secrets[0]: is not of the form whsec")
		if err := os.Remove(r.dir + "/desk"); err != nil {
			t.Fatal(err)
		}
		r.run(byFlags...).fails(t, 1, "nothing was sent: "+r.config+":7:65: sources.desk.secrets[0]: there is no file")
	})
}

// A relay that is away, or something else in its place.
func TestRelayAway(t *testing.T) {
	r := newRig(t)
	r.relay.Close()
	id := "acme." + phone + "." + events.Key("/test", "1")
	r.run(byFlags...).want(t, 1, "", "relayctl: sending: URL does not answer: "+refused(r)+"; is the relay there? --url names another place\n"+
		"relayctl: it may be stored or not; repeat the command with --id ID --time TIME: nothing is done twice")
	r.run("status", "--wait", id).fails(t, 1, "does not answer")

	r.relay = httptest.NewServer(http.NotFoundHandler())
	defer r.relay.Close()
	r.run("status", id).fails(t, 1, "the relay answered 404 Not Found: this is no answer of the relay; is something else at "+r.relay.URL)
	r.relay.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	r.run("status", id).fails(t, 1, "this is no answer of the relay")
	r.run(byFlags...).fails(t, 1, "sending: this is no answer of the relay")
}

func refused(r *rig) string {
	return "dial tcp " + strings.TrimPrefix(r.relay.URL, "http://") + ": connect: connection refused"
}

// While it waits, the relay may be away for a moment.
func TestWaitOutlastsTheRelaysRestart(t *testing.T) {
	id := "acme." + phone + "." + events.Key("/test", "1")
	answers := []struct {
		code int
		body string
	}{
		{200, `{"status":"queued","id":"` + id + `"}`},
		{503, `{"error":"unavailable","reason":"the broker did not answer in time"}`},
		{502, `<html>`},
		{200, `{"status":"accepted","outcome":"accepted","id":"` + id + `"}`},
	}
	next := make(chan int, len(answers))
	for i := range answers {
		next <- i
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a := answers[<-next]
		w.WriteHeader(a.code)
		_, _ = w.Write([]byte(a.body))
	}))
	defer srv.Close()
	got := runWith(t, "", "status", "--wait", "--url", srv.URL, id)
	if got.code != 0 || !strings.HasPrefix(got.out, "outcome  accepted") {
		t.Errorf("%+v", got)
	}
}

// What only the source forbids is found before anything is sent, too.
func TestSendIsCheckedAgainstTheSource(t *testing.T) {
	r := newRig(t)
	sent := func() uint64 { return r.stored("CHANGES") }
	for edit, c := range map[string]struct{ flag, want string }{
		"intents: [restore], ":               {"--remove=" + app1, "source desk may not remove anything, as for item " + app1},
		"item_types: [deviceConfiguration],": {"--remove=" + app1, "source desk may not move items of type application"},
		"intents: [remove, restore], ":       {"--restore-all", "source desk may not restore everything (restore_all)"},
	} {
		r.edit("desk: { kind: cloudevents,", "desk: { kind: cloudevents, "+edit)
		text, err := os.ReadFile(r.config)
		if err != nil {
			t.Fatal(err)
		}
		r.write("relay.yaml", strings.ReplaceAll(string(text), "cloud: custom", "restore_all: true, cloud: custom"))
		r.run("send", "--tenant", "acme", "--device", phone, "--ticket", "CHG1", c.flag).fails(t, 1, "nothing was sent: data.changes[0].", c.want, "(sources.desk in "+r.config+")")
	}
	if n := sent(); n != 0 {
		t.Fatalf("%d events are stored", n)
	}
	// The relay's own configuration, which was read before, has it otherwise.
	if got := r.run("send", "--force", "--tenant", "acme", "--device", phone, "--ticket", "CHG1", "--remove", app1); got.code != 0 || sent() != 1 {
		t.Errorf("with --force: %+v", got)
	}
}
