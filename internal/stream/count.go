package stream

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// Looking returns how many events of each tenant wait for their device to be
// looked up.
func (s *Streams) Looking(ctx context.Context) (map[string]int, error) {
	n := map[string]int{}
	err := s.count(ctx, Targets, events.TargetsPrefix, func(rest string) {
		tenant, _, _ := strings.Cut(rest, ".")
		n[tenant]++
	})
	return n, err
}

// Buried returns how many dead letters each tenant has. Parked bodies are of
// none, and counted under "unknown".
func (s *Streams) Buried(ctx context.Context) (map[string]int, error) {
	n := map[string]int{}
	err := s.count(ctx, Dead, events.DeadPrefix, func(rest string) {
		if t := strings.Split(rest, "."); len(t) > 1 {
			n[t[1]]++
		}
	})
	return n, err
}

// Awake returns the devices that have a wake-up, waiting or in hand.
func (s *Streams) Awake(ctx context.Context) (map[events.Address]bool, error) {
	awake := map[events.Address]bool{}
	err := s.count(ctx, Devices, events.DevicesPrefix, func(rest string) {
		if a, err := events.ParseAddress(rest); err == nil {
			awake[a] = true
		}
	})
	return awake, err
}

// LastBuried is when the tenant's newest dead letter was stored; the error is
// events.ErrNotFound if it has none.
func (s *Streams) LastBuried(ctx context.Context, tenant string) (time.Time, error) {
	m, err := s.last(ctx, Dead, events.DeadPrefix+"*."+tenant+".>")
	return m.Time, err
}

// Folding reports whether events are on their way into the ledger: stored, and
// not yet acknowledged by a worker.
func (s *Streams) Folding(ctx context.Context) (bool, error) {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	c, err := s.js.Consumer(ctx, Changes, foldConsumer)
	if err != nil {
		return false, fmt.Errorf("%w: asking for consumer %s: %w", ErrUnavailable, foldConsumer, err)
	}
	i := c.CachedInfo()
	return i.NumPending > 0 || i.NumAckPending > 0, nil
}

// count calls f with what stands behind prefix in the subject of each message.
func (s *Streams) count(ctx context.Context, name, prefix string, f func(rest string)) error {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	info, err := s.streams[name].Info(ctx, jetstream.WithSubjectFilter(prefix+">"))
	if err != nil {
		return fmt.Errorf("%w: counting %s: %w", ErrUnavailable, name, err)
	}
	for subject := range info.State.Subjects {
		f(strings.TrimPrefix(subject, prefix))
	}
	return nil
}
