package worker

import (
	"context"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ledger"
	"changerelay/internal/stream"
)

// foldByHand folds an event and acks it, as a worker would that dies before it
// wakes anybody.
func (r *rig) foldByHand(e events.Event) *ledger.Held {
	r.t.Helper()
	m, err := r.s.Change(r.t.Context(), uint64(r.n))
	if err != nil {
		r.t.Fatal(err)
	}
	h := r.ledger.Hold(e.Address())
	r.writeByHand(h, func(d ledger.Device) ledger.Device { return d.Fold(ledger.NewEntry(e, e.Ref(), m.Sequence, m.Time)) })
	ctx, stop := context.WithCancel(r.t.Context())
	_ = r.s.Folds(ctx, 1, 1, func(ctx context.Context, ds []*stream.Delivery) {
		if err := ds[0].Ack(ctx); err != nil {
			r.t.Error(err)
		}
		stop()
	})
	return h
}

func (r *rig) wakeWith(e events.Event, copied []byte) {
	r.t.Helper()
	if len(copied) == 0 {
		r.t.Fatal("there is no copy")
	}
	if err := r.s.WakeWith(r.t.Context(), e.Address(), copied); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) writeByHand(h *ledger.Held, f func(ledger.Device) ledger.Device) {
	r.t.Helper()
	if _, err := h.Update(r.t.Context(), func(d ledger.Device) (ledger.Device, error) { return f(d), nil }); err != nil {
		r.t.Fatal(err)
	}
}

// The wake-up's copy has an event untold that Graph was told meanwhile: nothing is
// told again.
func TestLaw01AnOldCopyTellsNothing(t *testing.T) {
	r := newRig(t)
	e := r.publish(remove(app(1))...)
	old := r.foldByHand(e).Copy()
	r.work()
	r.wakeWith(e, old)
	r.outcome(e, events.Accepted)
	r.settled(device)
	r.wakeWith(e, old)
	r.settled(device)
	if posts := r.posts(device); len(posts) != 1 {
		t.Errorf("the device is told again:\n%v", posts)
	}
}

// The copy has a call in flight, which the document has no more: nobody waits.
func TestAnOldCopyKeepsNobodyWaiting(t *testing.T) {
	r := newRig(t)
	e := r.publish(remove(app(1))...)
	h := r.foldByHand(e)
	r.writeByHand(h, func(d ledger.Device) ledger.Device {
		return d.See(ledger.Sight{At: time.Now()}, patient).Begin("dead", time.Now(), patient)
	})
	old := h.Copy()
	r.writeByHand(h, func(d ledger.Device) ledger.Device { d, _ = d.Released("dead"); return d })
	r.wakeWith(e, old)
	r.work(func(c *Config) { c.Timing = patient })
	r.outcome(e, events.Accepted)
	if log := r.log.String(); strings.Contains(log, `"outcome":"busy"`) {
		t.Errorf("the device was put back:\n%s", log)
	}
}
