package relay

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
)

const phone = "6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11"

// A desk is a broker as ingest has it, over a real one.
type desk struct {
	*broker
	t      *testing.T
	server *natstest.Broker
	nc     *nats.Conn
}

func newDesk(t *testing.T, p Parts) *desk {
	t.Helper()
	d := &desk{t: t, server: natstest.Server(t)}
	d.nc = natstest.Connect(t, d.server.URL())
	s, err := stream.Open(t.Context(), d.nc, stream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d.broker, err = p.broker(d.nc); err != nil {
		t.Fatal(err)
	}
	d.streams.Store(s)
	return d
}

// ledgers opens the ledger as a worker does.
func (d *desk) ledgers() *ledger.Store {
	d.t.Helper()
	js, err := jetstream.New(d.nc)
	if err != nil {
		d.t.Fatal(err)
	}
	l, err := ledger.Open(d.t.Context(), js, 1)
	if err != nil {
		d.t.Fatal(err)
	}
	return l
}

// accepted publishes an event of the ticket, and is its receipt without its fate.
func (d *desk) accepted(id, tenant string, change ...func(*events.Event)) events.Event {
	d.t.Helper()
	e := events.Event{ID: id, Source: "/desk", Ticket: "CHG0031337", Tenant: tenant, Device: phone, Time: time.Now(),
		Changes: []events.Change{{Intent: events.Remove, Item: events.Item{ID: "a" + id, Type: events.Application}}}}
	for _, f := range change {
		f(&e)
	}
	e, err := events.New(e, time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.Publish(d.t.Context(), e); err != nil {
		d.t.Fatal(err)
	}
	return e
}

// wants checks an event's state, its end and part of its reason.
func (d *desk) wants(e events.Event, state events.State, until time.Time, reason string) events.Receipt {
	d.t.Helper()
	r, err := d.Find(d.t.Context(), e.Ref())
	if err != nil || r.State != state || !r.Until.Equal(until) || !strings.Contains(r.Reason, reason) || (reason == "") != (r.Reason == "") {
		d.t.Errorf("found %s until %v because %q, %v; want %s until %v because %q", r.State, r.Until, r.Reason, err, state, until, reason)
	}
	if r.ID != e.Ref().String() || r.Ticket != e.Ticket || r.Accepted.IsZero() {
		d.t.Errorf("the receipt is %+v", r)
	}
	return r
}

// An event's whole way, from the stream through the document to its outcome.
func TestFindSaysHowFar(t *testing.T) {
	d := newDesk(t, Parts{})
	if _, err := d.Find(t.Context(), events.Ref{Address: events.Address{Tenant: "acme", Device: phone}, Key: events.Key("/desk", "0")}); !errors.Is(err, events.ErrNotFound) {
		t.Errorf("an unknown event: %v", err)
	}
	e := d.accepted("1", "acme")
	d.wants(e, events.Queued, time.Time{}, "no worker has run")

	l := d.ledgers()
	d.wants(e, events.Queued, time.Time{}, "")
	now := time.Now()
	update := func(f func(ledger.Device) ledger.Device) {
		t.Helper()
		if _, err := l.Update(t.Context(), e.Address(), func(d ledger.Device) (ledger.Device, error) { return f(d), nil }); err != nil {
			t.Fatal(err)
		}
	}
	update(func(d ledger.Device) ledger.Device { return d.Fold(ledger.NewEntry(e, e.Ref(), 1, now)) })
	d.wants(e, events.Folded, time.Time{}, "")
	update(func(d ledger.Device) ledger.Device {
		return d.See(ledger.Sight{At: now}, ledger.DefaultTiming).Begin("x", now, ledger.DefaultTiming)
	})
	if r := d.wants(e, events.Called, time.Time{}, ""); !r.Since.Equal(now) {
		t.Errorf("called since %v, want %v", r.Since, now)
	}
	other := d.accepted("2", "acme")
	update(func(d ledger.Device) ledger.Device { return d.Fold(ledger.NewEntry(other, other.Ref(), 2, now)) })
	d.wants(other, events.Waiting, now.Add(65*time.Second), "another call for the device is under way")

	update(func(d ledger.Device) ledger.Device { return must(t)(d.Accepted("x", "rq", now)) })
	d.wants(e, events.Waiting, time.Time{}, "it has ended as accepted, which is being reported")
	r := events.Receipt{ID: e.Ref().String(), Ticket: e.Ticket, Tenant: e.Tenant, Device: e.Device, Outcome: events.Accepted, Accepted: now}
	if err := d.streams.Load().Report(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	d.wants(e, events.Final, time.Time{}, "")
	update(func(d ledger.Device) ledger.Device { return d.Reported(e.Ref().Key) })
	d.wants(e, events.Final, time.Time{}, "")

	// What was looked up before it ended, and then is not in the document any more.
	late, err := d.place(t.Context(), d.streams.Load(), events.Receipt{ID: e.Ref().String(), State: events.Queued, Changes: e.Changes})
	if err != nil || late.State != events.Final || late.Outcome != events.Accepted {
		t.Errorf("it is %+v, %v", late, err)
	}

	found, total, err := d.FindTicket(t.Context(), e.Ticket, []string{"acme"})
	if err != nil || total != 2 || len(found) != 2 || found[0].State != events.Final || found[1].State != events.Folded {
		t.Errorf("the ticket has %+v, %d, %v", found, total, err)
	}
}

func must(t *testing.T) func(ledger.Device, error) ledger.Device {
	return func(d ledger.Device, err error) ledger.Device {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
}

// acmes are the quotas of two tenants.
var acmes = map[string]Quota{
	"acme":   {TenantID: "acme.example", ClientID: "2b222222-2222-3333-4444-555555555555", Write: quota.Limit{Rate: 1, Burst: 1}},
	"globex": {TenantID: "globex.example", ClientID: "2b222222-2222-3333-4444-555555555555", Write: quota.Limit{Rate: 1, Burst: 1}},
}

func acmeWrites() quota.Key {
	return quota.Key{TenantID: acmes["acme"].TenantID, ClientID: acmes["acme"].ClientID, Class: quota.Write}
}

// quotas opens the quotas as a worker does.
func (d *desk) openQuotas() *quota.Store {
	d.t.Helper()
	js, err := jetstream.New(d.nc)
	if err != nil {
		d.t.Fatal(err)
	}
	q, err := quota.Open(d.t.Context(), js, 1)
	if err != nil {
		d.t.Fatal(err)
	}
	return q
}

// What a tenant waits for: the newest notice, a 429, or its turn.
func TestGate(t *testing.T) {
	d := newDesk(t, Parts{Quotas: acmes})
	now := time.Now()
	shut := func(at time.Time, why string, after time.Duration) {
		t.Helper()
		until, got := d.gate.shut(t.Context(), "acme", at)
		if got != why || (why == "") != until.IsZero() || until.Sub(at) > after {
			t.Errorf("until %v (in %v), %q, want %q", until, until.Sub(at), got, why)
		}
	}
	shut(now, "", 0) // nobody has made the quotas yet
	q := d.openQuotas()
	shut(now, "", 0)
	b := q.Bucket(acmeWrites(), acmes["acme"].Write, time.Now)
	if _, err := b.Take(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	shut(time.Now(), "the tenant's quota of 1 changes a second is used up", 2*time.Second)
	b.Throttled(t.Context(), 40*time.Second)
	shut(time.Now(), "Graph has throttled the tenant (429)", 41*time.Second)
	if err := q.Post(t.Context(), acmeWrites(), quota.Notice{Until: now.Add(50 * time.Second), Why: "a permission is lost"}); err != nil {
		t.Fatal(err)
	}
	shut(time.Now(), "a permission is lost", 50*time.Second)
	shut(now.Add(time.Hour), "", 0)
	if until, why := d.gate.shut(t.Context(), "globex", now); !until.IsZero() {
		t.Errorf("globex waits: %s", why)
	}
}

// A tenant's pause is why an event waits, if a request to Graph is what comes next
// and nothing else takes longer.
func TestFindAsksTheGate(t *testing.T) {
	now := time.Now()
	const why = "Graph has said no to the tenant"
	shut := quota.Notice{Until: now.Add(40 * time.Second).Truncate(time.Second), Why: why}
	d := newDesk(t, Parts{Quotas: acmes})
	l := d.ledgers()
	if err := d.openQuotas().Post(t.Context(), acmeWrites(), shut); err != nil {
		t.Fatal(err)
	}
	e, other := d.accepted("1", "acme"), d.accepted("1", "globex")
	target := d.accepted("3", "acme", func(e *events.Event) {
		e.Device, e.Target = "", "deviceHealthScripts/8f1a/deviceRunStates/1/managedDevice"
	})
	d.wants(e, events.Queued, time.Time{}, "")
	d.wants(target, events.Waiting, shut.Until, why)
	for _, e := range []events.Event{e, other} {
		if _, err := l.Update(t.Context(), e.Address(), func(d ledger.Device) (ledger.Device, error) {
			return d.Fold(ledger.NewEntry(e, e.Ref(), 1, now)), nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	d.wants(e, events.Waiting, shut.Until, why)
	d.wants(other, events.Folded, time.Time{}, "")
	for _, step := range []struct {
		f      func(ledger.Device) (ledger.Device, error)
		state  events.State
		until  time.Time
		reason string
	}{
		{func(d ledger.Device) (ledger.Device, error) {
			return d.See(ledger.Sight{At: now}, ledger.DefaultTiming).Begin("x", now, ledger.DefaultTiming), nil
		}, events.Called, time.Time{}, ""},
		{func(d ledger.Device) (ledger.Device, error) { return d.InDoubt("x", now, ledger.DefaultTiming) }, events.Waiting, shut.Until, why},
		{func(d ledger.Device) (ledger.Device, error) {
			return d.InDoubt("x", now.Add(20*time.Second), ledger.DefaultTiming) // changes nothing: it was known before
		}, events.Waiting, shut.Until, why},
		{func(d ledger.Device) (ledger.Device, error) { return d.Accepted("x", "rq", now) }, events.Waiting, time.Time{}, "it has ended"},
	} {
		if _, err := l.Update(t.Context(), e.Address(), step.f); err != nil {
			t.Fatal(err)
		}
		d.wants(e, step.state, step.until, step.reason)
	}
}

// Without the ledger, what the streams know is still told.
func TestFindWithoutADocument(t *testing.T) {
	d := newDesk(t, Parts{})
	d.ledgers()
	e := d.accepted("1", "acme")
	js, err := jetstream.New(d.nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "$KV."+ledger.Bucket+"."+e.Address().String(), []byte(`{"v":99}`)); err != nil {
		t.Fatal(err)
	}
	d.wants(e, events.Queued, time.Time{}, "cannot be read")
}
