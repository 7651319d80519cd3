package relay

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/ingest"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/stream"
)

// A broker is the streams once they are open, and the ledger once there is one.
// It is all that ingest needs of one.
type broker struct {
	streams atomic.Pointer[stream.Streams]
	js      jetstream.JetStream
	ledger  atomic.Pointer[ledger.Store]
	gate    gate
	timing  ledger.Timing
	tenants atomic.Pointer[[]string] // that are configured now
}

func (b *broker) configured() []string { return *b.tenants.Load() }

var errOpening = fmt.Errorf("%w: its streams are not open yet", stream.ErrUnavailable)

// Publish is ingest.Publisher.
func (b *broker) Publish(ctx context.Context, e events.Event) (bool, error) {
	if s := b.streams.Load(); s != nil {
		return s.Publish(ctx, e)
	}
	return false, errOpening
}

// Park is ingest.Parker.
func (b *broker) Park(ctx context.Context, p ingest.Parked) error {
	if s := b.streams.Load(); s != nil {
		return s.Park(ctx, stream.Parked(p))
	}
	return errOpening
}

// Begin is ingest.Marks.
func (b *broker) Begin(ctx context.Context, proof []byte, refs []events.Ref, hold time.Duration) (ingest.Mark, error) {
	s := b.streams.Load()
	if s == nil {
		return nil, errOpening
	}
	m, err := s.Begin(ctx, proof, refs, hold)
	if errors.Is(err, stream.ErrReplayed) {
		return nil, ingest.ErrReplayed
	}
	if err != nil {
		return nil, err // not m: a nil *stream.Mark would be no nil ingest.Mark
	}
	return m, nil
}

// Ready says whether the process can do its work: the broker answers.
func (b *broker) Ready(ctx context.Context) error {
	if s := b.streams.Load(); s != nil {
		return s.Ready(ctx)
	}
	return errOpening
}

// watch keeps the broker's metrics.
func watch(ctx context.Context, nc *nats.Conn, m *metrics.Metrics) {
	changes := nc.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	var seen uint64
	for status := nc.Status(); ; {
		m.BrokerConnected.Set(0)
		if status == nats.CONNECTED {
			m.BrokerConnected.Set(1)
		}
		if n := nc.Stats().Reconnects; n > seen {
			m.BrokerReconnects.Add(float64(n - seen))
			seen = n
		}
		select {
		case <-ctx.Done():
			return
		case s, ok := <-changes:
			if !ok {
				return
			}
			status = s
		}
	}
}
