package worker

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
)

func TestTheSecondTicketsCallCarriesBoth(t *testing.T) {
	r := newRig(t)
	r.work()
	r.outcome(r.publish(remove(app(1))...), events.Accepted)
	got := r.outcome(r.publish(remove(app(2))...), events.Accepted)
	r.held(device, app(1), app(2))
	if len(got.Requests) != 1 || got.Attempts != 1 || got.Ticket == "" || got.Accepted.IsZero() {
		t.Errorf("the receipt does not say how: %+v", got)
	}
	r.outcome(r.publish(restore(app(1))...), events.Accepted)
	r.held(device, app(2))
	r.outcome(r.publish(restore(app(2))...), events.Accepted)
	r.held(device)
	r.posts(device).sound(t)
}

func TestAThousandEventsAreAHandfulOfCalls(t *testing.T) {
	r := newRig(t)
	var last events.Event
	for i := range 1000 {
		last = r.publish(events.Change{Intent: []events.Intent{events.Remove, events.Restore}[i/8%2], Item: app(i % 8)})
	}
	const pace = 500 * time.Millisecond
	began := time.Now()
	r.work(func(c *Config) { c.MaxAge, c.Pace = time.Hour, pace })
	r.outcome(last, events.Accepted)
	await.State(t, "all events to be folded", r.folded)
	r.settled(device)
	r.held(device, app(0), app(1), app(2), app(3), app(4), app(5), app(6), app(7))
	if n, most := len(r.posts(device)), max(10, 2+int(time.Since(began)/pace)); n > most { // a slow machine folds for longer
		t.Errorf("%d calls, want at most %d\n%v", n, most, r.posts(device))
	}
	r.posts(device).sound(t)
}

