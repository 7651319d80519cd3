package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// A device that is due and that nobody wakes is found, and the remedy is what
// helps.
func TestDoctorFindsForgottenDevices(t *testing.T) {
	r := newRig(t)
	r.keep(r.untold(time.Second))
	got := r.run("doctor")
	got.fails(t, 1, "1 thing to be mended")
	line := got.line(t, "device acme."+phone)
	if want := "bad  device acme." + phone + "  is due, and has no wake-up: nobody will look at it; wake it: nats pub devices.v1.acme." + phone + ` ""`; line != want {
		t.Errorf("got  %s\nwant %s", line, want)
	}
	m := regexp.MustCompile(`nats pub (\S+) ""`).FindStringSubmatch(line)
	if m == nil {
		t.Fatal("no remedy")
	}
	nc := natstest.Connect(t, r.broker.URL())
	if err := nc.Publish(m[1], nil); err != nil || nc.Flush() != nil {
		t.Fatal(err)
	}
	got = r.run("doctor", "--deep")
	if line := got.line(t, "devices"); got.code != 0 || line != "ok  devices  1 of 1 documents were looked at; each that is due has a wake-up" {
		t.Errorf("%d, %s", got.code, line)
	}
	if line := got.line(t, "DEVICES tenant acme"); line != "ok  DEVICES tenant acme  1 devices are due" {
		t.Error(line)
	}
}

// All documents are looked at with --deep, and some without.
func TestDoctorSamples(t *testing.T) {
	r := newRig(t)
	for i := range sampleDocs + 1 {
		a := events.Address{Tenant: "acme", Device: fmt.Sprintf("%08d-7b0a-4d0e-9a52-3c1b7f0a1d11", i)}
		if _, err := r.ledger.Update(t.Context(), a, func(d ledger.Device) (ledger.Device, error) {
			return d.See(ledger.Sight{At: time.Now()}, ledger.DefaultTiming), nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{"": "200 of 201", "--deep": "201 of 201"} {
		if line := r.run(append([]string{"doctor"}, strings.Fields(args)...)...).line(t, "devices"); !strings.Contains(line, want) {
			t.Errorf("%q: %s", args, line)
		}
	}
}

func TestDoctorLooksAtDocuments(t *testing.T) {
	r := newRig(t)
	js, err := jetstream.New(natstest.Connect(t, r.broker.URL()))
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(t.Context(), "ledger")
	if err != nil {
		t.Fatal(err)
	}
	r.keep(ledger.Device{View: ledger.View{At: time.Now().Add(time.Minute)}})
	if line := r.run("doctor").line(t, "worker clock"); !strings.HasPrefix(line, "bad  worker clock  a worker that wrote acme."+phone+" was ") {
		t.Error(line)
	}
	future := `{"v":99}`
	for _, key := range []string{"acme." + phone, "acme.whose"} {
		if _, err := kv.PutString(t.Context(), key, future); err != nil {
			t.Fatal(err)
		}
	}
	got := r.run("doctor")
	if line := got.line(t, "device acme."+phone); !strings.HasPrefix(line, "bad  device acme."+phone+"  reading ledger acme.") || !strings.Contains(line, "run workers that know this form") {
		t.Error(line)
	}
	if line := got.line(t, "ledger acme.whose"); line != "note  ledger acme.whose  is no device's document; whose is it?" {
		t.Error(line)
	}
}

func TestDoctorIsStrict(t *testing.T) {
	r := newRig(t)
	got := r.run("doctor", "--strict")
	got.fails(t, 1, "notes, and --strict wants none")
	if plain := r.run("doctor"); plain.code != 0 {
		t.Error(plain.stderr)
	}
}

func TestDoctorObjects(t *testing.T) {
	r := newRig(t)
	got := r.run("doctor", "--output", "json")
	n := 0
	for line := range strings.Lines(got.out) {
		var f stream.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil || f.Level == "" || f.What == "" || f.Detail == "" {
			t.Errorf("%v: %s", err, line)
		}
		if f.What == "replicas" && (f.Level != stream.Note || f.Remedy != "run three servers, and set nats.replicas: 3") {
			t.Error(line)
		}
		n++
	}
	if n < 15 || got.code != 0 {
		t.Errorf("%d objects, code %d", n, got.code)
	}
}

// A server's monitoring says what no client can see.
func TestDoctorAsksMonitoring(t *testing.T) {
	r := newRig(t)
	for config, want := range map[string]string{
		`{"sync_interval":120000000000}`:                    "bad  sync_interval  URL syncs every 2m0s, and acknowledges before; set jetstream.sync_interval: always on every server,",
		`{"sync_interval":120000000000,"sync_always":true}`: "ok  sync_interval  URL syncs before it acknowledges",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Path == "/jsz" {
				fmt.Fprintf(w, `{"server_id":"N","config":%s}`, config)
			}
		}))
		if out := norm(r.run("doctor", "--monitor", s.URL).out); !strings.Contains(out, "\n"+want) {
			t.Errorf("no %q in\n%s", want, out)
		}
		s.Close()
		if out := norm(r.run("doctor", "--monitor", s.URL).out); !strings.Contains(out, "\nbad  monitor  ") {
			t.Errorf("of one that is away:\n%s", out)
		}
	}
}
