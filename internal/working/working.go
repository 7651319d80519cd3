// Package working composes the worker: its ledger, its tenants' clients, and the
// streams that it is given. It is apart from package relay, so that a process
// that only takes webhooks in carries neither the worker nor what could change a
// phone.
package working

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/graph"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/stream"
	"changerelay/internal/worker"
)

// Parts are what a worker is built from.
type Parts struct {
	Tenants map[string]*graph.Client // by name
	Broker  stream.Options           // as relay.Parts has them

	Timing         ledger.Timing // zero fields of the worker's have its defaults
	MaxAge         time.Duration
	FoldSlots      int
	ReconcileSlots int
	Pace           time.Duration
	Log            *slog.Logger
}

// Work works until ctx ends. It is relay.Parts' Work.
func (p Parts) Work(ctx context.Context, nc *nats.Conn, s *stream.Streams, m *metrics.Metrics) error {
	l, err := openLedger(ctx, nc, p.Broker.Replicas)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	return worker.New(worker.Config{
		Streams: s, Ledger: l, Tenants: p.Tenants, Metrics: m, Log: p.Log,
		Timing: p.Timing, MaxAge: p.MaxAge, Retention: p.Broker.Retention, FoldSlots: p.FoldSlots, ReconcileSlots: p.ReconcileSlots, Pace: p.Pace,
	}).Run(ctx)
}

// openLedger tries until the broker has made the bucket: a cluster that forms
// answers with errors for a while.
func openLedger(ctx context.Context, nc *nats.Conn, replicas int) (*ledger.Store, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	var l *ledger.Store
	for range 30 {
		if l, err = ledger.Open(ctx, js, replicas); err == nil {
			return l, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Second):
		}
	}
	return nil, err
}
