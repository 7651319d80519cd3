package quota

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// lease asks for n send times and takes in what comes.
func (b *Bucket) lease(ctx context.Context, n int) {
	var at []time.Time
	c, err := b.store.update(ctx, b.key, func(c Cell) Cell {
		var next Cell
		next, at = b.draw(c, n)
		return next
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cancel = nil
	switch {
	case err == nil:
		b.hear(c, false)
		b.fill(at)
	case errors.Is(err, context.Canceled): // everyone had left; who came since is asked for anew
	default:
		b.fail(err)
	}
}

// draw leases from c, and returns the send times by our clock.
func (b *Bucket) draw(c Cell, n int) (Cell, []time.Time) {
	now, own, l := b.meet(c)
	next, at := c.Lease(now, l, n)
	for i, t := range at {
		at[i] = own.Add(t.Sub(now))
	}
	return next, at
}

// fill keeps the times that no pause has overtaken.
func (b *Bucket) fill(at []time.Time) {
	b.askAt = b.askNext()
	for _, t := range at {
		if !t.Before(b.until) {
			b.times = append(b.times, t)
		}
	}
	slices.SortFunc(b.times, time.Time.Compare)
}

// askNext puts the next lease off, by a share of how far ahead of its time the
// quota has been leased: at once while there is a burst, and about half a Horizon
// if it is used up. So the broker is asked for batches; and by chance, whoever got
// how much, so that workers get equal shares. It is always before the time that
// the lease can bring.
func (b *Bucket) askNext() time.Time {
	now := b.now()
	theirs := plain(now.Add(b.ahead))
	lead := b.cell.first(theirs, b.limit).Sub(theirs)
	full := min(lead, Horizon)
	return now.Add(lead - full + full/4 + rand.N(full/2+1)) // #nosec G404 -- it spreads load, and keeps nothing secret
}

// fail tells everyone in line, and gives the broker a rest.
func (b *Bucket) fail(err error) {
	b.askAt = b.now().Add(failPause)
	for _, w := range b.line {
		w.got <- answer{err: err}
	}
	clear(b.line)
	b.line = b.line[:0]
}

// meet takes over the clock of whoever took the cell's last lease, if it is
// ahead of ours: otherwise who is late finds the next second taken, always. It returns
// the time by that clock, which is the cell's, and by ours.
func (b *Bucket) meet(c Cell) (now, own time.Time, l Limit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	own = b.now()
	b.ahead = min(max(b.ahead, c.Seen.Sub(plain(own))), Skew)
	return plain(own.Add(b.ahead)), own, b.limit
}

// hear takes in what the cell has become. Times that a pause has overtaken are
// dropped. Only an exact cell may bring the pause's end forward: a lease may
// have been written before the pause. The caller holds the lock.
func (b *Bucket) hear(c Cell, exact bool) {
	own := b.now()
	now := plain(own.Add(b.ahead))
	b.cell, b.known = c, true
	if end := own.Add(c.end(now).Sub(now)); exact || end.After(b.until) {
		b.until = end
	}
	if b.until.After(own) {
		b.times = slices.DeleteFunc(b.times, func(t time.Time) bool { return t.Before(b.until) })
	}
}
