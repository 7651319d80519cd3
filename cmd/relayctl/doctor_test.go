package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/graphsim"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/natstest"
)

// lines are those of a result that begin with a level and a name.
func (got result) line(t *testing.T, what string) string {
	t.Helper()
	for line := range strings.Lines(got.out) {
		_, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(strings.TrimSpace(rest), what+"  ") {
			return norm(line)
		}
	}
	t.Fatalf("nothing on %s in\n%s", what, got.out)
	return ""
}

func TestDoctor(t *testing.T) {
	r := newRig(t)
	got := r.run("doctor")
	if got.code != 0 || got.stderr != "" {
		t.Errorf("%d\n%s", got.code, got.stderr)
	}
	for what, want := range map[string]string{
		"configuration": "ok  configuration  " + r.config + " has 2 tenants and 3 sources",
		"broker":        "ok  broker  answers at " + r.broker.URL(),
		"replicas":      "note  replicas  1: while its server is away nothing is accepted, and its disk is the only copy; run three servers, and set nats.replicas: 3",
		"streams":       "ok  streams  CHANGES, TARGETS, DEVICES, OUTCOMES, DEAD, AUDIT, KV_marks, KV_ledger: as declared",
		"KV_quota":      "note  KV_quota  is not there yet; the first worker makes it",
		"devices":       "ok  devices  0 of 0 documents were looked at; each that is due has a wake-up",
		"tenants":       "ok  tenants  acme, globex: has a token with the permissions that it needs, and Graph lets it read",
		"sources":       "ok  sources  desk, slack, snow: verified by signature",
	} {
		if line := got.line(t, what); line != norm(want) {
			t.Errorf("got  %s\nwant %s", line, want)
		}
	}
}

func TestDoctorFindsFaults(t *testing.T) {
	r := newRig(t)
	r.sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secrets["graph"], Roles: []string{"DeviceManagementManagedDevices.Read.All"}})
	if err := os.Remove(r.dir + "/desk"); err != nil {
		t.Fatal(err)
	}
	r.write("slack", "\n")
	got := r.run("doctor")
	got.fails(t, 1, "relayctl: 3 things to be mended")
	for what, want := range map[string]string{
		"tenants":      "bad  tenants  acme, globex: the app lacks the application permission DeviceManagementManagedDevices.PrivilegedOperations.All; grant it, with an admin's consent",
		"source desk":  "bad  source desk  " + r.config + ":7:65: sources.desk.secrets[0]: there is no file " + r.dir + "/desk; create it, or mount the secret there",
		"source slack": "bad  source slack  " + r.config + ":11:15: sources.slack.secrets[0]: the file " + r.dir + "/slack is empty; write the secret into it",
	} {
		if line := got.line(t, what); line != want {
			t.Errorf("got  %s\nwant %s", line, want)
		}
	}
	r.write("graph", "not the app's secret\n")
	if line := r.run("doctor").line(t, "tenants"); !strings.HasPrefix(line, "bad  tenants  acme, globex: getting token: denied: 401 invalid_client") {
		t.Error(line)
	}
}

