package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Names are all streams and buckets of the relay, also those of the packages
// ledger and quota.
var Names = []string{Changes, Targets, Devices, Outcomes, Dead, AuditLog, "KV_ledger", Marks, "KV_quota"}

// A State is what the broker holds at a time.
type State struct {
	Streams  map[string]Contents // by name, all of Names; one that is not there is empty
	Unfolded uint64              // events in CHANGES that no worker has folded; all, if none has begun to
	Oldest   time.Time           // when the oldest of these was stored; zero if there are none
}

// Contents are what a stream holds.
type Contents struct {
	Messages, Bytes, Last uint64    // Bytes of one replica; Last is the newest message's number
	MaxBytes              int64     // 0: no limit
	Oldest                time.Time // of the oldest message; zero if it is empty
}

// State looks at the streams: a question for each, and two for what is not folded,
// each of ReadTry at most. With an error, the streams are those that could be seen.
func (s *Streams) State(ctx context.Context) (State, error) {
	seen := State{Streams: map[string]Contents{}}
	var mu sync.Mutex
	err := each(Names, len(Names), func(name string) error {
		c, err := s.contents(ctx, name)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			seen.Streams[name] = c
		}
		return err
	})
	if err == nil {
		err = s.unfolded(ctx, &seen)
	}
	return seen, err
}

func (s *Streams) contents(ctx context.Context, name string) (Contents, error) {
	st, err := s.stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return Contents{}, nil // a bucket that the first worker makes
	}
	if err != nil {
		return Contents{}, fmt.Errorf("%w: asking for stream %s: %w", ErrUnavailable, name, err)
	}
	i := st.CachedInfo()
	c := Contents{Messages: i.State.Msgs, Bytes: i.State.Bytes, Last: i.State.LastSeq, MaxBytes: max(i.Config.MaxBytes, 0)}
	if c.Messages > 0 {
		c.Oldest = i.State.FirstTime
	}
	return c, nil
}

// unfolded adds what no worker has acknowledged.
func (s *Streams) unfolded(ctx context.Context, seen *State) error {
	ctx, cancel := context.WithTimeout(ctx, ReadTry)
	defer cancel()
	consumer, err := s.js.Consumer(ctx, Changes, foldConsumer)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		seen.Unfolded, seen.Oldest = seen.Streams[Changes].Messages, seen.Streams[Changes].Oldest
		return nil
	case err != nil:
		return fmt.Errorf("%w: asking for consumer %s: %w", ErrUnavailable, foldConsumer, err)
	}
	i := consumer.CachedInfo()
	if seen.Unfolded = i.NumPending + uint64(i.NumAckPending); seen.Unfolded == 0 { // #nosec G115 -- a count is not negative
		return nil
	}
	m, err := s.streams[Changes].GetMsg(ctx, i.AckFloor.Stream+1, jetstream.WithGetMsgSubject(">"))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound): // folded in between, or forgotten
	case err != nil:
		return fmt.Errorf("%w: asking for the oldest event that is not folded: %w", ErrUnavailable, err)
	default:
		seen.Oldest = m.Time
	}
	return nil
}

// Wakeups are a tenant's, as its consumer has them.
type Wakeups struct {
	Pending int // delivered to no worker yet, or replaced since
	Held    int // in hand, or put back for a while
}

// Wakeups counts them by tenant, of those that have a consumer: one question for
// 256 of these.
func (s *Streams) Wakeups(ctx context.Context) (map[string]Wakeups, error) {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	n := map[string]Wakeups{}
	list := s.streams[Devices].ListConsumers(ctx)
	for c := range list.Info() {
		if t, ok := strings.CutPrefix(c.Name, reconcilePrefix); ok {
			n[t] = Wakeups{int(c.NumPending), c.NumAckPending} // #nosec G115 -- a stream holds fewer messages than an int
		}
	}
	if err := list.Err(); err != nil && !errors.Is(err, jetstream.ErrEndOfData) {
		return nil, fmt.Errorf("%w: counting wake-ups: %w", ErrUnavailable, err)
	}
	return n, nil
}
