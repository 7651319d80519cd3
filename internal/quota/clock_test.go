package quota

import (
	"sync"
	"testing"
	"time"

	"changerelay/internal/await"
)

// A clock stands still until it is told to go on. Buckets that wait on it wait
// for no time.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*Bucket]*timer // of serve; a bucket has one at most
}

type timer struct {
	at  time.Time
	end chan time.Time
}

func newClock() *clock { return &clock{now: t0, timers: map[*Bucket]*timer{}} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// bucket returns a bucket whose clock is ahead of c, and that waits by c.
func (c *clock) bucket(s *Store, k Key, l Limit, ahead time.Duration) *Bucket {
	b := s.Bucket(k, l, func() time.Time { return c.Now().Add(ahead) })
	b.timer = func(d time.Duration) (<-chan time.Time, func() bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		t := &timer{c.now.Add(d), make(chan time.Time, 1)}
		c.timers[b] = t
		return t.end, func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.timers, b)
			return true
		}
	}
	return b
}

// asleep reports whether all buckets wait for time to pass, or for callers.
func (c *clock) asleep(bs []*Bucket) bool {
	for _, b := range bs {
		b.mu.Lock()
		idle := !b.serving || len(b.kick) == 0 && c.waits(b)
		b.mu.Unlock()
		if !idle {
			return false
		}
	}
	return true
}

func (c *clock) waits(b *Bucket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.timers[b]
	return t != nil && len(t.end) == 0
}

// advance lets d pass, and whoever waits for less wake up.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for _, t := range c.timers {
		if !t.at.After(c.now) && len(t.end) == 0 {
			t.end <- c.now
		}
	}
}

// settle waits until n callers are in line, and everything that can be done without
// time passing is done.
func (c *clock) settle(t testing.TB, waiting func() int, n int, bs ...*Bucket) {
	t.Helper()
	await.State(t, "the buckets to wait", func() bool { return waiting() == n && c.asleep(bs) && waiting() == n })
}

// skip lets time pass until the first wakes up, at most d.
func (c *clock) skip(d time.Duration) {
	c.mu.Lock()
	if len(c.timers) == 0 { // one was about to look again
		d = 0
	}
	for _, t := range c.timers {
		d = min(d, max(t.at.Sub(c.now), 0))
	}
	c.mu.Unlock()
	c.advance(d)
}

// next lets time pass until one of b's n callers is served.
func (c *clock) next(t testing.TB, b *Bucket, got <-chan result, n int) result {
	t.Helper()
	for {
		c.settle(t, func() int { return b.Waiting() + len(got) }, n, b)
		if len(got) > 0 {
			return <-got
		}
		c.skip(day)
	}
}
