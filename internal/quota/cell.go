package quota

import "time"

// A Cell is one quota's state: a value whose methods return the next one and
// take the time as an argument. The zero Cell is a quota nobody has used.
type Cell struct {
	Next  time.Time // until when the calls let go so far have paid, at the rate
	Seen  time.Time // newest time by the clock of anyone who took a lease
	Until time.Time // end of the newest pause
	Since time.Time // when the 429 came that set Until
	Low   float64   // share of the rate with which calls began again after it; 0 before the first 429
	Count int       // 429s in a row
}

// Lease lets up to n calls go: at the times returned, in order, none before now
// or further ahead than Horizon. There is none if the next call would have to
// go later; Ready says when to ask again.
func (c Cell) Lease(now time.Time, l Limit, n int) (Cell, []time.Time) {
	now, l = plain(now), l.sane()
	d := c
	var at []time.Time
	for len(at) < min(n, mostLease) {
		t := d.first(now, l)
		if t.After(now.Add(Horizon)) {
			break
		}
		d.Next = latest(d.paid(now, l), t).Add(l.gap(d.share(t)))
		at = append(at, t)
	}
	if len(at) == 0 {
		return c, nil
	}
	if d.Seen.Before(now) || d.Seen.After(now.Add(Skew)) { // the latter is a clock that was wrong
		d.Seen = now
	}
	return d, at
}

// Ready is when Lease gives a send time at the earliest, if nobody else asks.
func (c Cell) Ready(now time.Time, l Limit) time.Time {
	now, l = plain(now), l.sane()
	return latest(now, c.first(now, l).Add(-Horizon))
}

// First is when the next call may go at the earliest. More may be waiting for it
// than one.
func (c Cell) First(now time.Time, l Limit) time.Time { return c.first(plain(now), l.sane()) }

// first is First for what is in order.
func (c Cell) first(now time.Time, l Limit) time.Time {
	return latest(now, c.end(now), c.paid(now, l).Add(-l.slack()))
}

// paid is Next, unless it is further ahead than any lease within Skew can have
// moved it. Such a Next says nothing but that a clock was wrong, and one wrong
// clock must not stop everybody: the burst is taken for spent, and calls may go.
func (c Cell) paid(now time.Time, l Limit) time.Time {
	soon := latest(now, c.end(now)).Add(l.slack())
	if c.Next.After(soon.Add(Skew + Horizon + l.gap(leastShare))) {
		return soon
	}
	return c.Next
}

// plain is the time as it is stored: without a monotonic clock or a zone.
func plain(t time.Time) time.Time { return t.UTC() }

func latest(t time.Time, others ...time.Time) time.Time {
	for _, o := range others {
		if o.After(t) {
			t = o
		}
	}
	return t
}