// What checks do not protect from, and keys that end, are said for each source.
func TestDoctorOnSources(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	const day = 24 * time.Hour
	for _, c := range []struct {
		name string
		keys []verify.Key
		want []string
	}{
		{"one for ever", []verify.Key{{ID: "a"}}, nil},
		{"one for long", []verify.Key{{ID: "a", NotAfter: in(20 * day)}}, nil},
		{"rotated in time", []verify.Key{{ID: "a", NotAfter: in(20 * day)}, {ID: "b", NotBefore: in(day)}}, nil},
		{"old is left", []verify.Key{{ID: "a", NotAfter: in(-3 * day)}, {ID: "b"}},
			[]string{"note signature: key a expired 2026-11-20T10:00:00Z (3d ago); take it out"}},
		{"old ends", []verify.Key{{ID: "a", NotAfter: in(5 * day)}, {ID: "b"}},
			[]string{"note signature: key a expires 2026-11-28T10:00:00Z (in 5d), and another is good then; see that the sender uses that one"}},
		{"last ends", []verify.Key{{ID: "a", NotAfter: in(5 * day)}},
			[]string{"bad signature: key a expires 2026-11-28T10:00:00Z (in 5d), and none is good then; add the next one, and have the sender use it"}},
		{"a gap", []verify.Key{{ID: "a", NotAfter: in(5 * day)}, {ID: "b", NotBefore: in(6 * day)}},
			[]string{"bad signature: key a expires 2026-11-28T10:00:00Z (in 5d), and none is good then; add the next one, and have the sender use it"}},
		{"none yet", []verify.Key{{ID: "a", NotBefore: in(day)}},
			[]string{"bad signature: no key is good now, so nothing is let in; add one that is"}},
		{"none any more", []verify.Key{{ID: "a", NotAfter: in(-day)}},
			[]string{"bad signature: no key is good now, so nothing is let in; add one that is",
				"note signature: key a expired 2026-11-22T10:00:00Z (24h ago); take it out"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range (ring{"signature", c.keys}).findings("source snow", now) {
				got = append(got, string(f.Level)+" "+f.Detail)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
	r := newRig(t)
	if out := norm(r.run("doctor").out); !strings.Contains(out, "note  source snow  no replay protection: no time is signed;") {
		t.Errorf("nothing on what snow's signature does not protect from in\n%s", out)
	}
}

// Whoever asks with another configuration changes nothing.
func TestNothingIsDeclared(t *testing.T) {
	r := newRig(t)
	js, err := jetstream.New(natstest.Connect(t, r.broker.URL()))
	if err != nil {
		t.Fatal(err)
	}
	config := func(name string) jetstream.StreamConfig {
		s, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return s.CachedInfo().Config
	}
	ledger := config("KV_ledger")
	ledger.Description = "an operator's own words"
	if _, err := js.UpdateStream(t.Context(), ledger); err != nil {
		t.Fatal(err)
	}
	r.edit("replicas: 1", "replicas: 1, retention: 100h")
	r.run("device", "acme", phone)
	r.run("dead", "list")
	if line := r.run("doctor").line(t, "streams max_age"); !strings.Contains(line, "CHANGES, TARGETS, OUTCOMES, DEAD: is 720h0m0s, want 100h0m0s: the configuration of the services") {
		t.Error(line)
	}
	if got := config("CHANGES").MaxAge.String(); got != "720h0m0s" {
		t.Errorf("the retention is %s now", got)
	}
	if got := config("KV_ledger").Description; got != ledger.Description {
		t.Errorf("the ledger's description is %q now", got)
	}
}

func TestBrokerWithoutARelay(t *testing.T) {
	r := newRig(t)
	empty := natstest.Server(t)
	r.edit(r.broker.URL(), empty.URL())
	if line := r.run("doctor").line(t, "streams"); line != "bad  streams  the broker has no stream CHANGES; has the relay run with this broker, and as this user?" {
		t.Error(line)
	}
	r.run("device", "acme", phone, "--no-graph").fails(t, 1, "reading the ledger: the broker has no ledger yet; the first worker makes it")
	empty.Stop()
	got := r.run("doctor")
	got.fails(t, 1, "1 thing to be mended")
	if line := got.line(t, "broker"); !strings.Contains(line, "does not answer at "+empty.URL()) {
		t.Error(line)
	}
	r.run("dead", "show", "1").fails(t, 1, "reading dead letter 1: the broker does not answer")
}

// A secret that two sources have stops the start of ingest, so doctor says it
// before.
func TestDoctorOnSharedSecrets(t *testing.T) {
	b := newBench(t) // its sources fresh and snow share one
	r := runWith(t, "", "doctor")
	const want = "bad  source snow  signature.keys[0].secret: source \"fresh\" has it too; give each its own"
	if out := norm(r.out); r.code != 1 || !strings.Contains(out, want) {
		t.Errorf("with %s: code %d, no %q in\n%s", b.config, r.code, want, out)
	}
}
