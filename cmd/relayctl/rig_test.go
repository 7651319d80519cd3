package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/graphsim"
	"changerelay/internal/ingest"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
	"changerelay/internal/worker"
)

const (
	entraTenant = "7f3c1d52-9b1e-4d0e-8a52-3c1b7f0a1d00"
	clientID    = "2b7e1d52-9b1e-4d0e-8a52-3c1b7f0a1d01"
	phone       = "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11"
	app1        = "5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01"
	app2        = "5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c02"
	app3        = "5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c03"
)

// Secrets of the rig; none may ever be printed.
var secrets = map[string]string{
	"graph": "graph-secret-not-to-be-printed",
	"desk":  "whsec_" + base64.StdEncoding.EncodeToString([]byte("desk-secret-not-to-be-printed")),
	"snow":  "snow-secret-not-to-be-printed",
	"slack": "slack-secret-not-to-be-printed",
}

// A rig is a whole installation: a real broker, a simulated tenant, a relay and
// its configuration file.
type rig struct {
	t      *testing.T
	broker *natstest.Broker
	sim    *graphsim.Sim
	relay  *httptest.Server
	dir    string
	config string

	streams *stream.Streams
	ledger  *ledger.Store
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, broker: natstest.Server(t), dir: t.TempDir()}
	r.simulate()
	nc := natstest.Connect(t, r.broker.URL())
	var err error
	if r.streams, err = stream.Open(t.Context(), nc, stream.Options{}); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if r.ledger, err = ledger.Open(t.Context(), js, 1); err != nil {
		t.Fatal(err)
	}
	for name, secret := range secrets {
		r.write(name, secret+"\n")
	}
	r.config = r.write("relay.yaml", r.yaml())
	r.serve()
	return r
}

func (r *rig) simulate() {
	var err error
	if r.sim, err = graphsim.New(graphsim.Options{}); err != nil {
		r.t.Fatal(err)
	}
	if err := r.sim.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = r.sim.Close() })
	r.sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secrets["graph"]},
		graphsim.Device{ID: phone, Name: "phone", Platform: "iOS"})
	r.write("ca.pem", string(r.sim.CA()))
}

// A store is the streams as ingest sees them.
type store struct{ *stream.Streams }

func (s store) Park(ctx context.Context, p ingest.Parked) error {
	return s.Streams.Park(ctx, stream.Parked(p))
}

