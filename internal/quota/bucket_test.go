package quota

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/natstest"
)

const day = 24 * time.Hour

// take takes now or never.
func take(t testing.TB, b *Bucket, most time.Duration) (Permit, *LaterError) {
	t.Helper()
	p, err := b.Take(t.Context(), most)
	var later *LaterError
	if err != nil && !errors.As(err, &later) {
		t.Fatal(err)
	}
	return p, later
}

// result is what a caller got.
type result struct {
	n   int
	p   Permit
	err error
}

// callers line up, in order, and their results come as they are served.
func callers(t testing.TB, ctx context.Context, b *Bucket, most ...time.Duration) <-chan result {
	t.Helper()
	got := make(chan result, len(most))
	for n, m := range most {
		go func() {
			p, err := b.Take(ctx, m)
			got <- result{n, p, err}
		}()
		await.State(t, "the caller to be in line", func() bool { return b.Waiting()+len(got) == n+1 })
	}
	return got
}

func times[T any](n int, v T) []T { return slices.Repeat([]T{v}, n) }

func TestTakeIsFirstComeFirstServed(t *testing.T) {
	c := newClock()
	b := c.bucket(open(t, natstest.Server(t).URL(), 1), writes, Limit{10, 1}, 0)
	if p, later := take(t, b, 0); later != nil || p.At != t0 {
		t.Fatalf("an idle quota: %v, %v", p, later)
	}
	got := callers(t, t.Context(), b, times(20, day)...)
	for n := range 20 {
		r := c.next(t, b, got, 20-n)
		if want := later(time.Duration(n+1) * 100 * ms); r.err != nil || r.n != n || r.p.At.Sub(want).Abs() > 1000 || !r.p.Valid(c.Now()) {
			t.Fatalf("caller %d is served as %d.: %+v at %v", r.n, n, r, c.Now().Sub(t0))
		}
	}
	await.State(t, "the line to be left alone", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return !b.serving })
}

// The broker is asked for batches.
func TestTakeLeasesBatches(t *testing.T) {
	url := natstest.Server(t).URL()
	c, count := newClock(), watch(t, url)
	b := c.bucket(open(t, url, 1), writes, Limit{20, 1}, 0)
	const n = 200
	got := callers(t, t.Context(), b, times(n, day)...)
	_, _, before := count()
	for left := n; left > 0; left-- {
		if r := c.next(t, b, got, left); r.err != nil {
			t.Fatal(r.err)
		}
	}
	if _, _, written := count(); written-before > n/5 {
		t.Errorf("%d leases for %d calls", written-before, n)
	}
}

func TestLaterErrorAtOnce(t *testing.T) {
	c := newClock()
	b := c.bucket(open(t, natstest.Server(t).URL(), 1), writes, Limit{1, 2}, 0)
	for range 2 {
		if _, later := take(t, b, 0); later != nil {
			t.Fatal(later)
		}
	}
	if _, later := take(t, b, 500*ms); later == nil || later.Throttled || later.Until.Before(t0.Add(500*ms)) || later.Until.After(t0.Add(time.Second)) {
		t.Errorf("the burst is used: %v", later)
	}
	got := callers(t, t.Context(), b, 1500*ms, 1500*ms, 1500*ms, 3500*ms, 500*ms, 3500*ms)
	turned := map[int]bool{}
	for len(turned) < 3 {
		r := <-got
		if l := (*LaterError)(nil); !errors.As(r.err, &l) || l.Throttled {
			t.Fatalf("%+v", r)
		}
		turned[r.n] = true
	}
	if !turned[1] || !turned[2] || !turned[4] {
		t.Errorf("turned away: %v, want 1, 2 and 4; time stands still", turned)
	}
	var served []int
	for left := 3; left > 0; left-- {
		r := c.next(t, b, got, left)
		if r.err != nil {
			t.Error(r.err)
		}
		served = append(served, r.n)
	}
	if !slices.Equal(served, []int{0, 3, 5}) {
		t.Errorf("served: %v", served)
	}
}

func TestLaw14AnUnusedPermitIsKept(t *testing.T) {
	url := natstest.Server(t).URL()
	c, count := newClock(), watch(t, url)
	b := c.bucket(open(t, url, 1), writes, Limit{1, 1}, 0)
	p, _ := take(t, b, 0)
	c.advance(Valid)
	b.Back(p)
	_, _, before := count()
	if again, later := take(t, b, 0); later != nil || again != p {
		t.Fatalf("%v, %v; want %v", again, later, p)
	}
	if _, _, after := count(); after != before {
		t.Error("the broker was asked")
	}
	c.advance(1)
	b.Back(p) // too late
	if _, later := take(t, b, 0); later == nil {
		t.Error("a lapsed permit was kept")
	}
	b.Back(Permit{})
	r := c.next(t, b, callers(t, t.Context(), b, day), 1)
	b.Back(r.p)
	c.advance(Valid + 1)
	if _, later := take(t, b, 0); later == nil {
		t.Error("a permit was kept until it lapsed, and given")
	}
	got := callers(t, t.Context(), b, day, day)
	r = c.next(t, b, got, 2)
	b.Back(r.p) // to the one who waits
	if again := <-got; again.err != nil || again.p != r.p {
		t.Errorf("the waiter got %+v, want %v", again, r.p)
	}
}

