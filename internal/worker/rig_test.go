package worker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
)

// Names of the simulated tenant.
const (
	entraTenant = "7f3c1d52-9b1e-4d0e-8a52-3c1b7f0a1d00"
	clientID    = "2b7e1d52-9b1e-4d0e-8a52-3c1b7f0a1d01"
	secret      = "sim-secret-not-for-logs-8341"
	device      = "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11"
	ackWait     = time.Second // of the test's consumers: how long a dead worker's messages lie still
)

// short is a Timing that a test can wait for. Its proportions are the default's.
var short = ledger.Timing{
	Fresh: 400 * time.Millisecond, Lag: 60 * time.Millisecond, Hold: 8 * time.Hour,
	Settle: 250 * time.Millisecond, Skew: 20 * time.Millisecond, Budget: 500 * time.Millisecond,
}

// A rig is a real broker, a simulated tenant and as many workers as a test
// starts.
type rig struct {
	t      testing.TB
	url    string
	sim    *graphsim.Sim
	s      *stream.Streams
	ledger *ledger.Store
	log    *await.Log
	n      int
}

func newRig(t testing.TB) *rig { return rigOn(t, natstest.Server(t).URL(), 1) }

func rigOn(t testing.TB, url string, replicas int) *rig {
	t.Helper()
	sim, err := graphsim.New(graphsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	k := graphsim.DefaultKnobs()
	k.PostLimitApp, k.PostLimitTenant, k.AnyLimitApp, k.AnyLimitTenant = 1<<20, 1<<20, 1<<20, 1<<20
	k.CheckIn = 0
	sim.Set(k)
	sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secret}, graphsim.Device{ID: device, Name: "phone", Platform: "iOS"})
	r := &rig{t: t, url: url, sim: sim, log: &await.Log{}}
	r.s, r.ledger, _ = r.connect(replicas)
	return r
}

// connect opens streams and ledger on a connection of their own.
func (r *rig) connect(replicas int) (*stream.Streams, *ledger.Store, func()) {
	r.t.Helper()
	nc := natstest.Connect(r.t, r.url)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := stream.Open(ctx, nc, stream.Options{Replicas: replicas, AckWait: ackWait, Log: slog.New(slog.NewTextHandler(r.log, nil))})
	if err != nil {
		r.t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		r.t.Fatal(err)
	}
	l, err := ledger.Open(ctx, js, replicas)
	if err != nil {
		r.t.Fatal(err)
	}
	return s, l, nc.Close
}

// A running worker of a test.
type running struct {
	stop  func() // as on SIGTERM, and wait
	crash func() // cuts it off from the broker, as if it were gone
}

