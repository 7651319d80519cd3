package worker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"changerelay/internal/graph"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
)

// A crewOrder says what a worker of a run is. It can be sent to another process.
type crewOrder struct {
	Broker      string // its URLs
	Replicas    int
	AckWait     time.Duration
	Graph       string // URL of the simulator; "" is a Graph in the worker's process that answers at once
	CA          []byte
	Tenants     int
	Write, Read quota.Limit // zero is the default
	Timing      ledger.Timing
	Pace        time.Duration
}

// config composes a worker.
func (o crewOrder) config(t testing.TB, log *slog.Logger) Config {
	t.Helper()
	nc := natstest.Connect(t, o.Broker)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := stream.Open(ctx, nc, stream.Options{Replicas: o.Replicas, AckWait: o.AckWait, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(ctx, js, o.Replicas)
	if err != nil {
		t.Fatal(err)
	}
	tenants, names := map[string]Tenant{}, []string{}
	wire := o.wire()
	for i := range o.Tenants {
		names = append(names, tenantName(i))
		tenants[tenantName(i)] = Tenant{Graph: o.client(t, wire, i), TenantID: tenantID(i), ClientID: clientID, Write: o.Write, Read: o.Read}
	}
	return Config{
		Streams: s, Ledger: l, Quota: openQuota(t, o.Broker, o.Replicas), Tenants: tenants, Log: log, Timing: o.Timing, Pace: o.Pace,
		Metrics: metrics.New(prometheus.NewRegistry(), "test", metrics.Labels{Tenants: names}),
	}
}

// wire carries all tenants' calls.
func (o crewOrder) wire() http.RoundTripper {
	if o.Graph == "" {
		return atOnce{}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(o.CA)
	w := graph.NewTransport()
	w.TLSClientConfig = &tls.Config{RootCAs: roots}
	return w
}

func (o crewOrder) client(t testing.TB, wire http.RoundTripper, tenant int) *graph.Client {
	t.Helper()
	if o.Graph == "" {
		o.Graph = atOnceURL
	}
	g, err := graph.New(graph.Config{
		TenantID: tenantID(tenant), ClientID: clientID, Credential: graph.Credential{Secret: func() (string, error) { return secret, nil }}, Custom: true,
		Cloud: graph.Cloud{Graph: o.Graph, Authority: o.Graph}, Transport: wire,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Tenants of a run; the first is every rig's.
func tenantName(i int) string {
	if i == 0 {
		return "acme"
	}
	return fmt.Sprintf("tenant%04d", i)
}

func tenantID(i int) string { return fmt.Sprintf("7f3c1d52-9b1e-4d0e-8a52-%012x", 0x3c1b7f0a1d00+i) }

// serveWorker is a worker that begins when it is told to. Its log goes to a file,
// as a pod's goes to its node.
func serveWorker(t *testing.T) {
	var o crewOrder
	readOrder(t, &o)
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := o.config(t, slog.New(slog.NewJSONHandler(file, nil)))
	h := &hold{}
	c.At = h.at
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	defer done.Wait()
	defer h.lift()
	defer cancel()
	var r recorder
	orders := map[string]func(arg string) string{
		"run":        func(string) string { done.Go(func() { _ = New(c).Run(ctx) }); return "" },
		"hold":       func(string) string { h.put(); return "" },
		"lift":       func(string) string { h.lift(); return "" },
		"profile":    func(to string) string { return r.order("profile", to) },
		"profiled":   func(string) string { return r.order("profiled", "") },
		"goroutines": func(string) string { return strconv.Itoa(runtime.NumGoroutine()) },
	}
	say("up")
	serve(func(o []string) string { return orders[o[0]](o[len(o)-1]) })
}

// A hold keeps the second stage from beginning with any device.
type hold struct {
	mu   sync.Mutex
	free chan struct{} // nil: nothing is held
}

func (h *hold) at(p Point) {
	if p != Woken {
		return
	}
	h.mu.Lock()
	free := h.free
	h.mu.Unlock()
	if free != nil {
		<-free
	}
}

func (h *hold) put() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.free == nil {
		h.free = make(chan struct{})
	}
}

func (h *hold) lift() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.free != nil {
		close(h.free)
		h.free = nil
	}
}
