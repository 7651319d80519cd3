package quota

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"changerelay/internal/natstest"
)

// A fleet is workers, each with its connection and its clock, who take from one
// quota whenever they can.
type fleet struct {
	c    *clock
	bs   []*Bucket
	stop context.CancelFunc

	mu   sync.Mutex
	got  [][]time.Time // true times of each worker's permits
	done sync.WaitGroup
}

const takers = 6 // of each worker

func newFleet(t *testing.T, url string, l Limit, ahead ...time.Duration) *fleet {
	ctx, stop := context.WithCancel(t.Context())
	f := &fleet{c: newClock(), stop: stop, got: make([][]time.Time, len(ahead))}
	for i, d := range ahead {
		b := f.c.bucket(open(t, url, 1), writes, l, d)
		f.bs = append(f.bs, b)
		for range takers {
			f.done.Go(func() {
				for {
					p, err := b.Take(ctx, day)
					if err != nil {
						return
					}
					f.mu.Lock()
					f.got[i] = append(f.got[i], p.At.Add(-d))
					f.mu.Unlock()
				}
			})
		}
	}
	return f
}

// run lets d pass.
func (f *fleet) run(t *testing.T, d time.Duration) {
	t.Helper()
	for end := f.c.Now().Add(d); f.c.Now().Before(end); {
		f.c.settle(t, f.waiting, takers*len(f.bs), f.bs...)
		f.c.skip(min(end.Sub(f.c.Now()), 200*ms))
	}
}

func (f *fleet) waiting() (n int) {
	for _, b := range f.bs {
		n += b.Waiting()
	}
	return n
}

func (f *fleet) end() (all []time.Time) {
	f.stop()
	f.done.Wait()
	return slices.Concat(f.got...)
}

// Three workers share a quota: with clocks that agree, and with clocks that do not.
func TestLaw14TheQuotaIsShared(t *testing.T) {
	for name, ahead := range map[string][]time.Duration{
		"clocks agree":          {0, 0, 0},
		"clocks are Skew apart": {0, Skew / 2, Skew},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, natstest.Server(t).URL(), DefaultWrite, ahead...)
			const long = 30 * time.Second
			f.run(t, long)
			all := f.end()
			w := world{l: DefaultWrite, used: all, apart: slices.Max(ahead)}
			if err := w.check(); err != nil {
				t.Error(err)
			}
			most := 0
			for i, from := range all { // check has sorted them
				n, _ := slices.BinarySearchFunc(all, from.Add(20*time.Second+Valid), time.Time.Compare)
				most = max(most, n-i)
			}
			want := int(long.Seconds() * DefaultWrite.Rate)
			t.Logf("%d permits, want about %d; at most %d in 20 s; shares %d, %d, %d", len(all), want, most, len(f.got[0]), len(f.got[1]), len(f.got[2]))
			if most > 200 {
				t.Errorf("%d calls in 20 s", most)
			}
			if len(all) < want*8/10 {
				t.Errorf("%d permits in %v, the rate is %v", len(all), long, DefaultWrite.Rate)
			}
			for i, got := range f.got {
				if len(got) < want/6 {
					t.Errorf("worker %d, %v ahead, starves: %d permits", i, ahead[i], len(got))
				}
			}
		})
	}
}

