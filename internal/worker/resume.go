package worker

import (
	"context"
	"time"

	"changerelay/internal/events"
)

// resume obeys people's word that a tenant is mended: at its first sight every
// worker ends its own pause, and at the next one of them wakes the tenant's
// devices. Sooner, another worker would put them back again.
func (w *Worker) resume(ctx context.Context) {
	seen := map[string]time.Time{} // by application
	every(ctx, resumeEvery, func() {
		rs, err := w.c.Quota.Resumptions(ctx)
		if err != nil {
			return // readiness says so
		}
		for _, t := range w.serving.all() {
			app := t.key.App()
			r, ok := rs[app]
			switch {
			case !ok:
			case !seen[app].Equal(r.At):
				defer func() { seen[app] = r.At }() // the application's other tenants are to see it, too
				w.resumed(t, r.At)
			case !r.Woken:
				w.rouse(ctx, app, r.At)
			}
		}
	})
}

// resumed ends the tenant's pause. A permission shows in a new token only.
func (w *Worker) resumed(t *tenant, at time.Time) {
	w.anew(t, t.denied.Load())
	if t.pause.resume() {
		w.c.Log.Info("the tenant is called again, because a person says so", "tenant", t.name, "at", at)
	}
}

// rouse wakes the devices of the application's tenants, unless another worker
// does.
func (w *Worker) rouse(ctx context.Context, app string, at time.Time) {
	if mine, err := w.c.Quota.Waking(ctx, app, at); !mine {
		if err != nil {
			w.c.Log.Warn("resuming a tenant; it is tried again", "err", err)
		}
		return
	}
	tenants := map[string]bool{}
	for _, t := range w.serving.all() {
		if t.key.App() == app {
			tenants[t.name] = true
			w.unnotice(ctx, t)
		}
	}
	w.wake(ctx, tenants)
}

// wake wakes the tenants' devices that were put back. More than resumesMost would
// wait for the quota longer than for their pause.
func (w *Worker) wake(ctx context.Context, tenants map[string]bool) {
	awake, err := w.c.Streams.Awake(ctx)
	var due []events.Address
	for a := range awake {
		if tenants[a.Tenant] && len(due) < resumesMost {
			due = append(due, a)
		}
	}
	if err == nil {
		err = w.c.Streams.WakeAll(ctx, due)
	}
	if err != nil {
		w.c.Log.Warn("waking the devices of a tenant that can be called again; they are looked at later", "err", err)
	}
}
