package quota

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func later(d time.Duration) time.Time { return t0.Add(d) }

const ms = time.Millisecond

// at are the times since t0.
func at(times []time.Time) []time.Duration {
	var ds []time.Duration
	for _, t := range times {
		ds = append(ds, t.Sub(t0))
	}
	return ds
}

func TestLease(t *testing.T) {
	ten := Limit{Rate: 10, Burst: 3}
	for _, c := range []struct {
		name string
		cell Cell
		l    Limit
		now  time.Duration
		n    int
		want []time.Duration
		next time.Duration
	}{
		{"the first", Cell{}, ten, 0, 1, []time.Duration{0}, 100 * ms},
		{"a burst, then the rate", Cell{}, ten, 0, 5, []time.Duration{0, 0, 0, 100 * ms, 200 * ms}, 500 * ms},
		{"no further than the horizon", Cell{}, Limit{Rate: 2, Burst: 1}, 0, 9, []time.Duration{0, 500 * ms, time.Second}, 1500 * ms},
		{"none asked for", Cell{}, ten, 0, 0, nil, 0},
		{"after others", Cell{Next: later(400 * ms)}, ten, 0, 2, []time.Duration{200 * ms, 300 * ms}, 600 * ms},
		{"none within the horizon", Cell{Next: later(1201 * ms)}, ten, 0, 2, nil, 1201 * ms},
		{"just within the horizon", Cell{Next: later(1200 * ms)}, ten, 0, 2, []time.Duration{time.Second}, 1300 * ms},
		{"an hour of rest is one burst", Cell{Next: later(-time.Hour)}, ten, 0, 4, []time.Duration{0, 0, 0, 100 * ms}, 400 * ms},
		{"part of a burst", Cell{Next: later(150 * ms)}, ten, 0, 2, []time.Duration{0, 50 * ms}, 350 * ms},
		{"a pause", Cell{Since: later(-time.Second), Until: later(2 * time.Second), Low: 0.5}, ten, 0, 2, nil, 0},
		{"a pause's last second", Cell{Since: later(-time.Second), Until: later(ms), Next: later(201 * ms), Low: 0.5}, ten, 0, 2, []time.Duration{ms, 201 * ms}, 600 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, times := c.cell.Lease(later(c.now), c.l, c.n)
			if !slices.EqualFunc(at(times), c.want, func(a, b time.Duration) bool { return (a - b).Abs() < ms }) {
				t.Errorf("send times %v, want %v", at(times), c.want)
			}
			if d := got.Next.Sub(later(c.next)); c.want != nil && d.Abs() > ms {
				t.Errorf("next is %v, want %v", got.Next.Sub(t0), c.next)
			}
			if c.want == nil && got != c.cell {
				t.Errorf("nothing is leased, and the cell has changed: %+v", got)
			}
		})
	}
}

// Asked when Ready says, there is one; a moment before, there is none.
func TestReady(t *testing.T) {
	l := Limit{Rate: 7, Burst: 4}
	c, now := Cell{}, t0
	for range 100 {
		var times []time.Time
		if c, times = c.Lease(now, l, 50); len(times) == 0 {
			t.Fatalf("nothing at %v", now.Sub(t0))
		}
		ready := c.Ready(now, l)
		if _, early := c.Lease(ready.Add(-time.Microsecond), l, 1); len(early) > 0 {
			t.Fatalf("ready at %v, and already before", ready.Sub(t0))
		}
		now = ready
	}
	if got, want := now.Sub(t0), 96*time.Second/7; got < want-time.Second || got > want+time.Second {
		t.Errorf("104 calls took %v, want about %v", got, want)
	}
}

// First is the first of the times that Lease gives, and is known further ahead.
func TestFirst(t *testing.T) {
	l := Limit{Rate: 10, Burst: 3} // which is 200 ms ahead
	for _, c := range []struct {
		name string
		cell Cell
		want time.Duration
	}{
		{"unused", Cell{}, 0},
		{"a burst is left", Cell{Next: later(200 * ms)}, 0},
		{"after others", Cell{Next: later(400 * ms)}, 200 * ms},
		{"in a pause", Cell{Since: t0, Until: later(30 * time.Second), Next: later(30200 * ms), Low: 0.5}, 30 * time.Second},
		{"when some are let go for after the pause", Cell{Since: t0, Until: later(30 * time.Second), Next: later(30700 * ms), Low: 0.5}, 30500 * ms},
	} {
		if got := c.cell.First(t0, l); got != later(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got.Sub(t0), c.want)
		}
		if _, times := c.cell.Lease(t0, l, 1); len(times) > 0 && times[0] != later(c.want) {
			t.Errorf("%s: %v is let go, want %v", c.name, times[0].Sub(t0), c.want)
		}
	}
}

// However a clock says it, a time is the same one.
func TestTimesArePlain(t *testing.T) {
	now := t0.In(time.FixedZone("CET", 3600))
	c, times := Cell{}.Lease(now, DefaultWrite, 1)
	for what, got := range map[string]time.Time{
		"leased": times[0], "seen": c.Seen, "ready": Cell{}.Ready(now, DefaultWrite), "first": Cell{}.First(now, DefaultWrite),
	} {
		if got != t0 {
			t.Errorf("%s is %v", what, got)
		}
	}
	if got := plain(time.Now()).String(); strings.Contains(got, "m=") {
		t.Errorf("%s has a monotonic clock", got)
	}
}

