package quota

import (
	"math"
	"testing"
	"time"
)

func TestThrottledAsAsked(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		time.Second: time.Second, 315 * time.Second: 315 * time.Second, 24 * time.Hour: MaxPause, math.MaxInt64: MaxPause,
	} {
		if got := (Cell{}).Throttled(t0, DefaultWrite, asked, 0.5).Paused(t0); got != want {
			t.Errorf("asked for %v: paused for %v, want %v", asked, got, want)
		}
	}
}

// Without Retry-After: 5 s, doubled by each 429 that comes soon after a pause.
func TestThrottledUnasked(t *testing.T) {
	c, now := Cell{}, t0
	for i, want := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 600, 600, 600} {
		want *= time.Second
		least, most := c.Throttled(now, DefaultWrite, 0, 0), c.Throttled(now, DefaultWrite, -1, 0.999999)
		if least.Paused(now) != want/2 || most.Paused(now) < want-time.Second/100 || most.Paused(now) > want {
			t.Errorf("pause %d is %v to %v, want %v to %v", i+1, least.Paused(now), most.Paused(now), want/2, want)
		}
		c = most
		now = c.Until.Add(RampFor - 1)
	}
	if c.Count != 10 {
		t.Errorf("%d in a row, want 10", c.Count)
	}
	if c = c.Throttled(c.Until.Add(RampFor), DefaultWrite, 0, 0); c.Count != 1 || c.Until.Sub(c.Since) != pauseFirst/2 {
		t.Errorf("after a quiet time it is the %d. in a row and pauses for %v", c.Count, c.Until.Sub(c.Since))
	}
}

// Calls that were under way when the pause began come back with 429s of their own.
func TestThrottledInAPause(t *testing.T) {
	first := Cell{}.Throttled(t0, DefaultWrite, 10*time.Second, 0)
	for _, c := range []struct {
		at, asked, until time.Duration
	}{
		{0, 0, 10 * time.Second},
		{time.Second, 0, 10 * time.Second},
		{time.Second, 5 * time.Second, 10 * time.Second},
		{time.Second, 9 * time.Second, 10 * time.Second},
		{time.Second, 30 * time.Second, 31 * time.Second},
		{9 * time.Second, 24 * time.Hour, MaxPause + 9*time.Second},
	} {
		got := first.Throttled(later(c.at), DefaultWrite, c.asked, 0.9)
		if got.Until != later(c.until) || got.Paused(later(c.at)) != c.until-c.at {
			t.Errorf("after %v asked for %v: until %v, want %v", c.at, c.asked, got.Until.Sub(t0), c.until)
		}
		if got.Count != 1 || got.Low != 0.5 {
			t.Errorf("after %v asked for %v: it counts again: %+v", c.at, c.asked, got)
		}
	}
}

func TestRateAfterAPause(t *testing.T) {
	l := Limit{Rate: 8, Burst: 5}
	c := Cell{}.Throttled(t0, l, 10*time.Second, 0)
	end := later(10 * time.Second)
	for after, want := range map[time.Duration]float64{
		-time.Second: 0, 0: 4, RampFor / 4: 6, RampFor / 2: 8, RampFor: 8, 24 * time.Hour: 8,
	} {
		if got := c.Rate(end.Add(after), l); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v after the pause: %v calls/s, want %v", after, got, want)
		}
	}
	if got := (Cell{}).Rate(t0, l); got != 8 {
		t.Errorf("never throttled: %v calls/s", got)
	}
	for range 20 {
		end = c.Until
		c = c.Throttled(end, l, time.Second, 0)
	}
	if got := c.Rate(c.Until, l); got != 8*leastShare || c.Low != leastShare {
		t.Errorf("after twenty 429s: %v calls/s, want %v", got, 8*leastShare)
	}
	if got := c.Rate(c.Until.Add(RampFor), l); got != 8 {
		t.Errorf("the whole rate is not back within RampFor: %v", got)
	}
}

// The calls after a pause begin one by one and come at the rate of their time.
func TestNoBurstAfterAPause(t *testing.T) {
	l := Limit{Rate: 10, Burst: 20}
	c := Cell{}.Throttled(t0, l, 10*time.Second, 0)
	end := later(10 * time.Second)
	var times []time.Time
	for now := end; now.Before(end.Add(2 * time.Second)); now = c.Ready(now, l) {
		var more []time.Time
		c, more = c.Lease(now, l, 5)
		times = append(times, more...)
	}
	n := 0
	for _, at := range times {
		if at.Before(end) {
			t.Errorf("a call goes %v before the pause is over", end.Sub(at))
		}
		if at.Before(end.Add(time.Second)) {
			n++
		}
	}
	if n < 5 || n > 6 {
		t.Errorf("%d calls in the first second, want 5 or 6", n)
	}
}
