package quota

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// A Permit allows one call, from At and for Valid after it. The zero Permit
// allows none.
type Permit struct {
	At time.Time // by the clock of its bucket
}

// Valid reports whether the call may be sent now.
func (p Permit) Valid(now time.Time) bool {
	return !p.At.IsZero() && !now.Before(p.At) && now.Sub(p.At) <= Valid
}

// A LaterError says that no call may go in the time given.
type LaterError struct {
	Until     time.Time // ask again then; others may have been faster
	Throttled bool      // because of a 429; otherwise calls go at their full rate
}

func (e *LaterError) Error() string {
	why := "the quota is used up"
	if e.Throttled {
		why = "Graph has throttled the app"
	}
	return fmt.Sprintf("no call before %s: %s", e.Until.UTC().Format(time.RFC3339Nano), why)
}

// A Bucket is a process's view of one quota, for all its goroutines. It keeps no
// goroutine and no request to the broker while nobody waits.
type Bucket struct {
	store *Store
	key   string
	now   func() time.Time
	timer func(time.Duration) (end <-chan time.Time, stop func() bool)
	kick  chan struct{} // of one: something has changed for serve

	mu      sync.Mutex
	limit   Limit
	line    []*waiter     // first come, first served
	times   []time.Time   // leased and not used, in order
	cell    Cell          // as last heard of
	known   bool          // it was heard of at all
	ahead   time.Duration // of our clock is the one that the cell goes by
	until   time.Time     // end of the pause by our clock
	askAt   time.Time     // no lease is asked for before
	serving bool
	cancel  context.CancelFunc // of the lease under way, if there is one
}

func newBucket(s *Store, key string, now func() time.Time) *Bucket {
	return &Bucket{store: s, key: key, now: now, timer: realTimer, kick: make(chan struct{}, 1)}
}

func realTimer(d time.Duration) (<-chan time.Time, func() bool) {
	t := time.NewTimer(d)
	return t.C, t.Stop
}

// Take returns when a call may be sent. If that would be later than most from now,
// because of the rate or of a pause, it returns a LaterError as soon as
// that is known. The broker's answer is waited for whatever most is, up to
// askFor; an error of the broker is returned as it is. Callers are served in the
// order in which they came, but for those who cannot wait so long.
func (b *Bucket) Take(ctx context.Context, most time.Duration) (Permit, error) {
	if err := ctx.Err(); err != nil {
		return Permit{}, err
	}
	w := b.join(most)
	select {
	case a := <-w.got:
		return a.permit, a.err
	case <-ctx.Done():
		b.leave(w)
		return Permit{}, ctx.Err()
	}
}

// Back returns a permit that was not used, once. It is kept for the next taker
// while it is valid.
func (b *Bucket) Back(p Permit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.At.Before(b.until) {
		return
	}
	i, _ := slices.BinarySearchFunc(b.times, p.At, time.Time.Compare)
	b.times = slices.Insert(b.times, i, p.At)
	b.step() // drops what has lapsed
}

// Throttled tells all workers that Graph has answered 429 and asked for a pause, 0
// if it did not say for how long, and returns the pause's end. Leased times are
// dropped, and waiters who cannot wait so long get a LaterError.
//
// It returns within tellFor and when ctx ends. If the broker is away by then, the pause
// holds in this process alone.
func (b *Bucket) Throttled(ctx context.Context, asked time.Duration) (until time.Time) {
	jitter := rand.Float64() // #nosec G404 -- it spreads load, and keeps nothing secret
	f := func(c Cell) Cell {
		now, _, l := b.meet(c)
		return c.Throttled(now, l, asked, jitter)
	}
	b.pause(f(b.last()), false) // whatever the broker says
	ctx, cancel := context.WithTimeout(ctx, tellFor)
	defer cancel()
	if c, err := b.store.update(ctx, b.key, f); err == nil {
		b.pause(c, true)
	}
	return b.Until()
}

func (b *Bucket) last() Cell {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cell
}

func (b *Bucket) pause(c Cell, exact bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hear(c, exact)
	b.step()
	b.wake()
}

// Until is the end of the pause, as far as this process has heard; zero if there
// is none. Without callers it hears nothing.
func (b *Bucket) Until() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.until.After(b.now()) {
		return time.Time{}
	}
	return b.until
}

// Rate is how many calls a second the quota allows now, as far as this process has
// heard; 0 in a pause. Without callers it hears nothing.
func (b *Bucket) Rate() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if b.until.After(now) {
		return 0
	}
	return b.cell.Rate(now.Add(b.ahead), b.limit)
}

// SetLimit changes the limit for the leases to come.
func (b *Bucket) SetLimit(l Limit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l = l.sane(); l != b.limit {
		b.limit, b.askAt = l, time.Time{}
		b.wake()
	}
}

// Waiting is how many callers wait in Take.
func (b *Bucket) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.line)
}
