package stream

import (
	"context"
	"math/rand/v2"
	"time"
)

// pauses are the waits between tries: each about twice as long as the one
// before, and jittered so that replicas do not try in step.
type pauses struct{ n int }

func (p *pauses) first() bool { return p.n == 0 }

// wait returns an error if ctx ends first.
func (p *pauses) wait(ctx context.Context) error {
	d := min(PauseMin<<min(p.n, 10), PauseMax)
	p.n++
	return sleep(ctx, jitter(d))
}

// jitter is half to one and a half of d.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) } // #nosec G404 -- it spreads load, and keeps nothing secret

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bound gives ctx a deadline if it has none, so that a caller's oversight does
// not become a wait for ever.
func bound(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}
