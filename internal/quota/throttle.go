package quota

import "time"

// Throttled is the cell after Graph answered a call with 429 and asked for a
// pause; asked is 0 if it did not say, and then the pause is 5 s, doubled by each
// 429 in a row, less up to half by jitter, which is in [0, 1). No pause is
// longer than MaxPause.
//
// While a pause is in force, 429s are those of calls that were under way when it
// began: they do not count, and move its end only if they ask for a later one.
// After the pause there is no burst, and the rate is half of what it was.
func (c Cell) Throttled(now time.Time, l Limit, asked time.Duration, jitter float64) Cell {
	now, l = plain(now), l.sane()
	end := c.end(now)
	if end.After(now) {
		if !now.Add(min(asked, MaxPause)).After(end) {
			return c
		}
		return c.pause(now, l, asked)
	}
	share := c.share(now)
	if now.Sub(c.Until) >= RampFor {
		c.Count = 0
	}
	c.Count++
	c.Low = max(share/2, leastShare)
	if asked <= 0 {
		asked = doubled(c.Count)
		asked = asked/2 + time.Duration(jitter*float64(asked/2))
	}
	return c.pause(now, l, asked)
}

// pause sets the end, and spends the burst: calls begin again one by one.
func (c Cell) pause(now time.Time, l Limit, d time.Duration) Cell {
	c.Since, c.Until = now, now.Add(min(d, MaxPause))
	c.Next = latest(c.paid(now, l), c.Until.Add(l.slack()))
	return c
}

// doubled is the n-th pause, n from 1.
func doubled(n int) time.Duration {
	d := pauseFirst
	for ; n > 1 && d < MaxPause; n-- {
		d *= 2
	}
	return min(d, MaxPause)
}

// Paused is how long no call may go yet because of a 429; 0 if there is no pause.
func (c Cell) Paused(now time.Time) time.Duration {
	now = plain(now)
	return max(c.end(now).Sub(now), 0)
}

// end is the pause's end: of one that can have begun by now, with clocks within Skew.
func (c Cell) end(now time.Time) time.Time {
	if c.Since.After(now.Add(Skew)) {
		return time.Time{}
	}
	if most := c.Since.Add(MaxPause); c.Until.After(most) {
		return most
	}
	return c.Until
}

// Rate is how many calls a second may go now: 0 in a pause, and after it from Low
// linearly up to the limit's rate.
func (c Cell) Rate(now time.Time, l Limit) float64 {
	now = plain(now)
	if c.end(now).After(now) {
		return 0
	}
	return l.sane().Rate * c.share(now)
}

// share is how much of the rate there is at t, in [leastShare, 1].
func (c Cell) share(t time.Time) float64 {
	if c.Low == 0 {
		return 1
	}
	low := min(max(c.Low, leastShare), 1)
	return min(low+max(float64(t.Sub(c.Until))/float64(RampFor), 0), 1)
}