func (s store) Begin(ctx context.Context, proof []byte, refs []events.Ref, hold time.Duration) (ingest.Mark, error) {
	m, err := s.Streams.Begin(ctx, proof, refs, hold)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// serve runs the relay as the configuration file has it now.
func (r *rig) serve() {
	c, err := boot.Load(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	sources, err := c.IngestSources()
	if err != nil {
		r.t.Fatal(err)
	}
	s := store{r.streams}
	srv, err := ingest.New(ingest.Config{
		Sources: sources, Tenants: c.TenantNames(), Publisher: s, Finder: s, Parker: s, Marks: s,
		Metrics: metrics.New(prometheus.NewRegistry(), "test", metrics.Labels{Refusals: ingest.Refusals()}),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.relay = httptest.NewServer(srv.Handler())
	r.t.Cleanup(func() {
		r.relay.Close()
		srv.Close()
	})
}

func (r *rig) yaml() string {
	return strings.NewReplacer("NATS", r.broker.URL(), "GRAPH", r.sim.URL(), "ENTRA", entraTenant, "CLIENT", clientID).Replace(`
nats: { url: "NATS", replicas: 1 }
tenants:
  acme: { tenant_id: ENTRA, client_id: CLIENT, client_secret: { file: graph }, cloud: custom, graph_url: "GRAPH", authority_url: "GRAPH", ca_file: ca.pem }
  globex: { tenant_id: ENTRA, client_id: CLIENT, client_secret: { file: graph }, cloud: custom, graph_url: "GRAPH", authority_url: "GRAPH", ca_file: ca.pem }
sources:
  desk: { kind: cloudevents, tenants: [acme, globex], secrets: [{ file: desk }] }
  slack:
    kind: cloudevents
    tenants: [acme]
    secrets: [{ file: slack }]
    signature: { header: X-Signature, prefix: "v0=", algorithm: sha512, encoding: hex, signed: "v0:{timestamp}:{body}", timestamp_header: X-Time }
  snow: { kind: servicenow, tenants: [acme], secrets: [{ file: snow }] }
`)
}

// write makes a file next to the configuration.
func (r *rig) write(name, content string) string {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// edit changes the configuration file.
func (r *rig) edit(old, new string) {
	r.t.Helper()
	before := r.yaml()
	after := strings.ReplaceAll(before, old, new)
	if after == before {
		r.t.Fatalf("the configuration has no %s", old)
	}
	r.write("relay.yaml", after)
}

// short is a timing that a test can wait for, in the default's proportions.
var short = ledger.Timing{
	Fresh: 400 * time.Millisecond, Lag: 60 * time.Millisecond, Hold: 8 * time.Hour,
	Settle: 250 * time.Millisecond, Skew: 20 * time.Millisecond, Budget: 500 * time.Millisecond,
}

// work runs a worker until the test ends.
func (r *rig) work() {
	r.t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(r.sim.CA())
	g, err := graph.New(graph.Config{
		TenantID: entraTenant, ClientID: clientID, Credential: graph.Credential{Secret: func() (string, error) { return secrets["graph"], nil }}, Custom: true,
		Cloud:     graph.Cloud{Graph: r.sim.URL(), Authority: r.sim.URL()},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	js, err := jetstream.New(natstest.Connect(r.t, r.broker.URL()))
	if err != nil {
		r.t.Fatal(err)
	}
	q, err := quota.Open(context.Background(), js, 1)
	if err != nil {
		r.t.Fatal(err)
	}
	w := worker.New(worker.Config{
		Streams: r.streams, Ledger: r.ledger, Quota: q, Unknown: time.Nanosecond,
		Tenants: map[string]worker.Tenant{"acme": {Graph: g, TenantID: entraTenant, ClientID: clientID, Write: quota.DefaultWrite, Read: quota.DefaultRead}},
		Metrics: metrics.New(prometheus.NewRegistry(), "test", metrics.Labels{Tenants: []string{"acme"}}),
		Log:     slog.New(slog.DiscardHandler), Timing: short, Pace: time.Millisecond,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("worker: %v", err)
		}
	})
}

// A result is what a command did.
type result struct {
	code        int
	out, stderr string
}

// run runs relayctl on the rig's configuration and relay.
func (r *rig) run(args ...string) result {
	r.t.Helper()
	r.t.Setenv("CHANGERELAY_CONFIG", r.config)
	r.t.Setenv("CHANGERELAY_URL", r.relay.URL)
	return runWith(r.t, "", args...)
}

func runWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, stderr strings.Builder
	code := program(strings.NewReader(stdin)).Exec(args, &out, &stderr)
	for name, secret := range secrets {
		if strings.Contains(out.String()+stderr.String(), strings.TrimPrefix(secret, "whsec_")) {
			t.Errorf("relayctl %v prints the secret %s", args, name)
		}
	}
	return result{code, out.String(), stderr.String()}
}

// want compares a result with what is expected, times and widths left aside.
func (got result) want(t *testing.T, code int, out, stderr string) {
	t.Helper()
	if got.code != code {
		t.Errorf("exit code %d, want %d", got.code, code)
	}
	if g, w := norm(got.out), norm(out); g != w {
		t.Errorf("printed\n%s\nwant\n%s", g, w)
	}
	if g, w := norm(got.stderr), norm(stderr); g != w {
		t.Errorf("to stderr\n%s\nwant\n%s", g, w)
	}
}

// has wants a good end, and each of the parts in what is printed, but for how many
// spaces there are.
func (got result) has(t *testing.T, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if got.code != 0 || !strings.Contains(norm(got.out), norm(p)) {
			t.Errorf("exit code %d; the output lacks %q:\n%s\n%s", got.code, p, got.out, got.stderr)
		}
	}
}

// fails wants exit code 1, and each of the parts in the error.
func (got result) fails(t *testing.T, code int, parts ...string) {
	t.Helper()
	if got.code != code {
		t.Errorf("exit code %d, want %d", got.code, code)
	}
	for _, p := range parts {
		if !strings.Contains(got.stderr, p) {
			t.Errorf("stderr lacks %q:\n%s", p, got.stderr)
		}
	}
}

var norms = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z \((?:in )?(now|\d+[smhd](?: ago)?)\)`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`\b\d+s old`), "0s old"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "URL"},
	{regexp.MustCompile(`(\.0f9a6d1e-[0-9a-f-]+\.)[0-9a-v]{26}`), "${1}KEY"},
	{regexp.MustCompile(`(--id )[a-z0-9]{26}`), "${1}ID"},
	{regexp.MustCompile(`(request-id +)[0-9a-f-]{36}`), "${1}REQUEST"},
	{regexp.MustCompile(` {2,}`), "  "},
}

// norm replaces what differs from run to run.
func norm(s string) string {
	for _, n := range norms {
		s = n.from.ReplaceAllString(s, n.to)
	}
	return strings.TrimSpace(s)
}

// id finds an event's id in what was printed.
func (got result) id(t *testing.T) string {
	t.Helper()
	id := regexp.MustCompile(`acme\.[0-9a-f-]{36}\.[0-9a-v]{26}`).FindString(got.out)
	if id == "" {
		t.Fatalf("no id in\n%s\n%s", got.out, got.stderr)
	}
	return id
}

// event is a change of phone, decided at a time.
func event(t *testing.T, ticket string, at time.Time, cs ...events.Change) events.Event {
	t.Helper()
	e, err := events.New(events.Event{ID: "of-" + ticket, Source: "/test", Ticket: ticket, Tenant: "acme", Device: phone, Time: at, Changes: cs}, at)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func change(intent events.Intent, id string) events.Change {
	return events.Change{Intent: intent, Item: events.Item{ID: id, Type: events.Application}}
}

// fold publishes an event and folds it into a document, as a worker does.
func (r *rig) fold(d ledger.Device, e events.Event, seq uint64) ledger.Device {
	r.t.Helper()
	if _, err := r.streams.Publish(r.t.Context(), e); err != nil {
		r.t.Fatal(err)
	}
	return d.Fold(ledger.NewEntry(e, e.Ref(), seq, e.Time))
}

// keep makes d the phone's document.
func (r *rig) keep(d ledger.Device) {
	r.t.Helper()
	_, err := r.ledger.Update(r.t.Context(), events.Address{Tenant: "acme", Device: phone}, func(ledger.Device) (ledger.Device, error) { return d, nil })
	if err != nil {
		r.t.Fatal(err)
	}
}

// settled waits until nothing is left to do for the phone: an outcome is known
// a moment before the document says that it was reported.
func (r *rig) settled() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	for {
		d, err := r.ledger.Get(ctx, events.Address{Tenant: "acme", Device: phone})
		if err != nil {
			r.t.Fatal(err)
		}
		if !d.Due() {
			return
		}
	}
}

// must passes a step of the protocol on.
func must(d ledger.Device, err error) ledger.Device {
	if err != nil {
		panic(fmt.Sprint("a step of the protocol failed: ", err))
	}
	return d
}
