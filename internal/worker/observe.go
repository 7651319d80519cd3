package worker

import (
	"context"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/ledger"
	"changerelay/internal/quota"
	"changerelay/internal/tracing"
)

// observe reads what Graph holds. If the device is to be told then, and may be at
// once, the same write announces that.
func (v *visit) observe(ctx context.Context, d ledger.Device) *end {
	if _, e := v.permit(ctx, v.t, v.t.read, v.wake.Deliveries, quotaWait); e != nil {
		return e
	}
	at := v.c.Now()
	r, err := v.read(ctx)
	v.c.At(Observed)
	if err != nil {
		return v.readFailed(ctx, err)
	}
	v.mended(ctx, v.t, quota.Read)
	s := ledger.Sight{At: at, Removed: items(r.Removed), Restored: items(r.Restored), Own: v.t.OwnSet}
	see := func(d ledger.Device) (ledger.Device, error) { return d.See(s, v.c.Timing), nil }
	if d, _ = see(d); d.Next(v.c.Now(), v.c.Timing) == ledger.Post && v.early(d) == nil {
		if permit, e := v.permit(ctx, v.t, v.t.write, v.wake.Deliveries, 0); e == nil {
			return v.announce(ctx, permit, see)
		}
	}
	_, err = v.doc.Update(ctx, see)
	v.c.At(Seen)
	if err != nil {
		return v.unavailable(err)
	}
	return nil
}

// read asks Graph, within its own deadline.
func (v *visit) read(ctx context.Context) (graph.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	ctx, span := tracing.Start(ctx, "graph get", tracing.Client)
	defer span.End()
	began := time.Now()
	v.reads++
	r, err := v.t.Graph.ActionResult(ctx, graph.ManagedDevice(v.addr.Device))
	v.called(ctx, v.t, "get", began, err, v.who(), "removed", len(r.Removed), "restored", len(r.Restored), "request", r.RequestID)
	span.Text("request", r.RequestID)
	return r, err
}

func items(from []graph.Item) []events.Item {
	s := make([]events.Item, len(from))
	for i, it := range from {
		s[i] = events.Item{ID: it.ID, Type: events.ItemType(it.Type)}
	}
	return s
}
