package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/quota"
)

// gate is how long the tenant is not to be pulled from.
func (t *tenant) gate() time.Duration {
	t.paused()
	return t.pause.gate()
}

// paused takes over what the quota has heard of a 429 that another worker met.
func (t *tenant) paused() {
	for _, b := range []*quota.Bucket{t.write, t.read} {
		if until := b.Until(); !until.IsZero() {
			t.pause.throttled(until)
		}
	}
}

// permit waits until the tenant may be called. The end says that it would take
// longer than most, or that the worker stops.
func (w *Worker) permit(ctx context.Context, t *tenant, b *quota.Bucket, deliveries uint64, most time.Duration) (quota.Permit, *end) {
	if e := t.pause.wait(); e != nil {
		return quota.Permit{}, e
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.running, cancel)() // whoever stops hands back rather than waits
	p, err := b.Take(ctx, most)
	var later *quota.LaterError
	switch {
	case err == nil:
		return p, nil
	case errors.As(err, &later) && later.Throttled:
		return p, &end{events.Throttled, t.pause.throttled(later.Until), nil}
	case errors.As(err, &later):
		left := max(later.Until.Sub(w.c.Now()), 0)
		return p, &end{events.Busy, left + time.Millisecond + rand.N(left/4+time.Second), nil}
	}
	return p, &end{events.Unavailable, backoff(deliveries, retryMin, retryMax), err}
}

// throttled moves the quota for all workers after a 429, and returns how long the
// tenant pauses.
func (w *Worker) throttled(ctx context.Context, t *tenant, b *quota.Bucket, asked time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeFor)
	defer cancel()
	return t.pause.throttled(b.Throttled(ctx, asked))
}

// putOff is what a read that changes nothing and blames nobody leads to.
func (w *Worker) putOff(ctx context.Context, t *tenant, e *graph.Error, deliveries uint64) *end {
	switch e.Kind {
	case graph.Denied, graph.ApprovalRequired:
		return &end{events.Unavailable, t.pause.denied(), e}
	case graph.Throttled:
		return &end{events.Throttled, w.throttled(ctx, t, t.read, e.RetryAfter), e}
	}
	return &end{events.Unavailable, backoff(deliveries, retryMin, retryMax), e}
}
