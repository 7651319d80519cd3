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
			t.pause.throttled(t.class(b), until)
		}
	}
}

// class is the class of calls that a bucket of the tenant is for.
func (t *tenant) class(b *quota.Bucket) quota.Class {
	if b == t.read {
		return quota.Read
	}
	return quota.Write
}

// permit waits until the tenant may be called. The end says that it would take
// longer than most, or that the worker stops.
func (w *Worker) permit(ctx context.Context, t *tenant, b *quota.Bucket, deliveries uint64, most time.Duration) (quota.Permit, *end) {
	if t.Offline != "" {
		return quota.Permit{}, w.offline(ctx, t, deliveries)
	}
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
		return p, &end{events.Throttled, t.pause.throttled(t.class(b), later.Until), nil}
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
	after := t.pause.throttled(t.class(b), b.Throttled(ctx, asked))
	w.measureTenant(t) // a short pause may be over when all are measured
	return after
}

// denied pauses the tenant and lets people know what its events wait for.
func (w *Worker) denied(ctx context.Context, t *tenant, c quota.Class, e *graph.Error) time.Duration {
	after, begun := t.pause.denied(c)
	if begun {
		w.measureTenant(t)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeFor)
		defer cancel()
		n := quota.Notice{Until: w.c.Now().Add(after), Why: "Graph or Entra turns the tenant's application down: " + e.Error()}
		if err := w.c.Quota.Post(ctx, t.key, n); err != nil {
			w.c.Log.Warn("telling what the tenant waits for", "tenant", t.name, "err", err)
		}
	}
	return after
}

// troubled lets people know what the tenant's events wait for when Graph or Entra
// does not answer.
func (w *Worker) troubled(ctx context.Context, t *tenant, c quota.Class, e *graph.Error, after time.Duration) {
	if !t.pause.trouble(c, e.Error()) {
		return
	}
	n := quota.Notice{Until: w.c.Now().Add(max(after, noticeEvery)), Why: "Graph or Entra could not be asked: " + e.Error()}
	if err := w.c.Quota.Post(ctx, t.key, n); err != nil && ctx.Err() == nil {
		w.c.Log.Warn("telling what the tenant waits for", "tenant", t.name, "err", err)
	}
}

// offline puts back what is for a tenant that cannot be called, and lets people
// know. Old events expire all the same.
func (w *Worker) offline(ctx context.Context, t *tenant, deliveries uint64) *end {
	if t.pause.trouble(quota.Write, t.Offline) {
		n := quota.Notice{Until: w.c.Now().Add(retryMax + noticeEvery), Why: t.Offline}
		if err := w.c.Quota.Post(ctx, t.key, n); err != nil && ctx.Err() == nil {
			w.c.Log.Warn("telling what the tenant waits for", "tenant", t.name, "err", err)
		}
	}
	return &end{events.Unavailable, backoff(deliveries, retryMin, retryMax), errors.New(t.Offline)}
}

// mended is called after a success.
func (w *Worker) mended(ctx context.Context, t *tenant, c quota.Class) {
	if t.pause.over(c) {
		w.unnotice(ctx, t)
	}
}

// unnotice takes back what people were told that the tenant's events wait for.
func (w *Worker) unnotice(ctx context.Context, t *tenant) {
	if err := w.c.Quota.Post(ctx, t.key, quota.Notice{}); err != nil {
		w.c.Log.Warn("telling that the tenant is called again", "tenant", t.name, "err", err)
	}
}

// putOff is what a read that changes nothing and blames nobody leads to.
func (w *Worker) putOff(ctx context.Context, t *tenant, e *graph.Error, deliveries uint64) *end {
	switch e.Kind {
	case graph.Denied, graph.ApprovalRequired:
		return &end{events.Unavailable, w.denied(ctx, t, quota.Read, e), e}
	case graph.Throttled:
		return &end{events.Throttled, w.throttled(ctx, t, t.read, e.RetryAfter), e}
	}
	after := backoff(deliveries, retryMin, retryMax)
	w.troubled(ctx, t, quota.Read, e, after)
	return &end{events.Unavailable, after, e}
}