// work starts a worker. change may alter its configuration.
func (r *rig) work(change ...func(*Config)) *running {
	r.t.Helper()
	s, l, cut := r.connect(1)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(r.sim.CA())
	g, err := graph.New(graph.Config{
		TenantID: entraTenant, ClientID: clientID, Credential: graph.Credential{Secret: func() (string, error) { return secret, nil }}, Custom: true,
		Cloud:     graph.Cloud{Graph: r.sim.URL(), Authority: r.sim.URL()},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 64},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	c := Config{
		Streams: s, Ledger: l, Quota: r.quota(), Tenants: map[string]Tenant{"acme": served(g)}, Unknown: time.Nanosecond,
		Metrics: metrics.New(prometheus.NewRegistry(), "test", metrics.Labels{Tenants: []string{"acme"}}),
		Log:     slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Timing:  short, Pace: time.Millisecond,
	}
	for _, f := range change {
		f(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := New(c).Run(ctx); err != nil {
			r.t.Errorf("worker: %v", err)
		}
	}()
	w := &running{stop: func() { cancel(); <-done }, crash: func() { cut(); cancel() }}
	r.t.Cleanup(w.stop)
	return w
}

// served is the simulated tenant, with a quota that no test uses up.
func served(g *graph.Client) Tenant {
	fast := quota.Limit{Rate: 1e6, Burst: 1e6}
	return Tenant{Graph: g, TenantID: entraTenant, ClientID: clientID, Write: fast, Read: fast}
}

// quota opens the quotas on a connection of their own.
func (r *rig) quota() *quota.Store { return openQuota(r.t, r.url, 1) }

func openQuota(t testing.TB, url string, replicas int) *quota.Store {
	t.Helper()
	js, err := jetstream.New(natstest.Connect(t, url))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	q, err := quota.Open(ctx, js, replicas)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func app(n int) events.Item {
	return events.Item{ID: fmt.Sprintf("5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c%02x", n), Type: events.Application}
}

func remove(items ...events.Item) (cs []events.Change) {
	for _, it := range items {
		cs = append(cs, events.Change{Intent: events.Remove, Item: it})
	}
	return cs
}

func restore(items ...events.Item) (cs []events.Change) {
	for _, it := range items {
		cs = append(cs, events.Change{Intent: events.Restore, Item: it})
	}
	return cs
}

// event makes the n-th event of a test: later n is newer.
func (r *rig) event(dev string, cs ...events.Change) events.Event {
	r.t.Helper()
	r.n++
	e, err := events.New(events.Event{
		ID: fmt.Sprint("e", r.n), Source: "/test", Ticket: fmt.Sprintf("CHG%07d", r.n), Tenant: "acme", Device: dev,
		Time: time.Now().Add(time.Duration(r.n) * time.Millisecond), Changes: cs,
	}, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

func (r *rig) publish(cs ...events.Change) events.Event { return r.publishTo(device, cs...) }

func (r *rig) publishTo(dev string, cs ...events.Change) events.Event {
	r.t.Helper()
	e := r.event(dev, cs...)
	if _, err := r.s.Publish(context.Background(), e); err != nil {
		r.t.Fatal(err)
	}
	return e
}

// outcome waits for an event's final outcome and wants it to be o.
func (r *rig) outcome(e events.Event, o events.Outcome) events.Receipt {
	r.t.Helper()
	var got events.Receipt
	await.State(r.t, "an outcome of "+e.ID, func() bool {
		var err error
		got, err = r.s.Find(context.Background(), e.Ref())
		return err == nil && got.Outcome != ""
	})
	if got.Outcome != o {
		r.t.Fatalf("%s ended %s (%s), want %s", e.ID, got.Outcome, got.Reason, o)
	}
	return got
}

// settled waits until the device is settled and its wake-up acked.
func (r *rig) settled(dev string) ledger.Device {
	r.t.Helper()
	var d ledger.Device
	await.State(r.t, "device "+dev+" to settle", func() bool {
		var err error
		d, err = r.ledger.Get(context.Background(), events.Address{Tenant: "acme", Device: dev})
		due, err2 := r.s.DueOf(context.Background(), "acme")
		return err == nil && err2 == nil && !d.Due() && due == 0
	})
	return d
}

// held wants Graph to hold exactly items.
func (r *rig) held(dev string, items ...events.Item) {
	r.t.Helper()
	var got, want []string
	for _, it := range r.sim.Held(entraTenant, dev) {
		got = append(got, it.ID)
	}
	for _, it := range items {
		want = append(want, it.ID)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.t.Fatalf("Graph holds %v, want %v\n%s", got, want, r.posts(dev))
	}
}

// posts is the journal of a device's POSTs.
func (r *rig) posts(dev string) (cs journal) {
	for _, c := range r.sim.Journal() {
		if c.Op == "post" && c.Device == dev {
			cs = append(cs, c)
		}
	}
	return cs
}

type journal []graphsim.Call

func (j journal) String() string {
	var b strings.Builder
	for _, c := range j {
		fmt.Fprintf(&b, "%s %v status %d applied %v overlap %v\n", c.At.Format("05.000"), c.Items, c.Status, c.Applied, c.Overlap)
	}
	return b.String()
}

// sound wants the journal to show no overlapping and no partial call: each set
// holds what must be in all of them from the call that first had it.
func (j journal) sound(t testing.TB) {
	t.Helper()
	for _, c := range j {
		if c.Overlap {
			t.Fatalf("two calls overlap:\n%v", j)
		}
	}
}

func simItems(cs ...events.Item) (s []graphsim.Item) {
	for _, it := range cs {
		s = append(s, graphsim.Item{ID: it.ID, Type: string(it.Type)})
	}
	return s
}

// stored is how many messages a stream holds.
func (r *rig) stored(name string) uint64 {
	r.t.Helper()
	js, err := jetstream.New(natstest.Connect(r.t, r.url))
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := js.Stream(context.Background(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// folded reports whether every message of CHANGES is acked.
func (r *rig) folded() bool {
	js, err := jetstream.New(natstest.Connect(r.t, r.url))
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := js.Consumer(context.Background(), "CHANGES", "fold")
	if err != nil {
		return false
	}
	i := c.CachedInfo()
	return i.NumPending == 0 && i.NumAckPending == 0
}
