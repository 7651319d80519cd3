package relay

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/metrics"
	"changerelay/internal/stream"
)

// How often a process looks at the broker; each pause is up to a tenth shorter or
// longer, so that processes that were started together do not ask together.
const (
	lookEvery    = 15 * time.Second // the state in the metrics: about a scrape's interval
	examineEvery = 5 * time.Minute  // doctor's findings: up to some hundred questions
)

// look keeps the metrics of the broker's state until ctx ends. While there is no
// connection, or the broker does not answer, they stay as they are, and
// BrokerLastLook says since when.
func (p Parts) look(ctx context.Context, nc *nats.Conn, s *stream.Streams, m *metrics.Metrics) {
	well := true
	nowAndThen(ctx, lookEvery, func() {
		err := see(ctx, nc, s, m)
		if err != nil && well && ctx.Err() == nil { // once, not each time
			p.Log.Warn("looking at the broker for the metrics; they stay as they are", "err", err)
		}
		well = err == nil
	})
}

// see looks once, if there is a connection: whoever lost it has said so.
func see(ctx context.Context, nc *nats.Conn, s *stream.Streams, m *metrics.Metrics) error {
	if nc.Status() != nats.CONNECTED {
		return nil
	}
	if took, err := nc.RTT(); err == nil {
		m.BrokerRoundTrip.Observe(took.Seconds())
	}
	state, err := s.State(ctx)
	show(state, m)
	if err != nil {
		return err
	}
	m.Unfolded.Set(float64(state.Unfolded))
	m.OldestUnfolded.Set(metrics.Seconds(state.Oldest))
	m.BrokerLastLook.SetToCurrentTime()
	return nil
}

// show sets what could be seen of the streams.
func show(state stream.State, m *metrics.Metrics) {
	for name, c := range state.Streams {
		m.StreamMessages.Set(float64(c.Messages), name)
		m.StreamBytes.Set(float64(c.Bytes), name)
		m.StreamMaxBytes.Set(float64(c.MaxBytes), name)
		m.StreamLastSequence.Set(float64(c.Last), name)
		m.StreamOldest.Set(metrics.Seconds(c.Oldest), name)
	}
}

// nowAndThen calls f at once, and again after each pause of about d, until ctx
// ends.
func nowAndThen(ctx context.Context, d time.Duration, f func()) {
	for ctx.Err() == nil {
		f()
		select {
		case <-ctx.Done():
		case <-time.After(d - d/10 + rand.N(d/5)): // #nosec G404 -- it spreads load, and keeps nothing secret
		}
	}
}
