package worker

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

const otherDevice = "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d12"

// direct publishes as docs/events.md has it, with headers of its own.
func (r *rig) direct(subject string, h nats.Header, data []byte) {
	r.t.Helper()
	js, err := jetstream.New(natstest.Connect(r.t, r.url))
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := js.PublishMsg(context.Background(), &nats.Msg{Subject: subject, Header: h, Data: data}); err != nil {
		r.t.Fatal(err)
	}
}

// manyHeaders are more than any event has, and once more than the broker took in
// a dead letter.
func manyHeaders() nats.Header {
	h := nats.Header{}
	for i := range 2500 {
		h[fmt.Sprintf("ce-x%04d", i)] = []string{"1"}
	}
	return h
}

// Anybody may write the header, with a time that no JSON can have.
func TestAForgedAcceptanceIsNotBelieved(t *testing.T) {
	r := routed(t)
	forged := func() nats.Header { return nats.Header{"Changerelay-Accepted": {"0000-01-01T00:00:00+01:00"}} }
	valid, invalid, aimed := r.event(device, remove(app(1))...), r.event(device, remove(app(2))...), r.aimed(runOf+"77/managedDevice", remove(app(3))...)
	aimed.Device = device
	r.direct(valid.Subject(), forged(), valid.Encode())
	r.direct(invalid.Subject(), forged(), []byte("{}"))
	r.direct(aimed.Subject(), forged(), aimed.Encode())
	r.work()
	began := time.Now().Add(-time.Minute)
	for _, got := range []events.Receipt{r.outcome(valid, events.Accepted), r.outcome(invalid, events.Invalid), r.outcome(aimed, events.Accepted)} {
		if got.Accepted.Before(began) {
			t.Errorf("%s was accepted at %v, it is said", got.ID, got.Accepted)
		}
	}
	r.settled(device)
	r.held(device, app(1), app(3))
}

// An event of too many headers ends, and its letter says why.
func TestTooManyHeadersEndInvalid(t *testing.T) {
	r := newRig(t)
	e := r.event(device, remove(app(1))...)
	r.direct(e.Subject(), manyHeaders(), []byte("{}"))
	r.work()
	if got := r.outcome(e, events.Invalid); !strings.Contains(got.Reason, "2500 ce- headers; at most 64") {
		t.Errorf("it is invalid because %s", got.Reason)
	}
	l, err := r.s.Letter(context.Background(), 1)
	if err != nil || len(l.Header) < 64 || string(l.Data) != "{}" {
		t.Errorf("its letter has %d headers and %q, %v", len(l.Header), l.Data, err)
	}
}

// A valid event with as many headers as are taken, and not all printable, does not
// keep its device when it ends badly.
func TestALetterOfManyHeadersLetsItsDeviceGo(t *testing.T) {
	r := newRig(t)
	e := r.event(device, remove(app(1))...)
	h := nats.Header{"ce-specversion": {"1.0"}, "ce-id": {e.ID}, "ce-source": {e.Source}, "ce-type": {events.Type},
		"ce-time": {e.Time.Format(time.RFC3339Nano)}, "ce-subject": {e.Ticket}}
	for i := len(h); i < events.MaxHeaders; i++ {
		h[fmt.Sprintf("ce-x%02d", i)] = []string{strings.Repeat("%C3%A9 ", 15)}
	}
	text := string(e.Encode())
	r.direct(e.Subject(), h, []byte(text[strings.Index(text, `"data":`)+len(`"data":`):len(text)-1]))
	aged := func(c *Config) { c.Now = func() time.Time { return time.Now().Add(5 * time.Hour) } }
	w := r.work(aged)
	r.outcome(e, events.Expired)
	r.settled(device)
	w.stop()
	l, err := r.s.Letter(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.Event(time.Now()); err != nil || again.Digest() != e.Digest() {
		t.Errorf("its letter is the event %+v, %v", again, err)
	}
}

// While dead letters cannot be stored, more of them than there are slots keep no
// other event waiting; they end when they can be.
func TestDeadLettersThatCannotBeStoredStopNobody(t *testing.T) {
	r := newRig(t)
	r.enrol(phoneOf(otherDevice))
	nc := natstest.Connect(t, r.url)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	var bad []events.Event
	for range buriesAtOnce + 40 {
		e := r.event(device, remove(app(1))...)
		r.direct(e.Subject(), nil, []byte("{}"))
		bad = append(bad, e)
	}
	good := r.publishTo(otherDevice, remove(app(2))...)
	r.work(func(c *Config) {
		c.FoldSlots, c.FoldBatch = 1, 32
		if c.Streams, err = stream.Open(context.Background(), nc, stream.Options{}); err != nil { // with its AckWait: a burial takes longer than the rig's
			t.Fatal(err)
		}
		if err := js.DeleteStream(context.Background(), "DEAD"); err != nil { // after it was declared for the worker
			t.Fatal(err)
		}
	})
	r.outcome(good, events.Accepted)
	if ended := r.stored("OUTCOMES"); ended != 1 {
		t.Errorf("%d events have ended, want the good one", ended)
	}
	r.connect(1) // declares DEAD
	for _, e := range bad {
		r.outcome(e, events.Invalid)
	}
}

// A bug that one device's events meet stops no other's.
func TestAPanicStopsNobodyElse(t *testing.T) {
	for _, p := range []Point{FoldWritten, Woken, InvalidDead} {
		t.Run(string(p), func(t *testing.T) {
			r := newRig(t)
			r.enrol(phoneOf(otherDevice))
			first := r.event(device, remove(app(1))...)
			if p == InvalidDead {
				r.direct(first.Subject(), nil, []byte("{}"))
			} else {
				r.send(first)
			}
			var met atomic.Bool
			r.work(func(c *Config) {
				c.At = func(at Point) {
					if at == p && met.CompareAndSwap(false, true) {
						panic("about " + first.Ticket)
					}
				}
			})
			await.State(t, "the panic", func() bool { return strings.Contains(r.log.String(), "a handler panicked") })
			if log := r.log.String(); strings.Contains(log, "about "+first.Ticket) || !strings.Contains(log, "hostile_test.go") {
				t.Errorf("the log has the text of the panic, or no stack: %s", log)
			}
			r.outcome(r.publishTo(otherDevice, remove(app(2))...), events.Accepted)
			if p == Woken { // a newer event wakes its device, whatever was put back
				r.outcome(r.publish(remove(app(3))...), events.Accepted)
				r.settled(device)
				r.held(device, app(1), app(3))
			}
		})
	}
}
