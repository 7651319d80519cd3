package quota

import (
	"context"
	"errors"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/broker"
	"changerelay/internal/natstest"
)

// The broker goes away and comes back. Callers get its error, and later permits;
// the cell is what it was.
func TestBrokerRestart(t *testing.T) {
	server := natstest.Server(t, natstest.SyncAlways())
	s := open(t, server.URL(), 1)
	b := s.Bucket(writes, Limit{100, 5}, time.Now)
	for range 5 {
		if _, later := take(t, b, time.Second); later != nil {
			t.Fatal(later)
		}
	}
	before, err := s.Get(t.Context(), writes)
	if err != nil {
		t.Fatal(err)
	}
	server.Stop()
	start := time.Now()
	got := callers(t, t.Context(), b, times(4, day)...)
	for range 4 {
		r := <-got
		if l := (*LaterError)(nil); r.err == nil || errors.As(r.err, &l) {
			t.Errorf("while the broker is away: %+v", r)
		}
	}
	if d := time.Since(start); d > askFor+broker.TryFor {
		t.Errorf("it took %v to say so", d)
	}
	if _, later := take(t, b, 0); later == nil || later.Until.After(time.Now().Add(failPause)) {
		t.Errorf("just after the failure the broker is asked again: %v", later)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*failPause)
	defer cancel()
	if _, err := b.Take(ctx, day); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller with little time: %v", err)
	}
	start = time.Now()
	await.State(t, "the request to be given up", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return !b.serving })
	if d := time.Since(start); d > askFor/2 {
		t.Errorf("a request that nobody waits for goes on for %v", d)
	}

	server.Start()
	await.State(t, "the broker to give permits again", func() bool {
		_, err := b.Take(t.Context(), day)
		return err == nil
	})
	after, err := open(t, server.URL(), 1).Get(t.Context(), writes)
	if err != nil || after.Next.Before(before.Next) || after.Seen.Before(before.Seen) {
		t.Errorf("%+v is now %+v, %v", before, after, err)
	}
}

// A 429 while the broker is away pauses this process, and the caller is not held up.
func TestThrottledWhileTheBrokerIsAway(t *testing.T) {
	server := natstest.Server(t)
	b := open(t, server.URL(), 1).Bucket(writes, DefaultWrite, time.Now)
	if _, later := take(t, b, 0); later != nil {
		t.Fatal(later)
	}
	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
	defer cancel()
	got := callers(t, t.Context(), b, time.Second, time.Second)
	start := time.Now()
	until := b.Throttled(ctx, time.Minute)
	if d := time.Since(start); d > tellFor {
		t.Errorf("it took %v", d)
	}
	if d := until.Sub(start); d < time.Minute || d > time.Minute+tellFor || b.Until() != until {
		t.Errorf("the pause ends after %v, at %v", d, b.Until())
	}
	for range 2 {
		if l := (*LaterError)(nil); !errors.As((<-got).err, &l) || !l.Throttled {
			t.Errorf("a waiter: %v", l)
		}
	}
	if _, later := take(t, b, time.Second); later == nil || !later.Throttled {
		t.Errorf("a caller after it: %v", later)
	}
}

// The leader of the cells dies: callers wait for the next one.
func TestLeaderDies(t *testing.T) {
	if testing.Short() {
		t.Skip("a cluster takes seconds to form")
	}
	c := natstest.Cluster(t, 3)
	a, b := open(t, c.URL(), 3).Bucket(writes, Limit{100, 5}, time.Now), open(t, c.URL(), 3).Bucket(writes, Limit{100, 5}, time.Now)
	for _, b := range []*Bucket{a, b} {
		if _, later := take(t, b, day); later != nil {
			t.Fatal(later)
		}
	}
	c.StopServer(c.Leader("KV_" + Name))
	for _, b := range []*Bucket{a, b} {
		await.State(t, "the next leader to give permits", func() bool {
			_, err := b.Take(t.Context(), day)
			return err == nil
		})
	}
}