// A 429 that one worker meets pauses all of them, within Horizon and Valid.
func TestLaw14A429PausesEveryWorker(t *testing.T) {
	const pause = 20 * time.Second
	f := newFleet(t, natstest.Server(t).URL(), DefaultWrite, 0, time.Second, 2*time.Second)
	f.run(t, 10*time.Second)
	at := f.c.Now()
	until := f.bs[1].Throttled(t.Context(), pause)
	if got := until.Sub(at.Add(time.Second)); got != pause {
		t.Errorf("paused for %v, want %v", got, pause)
	}
	f.run(t, pause+10*time.Second)
	all := f.end()
	w := world{l: DefaultWrite, used: all, apart: 2 * time.Second}
	if err := w.check(); err != nil {
		t.Error(err)
	}
	n := 0
	for _, p := range all {
		since := p.Sub(at)
		if since > Horizon && since < pause-2*time.Second { // clocks differ, and so do the ends
			t.Errorf("a call goes %v after the 429", since)
		}
		if since >= pause {
			n++
		}
	}
	for _, p := range f.got[1] {
		if since := p.Sub(at); since > 0 && since < pause {
			t.Errorf("the worker that met it calls after %v", since)
		}
	}
	// From half the rate, up by a whole rate in RampFor: 7 × (0.5 + 5/120) a second.
	if n < 30 || n > 44 {
		t.Errorf("%d calls in the 10 s after the pause, want about 38", n)
	}
	for i, b := range f.bs {
		if !b.Until().IsZero() {
			t.Errorf("worker %d still sees a pause: %v", i, b.Until())
		}
	}
}

// Waiters are told at once, here and where the next lease is asked for.
func TestLaw14WaitersAreToldOfA429(t *testing.T) {
	url := natstest.Server(t).URL()
	c := newClock()
	a := c.bucket(open(t, url, 1), writes, Limit{1, 1}, 0)
	b := c.bucket(open(t, url, 1), writes, Limit{1, 1}, 0)
	p, _ := take(t, a, 0)
	got := callers(t, t.Context(), a, time.Minute, 5*time.Minute, time.Minute)
	if until := a.Throttled(t.Context(), 2*time.Minute); until != later(2*time.Minute) || a.Until() != until {
		t.Errorf("until %v and %v", until.Sub(t0), a.Until().Sub(t0))
	}
	for range 2 {
		r := <-got
		if l := (*LaterError)(nil); !errors.As(r.err, &l) || !l.Throttled || l.Until.Before(later(2*time.Minute)) || r.n == 1 {
			t.Errorf("%+v", r)
		}
	}
	if _, l := take(t, b, time.Minute); l == nil || !l.Throttled || l.Until != later(2*time.Minute) {
		t.Errorf("the other worker: %v", l)
	}
	if b.Until() != later(2*time.Minute) {
		t.Errorf("the other worker sees a pause until %v", b.Until().Sub(t0))
	}
	a.Back(p) // of before the pause
	if _, l := take(t, a, time.Minute); l == nil || !l.Throttled {
		t.Error("a permit of before the pause is given in it")
	}
	if r := c.next(t, a, got, 1); r.err != nil || r.p.At.Before(later(2*time.Minute)) || r.p.At.After(later(2*time.Minute+time.Second)) {
		t.Errorf("who could wait: %+v", r)
	}
	if !a.Until().IsZero() {
		t.Errorf("the pause is over, and not: %v", a.Until())
	}
}

// Two workers meet 429s of calls under way together: one pause. A second, later, is longer.
func TestThrottledWithoutRetryAfter(t *testing.T) {
	url := natstest.Server(t).URL()
	c := newClock()
	a, b := c.bucket(open(t, url, 1), writes, DefaultWrite, 0), c.bucket(open(t, url, 1), writes, DefaultWrite, 0)
	first := a.Throttled(t.Context(), 0)
	if d := first.Sub(t0); d < pauseFirst/2 || d > pauseFirst {
		t.Errorf("the first pause is %v", d)
	}
	if second := b.Throttled(t.Context(), 0); second != first {
		t.Errorf("a 429 of the same time ends the pause at %v instead of %v", second.Sub(t0), first.Sub(t0))
	}
	c.advance(first.Sub(t0))
	if third := b.Throttled(t.Context(), 0); third.Sub(first) < pauseFirst || third.Sub(first) > 2*pauseFirst {
		t.Errorf("the next pause is %v", third.Sub(first))
	}
	cell, err := open(t, url, 1).Get(t.Context(), writes)
	if err != nil || cell.Count != 2 || cell.Low != 0.25 {
		t.Errorf("%+v, %v", cell, err)
	}
}
