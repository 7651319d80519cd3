package quota

import (
	"context"
	"slices"
	"time"
)

// A waiter is one call of Take.
type waiter struct {
	most time.Time   // it waits no longer
	got  chan answer // of one
}

type answer struct {
	permit Permit
	err    error
}

// join enters the line, and sees to it that the line is served.
func (b *Bucket) join(most time.Duration) *waiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &waiter{b.now().Add(most), make(chan answer, 1)}
	b.line = append(b.line, w)
	b.step()
	switch {
	case len(b.line) == 0:
	case b.serving:
		b.wake()
	default:
		b.serving = true
		go b.serve()
	}
	return w
}

// leave ends a waiter that nobody listens to. What it was given is kept.
func (b *Bucket) leave(w *waiter) {
	b.mu.Lock()
	i := slices.Index(b.line, w)
	if i >= 0 {
		b.line = slices.Delete(b.line, i, i+1)
		if len(b.line) == 0 && b.cancel != nil {
			b.cancel() // nobody wants the answer
		}
		b.wake()
	}
	b.mu.Unlock()
	if i < 0 {
		if a := <-w.got; a.err == nil {
			b.Back(a.permit)
		}
	}
}

func (b *Bucket) wake() {
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// serve runs while there is a line. It alone asks for leases.
func (b *Bucket) serve() {
	for {
		b.mu.Lock()
		n, wait := b.step()
		if len(b.line) == 0 {
			b.serving = false
			b.mu.Unlock()
			return
		}
		if n == 0 {
			b.mu.Unlock()
			b.sleep(wait)
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), askFor)
		b.cancel = cancel
		b.mu.Unlock()
		b.lease(ctx, n)
		cancel()
	}
}

func (b *Bucket) sleep(d time.Duration) {
	end, stop := b.timer(d)
	defer stop()
	select {
	case <-end:
	case <-b.kick:
	}
}

// step hands out what is due and turns away who cannot wait so long. For those
// who remain it returns how many send times to ask for now, or how long to wait.
func (b *Bucket) step() (ask int, wait time.Duration) {
	now := b.now()
	b.times = slices.DeleteFunc(b.times, func(t time.Time) bool { return now.Sub(t) > Valid })
	b.give(now)
	b.turnAway(now)
	n := len(b.line) - len(b.times)
	switch {
	case len(b.line) == 0:
		return 0, 0
	case n <= 0:
		return 0, b.times[0].Sub(now)
	case !b.askAt.After(now):
		return n, 0
	case len(b.times) > 0 && b.times[0].Before(b.askAt):
		return 0, b.times[0].Sub(now)
	}
	return 0, b.askAt.Sub(now)
}

// give serves the line with the times that have come.
func (b *Bucket) give(now time.Time) {
	n := 0
	for n < min(len(b.line), len(b.times)) && !b.times[n].After(now) {
		b.line[n].got <- answer{permit: Permit{b.times[n]}}
		n++
	}
	b.line, b.times = slices.Delete(b.line, 0, n), slices.Delete(b.times, 0, n)
}

// turnAway answers those whose turn comes too late for them. Whoever is behind
// them moves up.
func (b *Bucket) turnAway(now time.Time) {
	o, place := b.outlook(now), 0
	b.line = slices.DeleteFunc(b.line, func(w *waiter) bool {
		t := o.turn(place)
		if !t.After(now) || !t.After(w.most) {
			place++
			return false
		}
		w.got <- answer{err: &LaterError{t, b.until.After(now)}}
		return true
	})
}

// An outlook is when the line will be served: by what is leased, and then at the
// earliest that the cell, as last heard of, and the broker allow.
type outlook struct {
	leased []time.Time
	least  time.Time     // after what is leased
	paid   time.Time     // of the first after what is leased, by the rate
	gap    time.Duration // to each further one
}

func (b *Bucket) outlook(now time.Time) outlook {
	o := outlook{leased: b.times, least: latest(now, b.until, b.askAt), gap: b.limit.gap(1)}
	if b.known {
		theirs := plain(now.Add(b.ahead))
		o.paid = now.Add(latest(b.cell.first(theirs, b.limit), b.cell.paid(theirs, b.limit)).Add(-b.limit.slack()).Sub(theirs))
	}
	return o
}

func (o outlook) turn(place int) time.Time {
	if place < len(o.leased) {
		return o.leased[place]
	}
	return latest(o.least, o.paid.Add(time.Duration(place-len(o.leased))*o.gap))
}