// Seen is the newest time by anyone's clock, but for a clock that was wrong.
func TestSeen(t *testing.T) {
	for seen, want := range map[time.Duration]time.Duration{
		-time.Hour: 0, -1: 0, 0: 0, 1: 1, Skew: Skew, Skew + 1: 0, time.Hour: 0,
	} {
		c, _ := Cell{Seen: later(seen)}.Lease(t0, DefaultWrite, 1)
		if c.Seen != later(want) {
			t.Errorf("%v was seen: now %v, want %v", seen, c.Seen.Sub(t0), want)
		}
	}
	if c, _ := (Cell{}).Lease(t0, DefaultWrite, 1); c.Seen != t0 {
		t.Errorf("of an unused cell is seen %v", c.Seen)
	}
}

func TestLaw14SendTimesLapse(t *testing.T) {
	p := Permit{t0}
	for at, valid := range map[time.Duration]bool{-1: false, 0: true, Valid: true, Valid + 1: false} {
		if p.Valid(later(at)) != valid {
			t.Errorf("%v after its time a permit is valid: %t", at, !valid)
		}
	}
	if (Permit{}).Valid(t0) {
		t.Error("the zero permit is valid")
	}
	// What lapsed unused is gone: the cell lets as few go as if it had been used.
	c, _ := Cell{}.Lease(t0, DefaultWrite, 27)
	if _, times := c.Lease(later(ms), DefaultWrite, 27); len(times) != 0 {
		t.Errorf("a burst and a second's calls are let go, and %d more", len(times))
	}
}

// A worker whose clock was an hour ahead has used the cell.
func TestAWrongClockDoesNotStopOthers(t *testing.T) {
	l := DefaultWrite
	c, _ := Cell{}.Lease(later(time.Hour), l, 30)
	ready := c.Ready(t0, l)
	if ready != t0 {
		t.Fatalf("others wait for %v", ready.Sub(t0))
	}
	for now := ready; ; now = c.Ready(now, l) {
		if now.After(later(time.Minute)) {
			break
		}
		var times []time.Time
		if c, times = c.Lease(now, l, 10); len(times) == 0 {
			t.Fatalf("nothing at %v though ready", now.Sub(t0))
		}
	}
	if c.Seen.After(later(2 * time.Minute)) {
		t.Errorf("the wrong clock is still seen: %v", c.Seen)
	}

	// The furthest that a lease can have moved Next, by a clock Skew ahead, is believed.
	l = Limit{Rate: 10, Burst: 3}
	furthest := l.slack() + Skew + Horizon + l.gap(leastShare)
	if got, want := (Cell{Next: later(furthest)}).First(t0, l), later(furthest-l.slack()); got != want {
		t.Errorf("a call goes at %v, want %v", got.Sub(t0), want.Sub(t0))
	}
	_, times := Cell{Next: later(furthest + 1)}.Lease(t0, l, 3) // the burst is taken for spent
	if want := []time.Duration{0, 100 * ms, 200 * ms}; !slices.Equal(at(times), want) {
		t.Errorf("calls go at %v, want %v", at(times), want)
	}

	l = DefaultWrite
	c = Cell{}.Throttled(later(time.Hour), l, time.Minute, 0)
	if p := c.Paused(t0); p != 0 {
		t.Errorf("a pause that begins in an hour holds now, for %v", p)
	}
	c = Cell{Since: t0, Until: later(time.Hour)} // no such pause is ever begun
	if p := c.Paused(t0); p != MaxPause {
		t.Errorf("a pause holds for %v", p)
	}
}

func TestLimitsAreMadeSane(t *testing.T) {
	for _, l := range []Limit{{}, {-1, -1}, {math.NaN(), 1}, {math.Inf(1), math.MaxInt}, {math.Inf(-1), 1}, {1e-300, 5}} {
		c, times := Cell{}.Lease(t0, l, 3)
		if len(times) == 0 || !times[0].Equal(t0) || !c.Next.After(t0) {
			t.Errorf("%+v: %v, next %v", l, at(times), c.Next)
		}
		if c.Ready(t0, l) != c.Ready(t0, l.sane()) || c.First(t0, l) != c.First(t0, l.sane()) {
			t.Errorf("%+v: ready at %v, and the first at %v", l, c.Ready(t0, l), c.First(t0, l))
		}
	}
	if _, times := (Cell{}).Lease(t0, Limit{math.Inf(1), math.MaxInt}, math.MaxInt); len(times) != mostLease {
		t.Errorf("a lease of %d", len(times))
	}
}

// in20s is how many calls may go in Graph's window, with clocks Skew apart.
func in20s(l Limit) float64 {
	return l.Rate*(20*time.Second+Valid+Skew).Seconds() + float64(l.Burst)
}

// The defaults are below Graph's limits. Writes count as calls, too.
func TestDefaultsAreBelowGraphsLimits(t *testing.T) {
	if w, r := in20s(DefaultWrite), in20s(DefaultRead); w > 200 || w+r > 2000 {
		t.Errorf("%v writes and %v reads in 20 s", w, r)
	}
}
