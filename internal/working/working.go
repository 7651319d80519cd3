// Package working composes the worker: its ledger, its tenants' clients, and the
// streams that it is given. It is apart from package relay, so that a process
// that only takes webhooks in carries neither the worker nor what could change a
// phone.
package working

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
	"changerelay/internal/worker"
)

// Parts are what a worker is built from.
type Parts struct {
	Tenants map[string]worker.Tenant // by name
	Broker  stream.Options           // as relay.Parts has them

	Timing         ledger.Timing // zero fields of the worker's have its defaults
	MaxAge         time.Duration
	FoldSlots      int
	ReconcileSlots int
	Pace           time.Duration
	Unknown        time.Duration
	Log            *slog.Logger
	Tracer         *tracing.Tracer // nil traces nothing
}

// A Service is the worker of a process.
type Service struct {
	parts Parts

	mu      sync.Mutex
	tenants map[string]worker.Tenant // in force
	worker  *worker.Worker           // nil before Work
}

// New returns a service that Work starts.
func New(p Parts) *Service { return &Service{parts: p, tenants: p.Tenants} }

// SetTenants replaces the tenants, before Work and while it runs.
func (v *Service) SetTenants(tenants map[string]worker.Tenant) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tenants = tenants
	if v.worker != nil {
		v.worker.SetTenants(tenants)
	}
}

// Retry calls a paused tenant at once: its credential is another now.
func (v *Service) Retry(tenant string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.worker != nil {
		v.worker.Retry(tenant)
	}
}

// Work works until ctx ends. It is relay.Parts' Work.
func (v *Service) Work(ctx context.Context, nc *nats.Conn, s *stream.Streams, m *metrics.Metrics) error {
	p := v.parts
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("opening the ledger: %w", err)
	}
	l, err := open(ctx, js, p.Broker.Replicas, ledger.Open)
	if err == nil {
		var q *quota.Store
		if q, err = open(ctx, js, p.Broker.Replicas, quota.Open); err == nil {
			return v.start(worker.Config{
				Streams: s, Ledger: l, Quota: q, Metrics: m, Log: p.Log, Tracer: p.Tracer, Unknown: p.Unknown,
				Timing: p.Timing, MaxAge: p.MaxAge, Retention: p.Broker.Retention, FoldSlots: p.FoldSlots, ReconcileSlots: p.ReconcileSlots, Pace: p.Pace,
			}).Run(ctx)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (v *Service) start(c worker.Config) *worker.Worker {
	v.mu.Lock()
	defer v.mu.Unlock()
	c.Tenants = v.tenants
	v.worker = worker.New(c)
	return v.worker
}

// open tries until the broker has made a bucket: a cluster that forms answers with
// errors for a while.
func open[T any](ctx context.Context, js jetstream.JetStream, replicas int, f func(context.Context, jetstream.JetStream, int) (T, error)) (t T, err error) {
	for range 30 {
		if t, err = f(ctx, js, replicas); err == nil {
			return t, nil
		}
		select {
		case <-ctx.Done():
			return t, err
		case <-time.After(time.Second):
		}
	}
	return t, err
}