func TestEveryOutcome(t *testing.T) {
	bad := func(status int, code string) func(*rig) {
		return func(r *rig) { r.sim.Fail(graphsim.Fault{Op: "post", Status: status, Code: code, Times: -1}) }
	}
	once := func(f graphsim.Fault) func(*rig) { return func(r *rig) { r.sim.Fail(f) } }
	for _, c := range []struct {
		name   string
		before func(*rig)
		want   events.Outcome
		logs   events.Outcome // seen on the way
		held   []events.Item
	}{
		{"accepted", nil, events.Accepted, "", []events.Item{app(1)}},
		{"unchanged", func(r *rig) { r.sim.PortalRemove(entraTenant, device, simItems(app(1))...) }, events.Unchanged, "", []events.Item{app(1)}},
		{"refused", bad(400, "BadRequest"), events.Refused, "", nil},
		{"gone", func(r *rig) { r.sim.DeleteDevice(entraTenant, device) }, events.Refused, "", nil},
		{"approval", bad(403, "ApprovalRequired"), events.ApprovalRequired, "", nil},
		{"expired", once(graphsim.Fault{Op: "get", Status: 503, Times: -1}), events.Expired, events.Unavailable, nil},
		{"throttled", once(graphsim.Fault{Op: "post", Status: 429, Header: http.Header{"Retry-After": {"1"}}}), events.Accepted, events.Throttled, []events.Item{app(1)}},
		{"throttled but applied", once(graphsim.Fault{Op: "post", Status: 429, Point: graphsim.AfterApply, Header: http.Header{"Retry-After": {"1"}}}), events.Accepted, events.Throttled, []events.Item{app(1)}},
		{"unavailable", once(graphsim.Fault{Op: "token", Status: 503}), events.Accepted, events.Unavailable, []events.Item{app(1)}},
		{"in doubt, not applied", once(graphsim.Fault{Op: "post", Reset: true}), events.Accepted, events.InDoubt, []events.Item{app(1)}},
		{"in doubt, applied", once(graphsim.Fault{Op: "post", Status: 504, Point: graphsim.AfterApply}), events.Accepted, events.InDoubt, []events.Item{app(1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			if c.before != nil {
				c.before(r)
			}
			r.work(func(w *Config) {
				if c.want == events.Expired {
					w.MaxAge = 300 * time.Millisecond
				}
			})
			e := r.publish(remove(app(1))...)
			got := r.outcome(e, c.want)
			r.settled(device)
			r.held(device, c.held...)
			r.posts(device).sound(t)
			if c.logs != "" && !strings.Contains(r.log.String(), fmt.Sprintf(`"outcome":%q`, c.logs)) {
				t.Errorf("no %s on the way:\n%s", c.logs, r.log)
			}
			if c.want.Dead() {
				r.dead(e, c.want, got.Reason)
			}
			if strings.Contains(r.log.String(), secret) {
				t.Error("the secret is in the log")
			}
		})
	}
}

// dead wants the event's dead letter, with its bytes.
func (r *rig) dead(e events.Event, o events.Outcome, reason string) {
	r.t.Helper()
	ls, err := r.s.Letters(context.Background(), "", 0, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, l := range ls {
		if l.Ref == e.Ref() && l.Outcome == o && string(l.Data) == string(e.Encode()) && reason != "" && l.Reason == reason {
			return
		}
	}
	r.t.Fatalf("no dead letter of %s with its bytes and its reason %q: %+v", e.ID, reason, ls)
}

// A device whose document is full waits by itself, and every event has one line
// and one count at its end.
func TestAFullDocumentHoldsNobodyElseUp(t *testing.T) {
	r := newRig(t)
	const other = "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d12"
	r.sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secret},
		graphsim.Device{ID: device, Platform: "iOS"}, graphsim.Device{ID: other, Platform: "iOS"})
	heal := r.sim.Fail(graphsim.Fault{Op: "get", Device: device, Status: 503, Times: -1})
	var es []events.Event
	for i := range 700 {
		es = append(es, r.publish(events.Change{Intent: events.Remove, Item: app(i % 8)}))
	}
	r.work()
	await.State(t, "the document to be full", func() bool { return strings.Contains(r.log.String(), `"outcome":"busy"`) })
	r.outcome(r.publishTo(other, remove(app(1))...), events.Accepted)
	heal()
	await.State(t, "all events to be folded", r.folded)
	r.settled(device)
	for _, e := range es {
		line := fmt.Sprintf(`"event":%q`, e.Ref())
		n := 0
		for l := range strings.Lines(r.log.String()) {
			if strings.Contains(l, `"stage":"reconcile"`) && strings.Contains(l, line) {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%d lines say how %s ended", n, e.ID)
		}
	}
}

// The worker died after the ack and before it made the tenant's first consumer.
func TestAWakeUpWithoutAConsumerIsFound(t *testing.T) {
	r := newRig(t)
	e := r.publish(remove(app(1))...)
	m, err := r.s.Change(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ledger.Update(t.Context(), e.Address(), func(d ledger.Device) (ledger.Device, error) {
		return d.Fold(ledger.NewEntry(e, e.Ref(), m.Sequence, m.Time)), nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.s.Wake(t.Context(), e.Address()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	_ = r.s.Folds(ctx, 10, 1, func(ctx context.Context, ds []*stream.Delivery) {
		for _, d := range ds {
			_ = d.Ack(ctx)
		}
		stop()
	})
	r.work()
	r.outcome(e, events.Accepted)
}

func TestATwinUnderAnotherTicketIsInvalid(t *testing.T) {
	r := newRig(t)
	r.work()
	e := r.publish(remove(app(1))...)
	r.outcome(e, events.Accepted)
	twin := e
	twin.Ticket, twin.Changes = "CHG9999999", restore(app(1))
	r.raw(twin.Subject(), twin.Encode())
	r.outcome(twin, events.Invalid)
	r.settled(device)
	r.held(device, app(1))
}

func TestSupersededOnlyWhenTheWinnerIsTold(t *testing.T) {
	r := newRig(t)
	old := r.event(device, remove(app(1))...)
	r.outcomeAfterPublish(r.publish(restore(app(1))...), old)
	r.work()
	r.outcome(old, events.Superseded)
	r.settled(device)
	r.held(device)
}

// outcomeAfterPublish publishes an older event after a newer one.
func (r *rig) outcomeAfterPublish(newer, older events.Event) {
	r.t.Helper()
	if newer.Time.Before(older.Time) {
		r.t.Fatal("the test's events are the wrong way round")
	}
	if _, err := r.s.Publish(context.Background(), older); err != nil {
		r.t.Fatal(err)
	}
}

func TestAPoisonedEventHoldsNobodyHostage(t *testing.T) {
	r := newRig(t)
	r.sim.DeleteItem(entraTenant, app(9).ID)
	good := r.publish(remove(app(1))...)
	poison := r.publish(remove(app(9), app(2))...)
	other := r.publish(remove(app(3))...)
	r.work()
	r.outcome(good, events.Accepted)
	r.outcome(other, events.Accepted)
	r.dead(poison, events.Refused, r.outcome(poison, events.Refused).Reason)
	r.settled(device)
	r.held(device, app(1), app(3))
}

func TestAnAppDeletedInIntunePoisonsNobody(t *testing.T) {
	r := newRig(t)
	r.work()
	r.outcome(r.publish(remove(app(1), app(2))...), events.Accepted)
	r.sim.DeleteItem(entraTenant, app(1).ID)
	r.outcome(r.publish(remove(app(3))...), events.Accepted)
	r.settled(device)
	r.held(device, app(2), app(3))
}

func TestALostPermissionBlamesNobody(t *testing.T) {
	r := newRig(t)
	heal := r.sim.Fail(graphsim.Fault{Op: "get", Status: 403, Code: "Forbidden", Times: -1})
	r.work()
	e := r.publish(remove(app(1))...)
	await.State(t, "the tenant to pause", func() bool { return strings.Contains(r.log.String(), `"outcome":"unavailable"`) })
	heal()
	if got, err := r.s.Find(context.Background(), e.Ref()); err != nil || got.Outcome != "" {
		t.Fatalf("the event ended %q, %v", got.Outcome, err)
	}
	if ls, err := r.s.Letters(context.Background(), "", 0, 10); err != nil || len(ls) > 0 {
		t.Fatalf("dead letters %v, %v", ls, err)
	}
}

func TestInvalidFromADirectPublisher(t *testing.T) {
	r := newRig(t)
	r.work()
	e := r.event(device, remove(app(1))...)
	lies := e
	lies.Device = "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d12"
	r.raw(e.Subject(), lies.Encode())
	got := r.outcome(e, events.Invalid)
	if !strings.Contains(got.Reason, "device") {
		t.Errorf("the reason does not name the device: %q", got.Reason)
	}
	r.raw("changes.v1.rubbish", []byte("{"))
	stranger := r.event(device, remove(app(1))...)
	stranger.Tenant = "other"
	r.raw(stranger.Subject(), stranger.Encode())
	r.outcome(stranger, events.Invalid)
	var ls []stream.DeadLetter
	await.State(t, "three dead letters", func() bool {
		var err error
		ls, err = r.s.Letters(context.Background(), "", 0, 10)
		return err == nil && len(ls) == 3
	})
	for _, l := range ls {
		if l.Outcome != events.Invalid || l.Reason == "" || len(l.Data) == 0 {
			t.Errorf("dead letter %+v", l)
		}
	}
}

func TestAPortalRemovalSurvivesSteadyEvents(t *testing.T) {
	r := newRig(t)
	r.work()
	r.outcome(r.publish(remove(app(1))...), events.Accepted)
	r.sim.PortalRemove(entraTenant, device, simItems(app(7))...)
	known := time.Now().Add(short.Fresh + short.Lag + short.Skew)
	for i := 0; time.Now().Before(known.Add(2 * short.Fresh)); i++ { // an event each half Fresh
		e := r.publish(events.Change{Intent: []events.Intent{events.Restore, events.Remove}[i%2], Item: app(2)})
		r.outcome(e, events.Accepted)
		if len(r.sim.Held(entraTenant, device)) == 0 {
			t.Fatal("Graph holds nothing")
		}
		if !holds(r, app(7)) && time.Now().Before(known) {
			r.sim.PortalRemove(entraTenant, device, simItems(app(7))...) // overwritten while it could not be known: the admin does it again
			known = time.Now().Add(short.Fresh + short.Lag + short.Skew)
		}
		<-time.After(short.Fresh / 4)
	}
	if !holds(r, app(7)) || !holds(r, app(1)) {
		t.Fatalf("the admin's removal is undone:\n%v", r.posts(device))
	}
}

func holds(r *rig, it events.Item) bool {
	for _, h := range r.sim.Held(entraTenant, device) {
		if h.ID == it.ID {
			return true
		}
	}
	return false
}

func TestALateCallIsUndone(t *testing.T) {
	r := newRig(t)
	r.sim.Fail(graphsim.Fault{Op: "post", Late: 200 * time.Millisecond})
	r.work()
	r.outcome(r.publish(remove(app(1))...), events.Accepted)
	r.outcome(r.publish(restore(app(1))...), events.Accepted)
	r.settled(device)
	r.held(device)
}

func (r *rig) raw(subject string, data []byte) {
	r.t.Helper()
	js, err := jetstream.New(natstest.Connect(r.t, r.url))
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := js.Publish(context.Background(), subject, data); err != nil {
		r.t.Fatal(err)
	}
}

func TestEventsExpireWhileTheirTenantIsPaused(t *testing.T) {
	now := time.Now()
	p := newPause(func() time.Time { return now })
	if p.gate() != 0 || p.wait() != nil {
		t.Fatal("paused from the start")
	}
	p.throttled(quota.Write, now.Add(5*time.Minute))
	if got := p.gate(); got != gateFor {
		t.Errorf("not pulled from for %v", got)
	}
	now = now.Add(gateFor)
	if got := p.gate(); got != 0 {
		t.Errorf("not looked at for expiry for another %v", got)
	}
	if e := p.wait(); e == nil || e.after != 4*time.Minute || e.outcome != events.Throttled {
		t.Errorf("a device is put back as %+v", e)
	}
	now = now.Add(4 * time.Minute)
	if p.wait() != nil {
		t.Error("paused after the end")
	}

	r := newRig(t)
	r.sim.Fail(graphsim.Fault{Op: "get", Status: 429, Header: http.Header{"Retry-After": {"1"}}, Times: -1})
	r.work(func(c *Config) { c.MaxAge = 500 * time.Millisecond })
	r.outcome(r.publish(remove(app(1))...), events.Expired)
}

// A burst that comes while the worker runs, and while Graph answers at once.
func TestABurstIsPaced(t *testing.T) {
	r := newRig(t)
	r.work(func(c *Config) { c.Pace = 300 * time.Millisecond })
	began := time.Now()
	for i := range 300 {
		r.publish(events.Change{Intent: events.Remove, Item: app(i % 8)})
	}
	await.State(t, "all events to be folded", r.folded)
	r.settled(device)
	r.held(device, app(0), app(1), app(2), app(3), app(4), app(5), app(6), app(7))
	r.finals(300)
	if n, most := len(r.posts(device)), 2+int(time.Since(began)/(300*time.Millisecond)); n > most {
		t.Errorf("%d calls in %v, want at most %d\n%v", n, time.Since(began), most, r.posts(device))
	}
}