func TestTakeEndsWithItsContext(t *testing.T) {
	c := newClock()
	b := c.bucket(open(t, natstest.Server(t).URL(), 1), writes, Limit{1, 1}, 0)
	take(t, b, 0)
	ctx, cancel := context.WithCancel(t.Context())
	got := callers(t, ctx, b, times(5, day)...)
	cancel()
	for range 5 {
		if r := <-got; !errors.Is(r.err, context.Canceled) {
			t.Errorf("%+v", r)
		}
	}
	if _, err := b.Take(ctx, day); !errors.Is(err, context.Canceled) || b.Waiting() != 0 {
		t.Errorf("%v, %d in line", err, b.Waiting())
	}
	got = callers(t, t.Context(), b, day)
	if r := c.next(t, b, got, 1); r.err != nil {
		t.Error(r.err)
	}
}

// A caller whose context ends just as it is served leaves its permit to the next.
func TestAPermitForOneWhoHasLeft(t *testing.T) {
	c := newClock()
	b := c.bucket(open(t, natstest.Server(t).URL(), 1), writes, Limit{1, 1}, 0)
	w := b.join(day)
	await.State(t, "the caller to be served", func() bool { return len(w.got) == 1 })
	b.leave(w)
	if p, later := take(t, b, 0); later != nil || p.At != t0 {
		t.Errorf("%v, %v", p, later)
	}
}

// A lease may come back when a pause has begun, or when whoever it was for has left.
func TestALeaseThatComesTooLate(t *testing.T) {
	c := newClock()
	b := c.bucket(open(t, natstest.Server(t).URL(), 1), writes, Limit{1, 1}, 0)
	b.Throttled(t.Context(), 10*time.Second)
	b.mu.Lock()
	b.fill([]time.Time{later(time.Second), later(10 * time.Second)})
	kept := slices.Clone(b.times)
	b.times = nil
	b.serving = true // here
	b.mu.Unlock()
	if !slices.Equal(at(kept), []time.Duration{10 * time.Second}) {
		t.Errorf("kept %v", at(kept))
	}
	c.advance(10 * time.Second)
	w := b.join(day)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.lease(ctx, 1)
	if b.Waiting() != 1 || len(w.got) != 0 {
		t.Errorf("who came since is told of it: %v", (<-w.got).err)
	}
}

func TestSetLimit(t *testing.T) {
	c := newClock()
	b := c.bucket(open(t, natstest.Server(t).URL(), 1), writes, Limit{0.001, 1}, 0)
	take(t, b, 0)
	got := callers(t, t.Context(), b, day)
	await.State(t, "the caller to wait", func() bool { return c.asleep([]*Bucket{b}) })
	b.SetLimit(Limit{1000, 2000})
	await.State(t, "the caller to be served", func() bool { return len(got) == 1 })
	if r := <-got; r.err != nil || r.p.At != t0 {
		t.Errorf("%+v", r)
	}
}

// Many goroutines take, return, leave and are throttled, in real time.
func TestBucketRace(t *testing.T) {
	url := natstest.Server(t).URL()
	l := Limit{2000, 50}
	bs := []*Bucket{open(t, url, 1).Bucket(writes, l, time.Now), open(t, url, 1).Bucket(writes, l, time.Now)}
	var mu sync.Mutex
	var used []time.Time
	var wg sync.WaitGroup
	for n := range 16 {
		b := bs[n%2]
		wg.Go(func() {
			for i := range 30 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(n*i)%40)*ms)
				switch p, err := b.Take(ctx, day); {
				case err != nil:
				case i%7 == 0:
					b.Back(p)
				case p.Valid(time.Now()):
					mu.Lock()
					used = append(used, p.At)
					mu.Unlock()
				}
				cancel()
				if i == 20 && n < 2 {
					b.Throttled(t.Context(), 10*ms)
					b.SetLimit(l)
				}
				b.Waiting()
				b.Until()
			}
		})
	}
	wg.Wait()
	w := world{l: l, used: used, apart: 2 * ms} // the clocks are read at two moments
	if err := w.check(); err != nil || len(used) == 0 {
		t.Errorf("%d permits: %v", len(used), err)
	}
	await.State(t, "nobody to be served", func() bool {
		for _, b := range bs {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.serving || len(b.line) > 0 {
				return false
			}
		}
		return true
	})
}
