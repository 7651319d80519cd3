package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
)

// resolve finds out which device an event means whose target does not say, and
// passes it on to CHANGES: one read of Graph, the receipt that remembers the
// answer, the event, the ack.
func (w *Worker) resolve(ctx context.Context, d *stream.Delivery) {
	began := time.Now()
	a := &arrival{Delivery: d}
	ctx = w.traceResolve(ctx, a, began)
	defer func() { tracing.Current(ctx).End() }()
	var err error
	if a.event, a.ref, err = events.FromMessage(d.Subject, d.Header, d.Data, d.Time); err == nil {
		err = w.served(a.event, d.Time)
	}
	var end *end
	if err == nil {
		a.ref, end, err = w.forward(ctx, a)
	}
	var invalid *events.InvalidError
	var dead *unresolvable
	switch {
	case end != nil:
		end.after = min(end.after, findMax)
		_ = a.Nak(end.after)
		w.end(ctx, "resolve", end.outcome, began, traced([]any{"event", a.ref.String(), "ticket", a.event.Ticket, "again", end.after.Round(time.Millisecond), "err", end.err}, a.trace)...)
	case errors.As(err, &invalid):
		w.buryAll(ctx, "resolve", []burial{{a, events.Invalid, invalid}})
	case errors.As(err, &dead):
		w.buryAll(ctx, "resolve", []burial{{a, dead.outcome, dead}})
	case err == nil:
		if err = a.Ack(ctx); err == nil {
			w.c.Log.Info("resolve", traced([]any{"stage", "resolve", "event", a.ref.String(), "ticket", a.event.Ticket, "tenant", a.event.Tenant,
				"target", a.event.Target, "took", time.Since(began).Round(time.Microsecond)}, a.trace)...)
			return
		}
		fallthrough
	default:
		_ = a.Nak(backoff(a.Deliveries, retryMin, retryMax))
		w.end(ctx, "resolve", events.Unavailable, began, traced([]any{"event", a.ref.String(), "ticket", a.event.Ticket, "err", err}, a.trace)...)
	}
}

// An unresolvable event ends without a device.
type unresolvable struct {
	outcome events.Outcome
	reason  string
}

func (u *unresolvable) Error() string { return u.reason }

// errTaken is for a target whose device, or whose ticket, has another event of the
// same id.
var errTaken = &events.InvalidError{Field: "id", Reason: "the ticket, or the device that data.target leads to, has another event with this source and id; give the changed request a new id"}

// forward publishes an event of TARGETS to CHANGES, and returns the id that it
// has there. An end says that it is to be tried again.
func (w *Worker) forward(ctx context.Context, a *arrival) (events.Ref, *end, error) {
	t := w.serving.of(a.event.Tenant)
	if t == nil {
		return a.ref, nil, errUnknown
	}
	late := w.c.Now().Sub(a.Time) > w.c.MaxAge
	if !late { // what is too old ends, whatever its tenant waits for
		if e := t.enter(a.Deliveries); e != nil {
			return a.ref, e, nil
		}
		defer t.leave()
	}
	r, err := w.c.Streams.FinalAt(ctx, a.ref, a.ref.Device)
	switch {
	case err == nil && stream.SameTarget(r, a.event) != nil:
		return a.ref, nil, errTaken // a direct publisher's: Publish refuses it
	case err == nil && r.Change == "":
		return a.ref, nil, nil // it has ended before
	case err == nil:
		a.event.Device = r.Device
	case !errors.Is(err, events.ErrNotFound):
		return a.ref, nil, err
	case late:
		return a.ref, nil, &unresolvable{events.Expired, "Graph did not say within " + w.c.MaxAge.String() + " of acceptance which device it is"}
	default:
		var e *end
		if a.event.Device, e, err = w.lookUp(ctx, t, a); err != nil || e != nil {
			return a.ref, e, err
		}
	}
	to, err := w.c.Streams.Resolve(ctx, a.event, a.ref, a.Time)
	if errors.Is(err, events.ErrConflict) {
		return a.ref, nil, errTaken
	}
	return to, nil, err
}

// lookUp asks Graph which device an event means.
func (w *Worker) lookUp(ctx context.Context, t *tenant, a *arrival) (string, *end, error) {
	if _, e := w.permit(ctx, t, t.read, a.Deliveries, findWait); e != nil {
		return "", e, nil
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	ctx, span := tracing.Start(ctx, "graph find", tracing.Client)
	defer span.End()
	began := time.Now()
	id, err := t.Graph.DeviceID(ctx, route(a.event.Target, ""))
	w.called(ctx, t, "find", began, err, []any{"tenant", a.event.Tenant, "target", a.event.Target, "tickets", []string{a.event.Ticket}}, "device", id)
	if err == nil {
		w.mended(ctx, t, quota.Read)
		if _, err := events.ParseAddress(a.event.Tenant + "." + id); err != nil {
			return "", nil, &unresolvable{events.Refused, "Graph names the device by an id that is none: " + err.Error()}
		}
		return id, nil, nil
	}
	switch e := asError(err); e.Kind {
	case graph.Refused, graph.Gone:
		return "", nil, &unresolvable{events.Refused, "data.target leads to no device: " + e.Error()}
	default:
		return "", w.putOff(ctx, t, e, a.Deliveries), nil
	}
}

// enter takes one of the tenant's places for targets. The end says that the
// tenant is paused, or that all are taken.
func (t *tenant) enter(deliveries uint64) *end {
	t.paused()
	if e := t.pause.wait(); e != nil {
		return e
	}
	select {
	case t.places <- struct{}{}:
		return nil
	default:
		return &end{events.Busy, backoff(deliveries, placeMin, placeMax), nil}
	}
}

func (t *tenant) leave() { <-t.places }

// errUnknown is for an event whose tenant may be configured in a moment.
var errUnknown = errors.New("the tenant is not in the workers' configuration; it waits for a reload")

// served refuses what the workers' configuration has no tenant for, or does not
// let the tenant be asked for.
func (w *Worker) served(e events.Event, accepted time.Time) error {
	t := w.serving.of(e.Tenant)
	switch {
	case t == nil && w.c.Now().Sub(accepted) < w.c.Unknown:
		return errUnknown
	case t == nil:
		return &events.InvalidError{Field: "data.tenant", Reason: fmt.Sprintf(
			"%q is not a tenant in the workers' configuration; add it, then replay this dead letter", e.Tenant)}
	case e.RestoresAll() && !t.RestoreAll:
		return &events.InvalidError{Field: "data.changes[0].intent", Reason: fmt.Sprintf(
			"restore_all is not allowed for tenant %s; set tenants.%s.restore_all: true, then replay this dead letter", e.Tenant, e.Tenant)}
	}
	return nil
}

// route is the target in Graph's words; without one it is the device's own id.
func route(t events.Target, device string) graph.Route {
	s := t.Steps()
	switch len(s) {
	case 0:
		return graph.ManagedDevice(device)
	case 2:
		return graph.ComanagedDevice(s[1])
	}
	r := graph.RunState(graph.ScriptFamily(s[0]), s[1], s[3])
	switch {
	case len(s) == 5:
		return r
	case s[5] == "users":
		return r.User(s[6], s[8])
	}
	return r.DetectedApp(s[6], s[8])
}
