package stream

import (
	"errors"
	"testing"

	"changerelay/internal/events"
)

// aimed is an event whose device only Graph knows.
func aimed(t *testing.T, n int) events.Event {
	t.Helper()
	e := event(t, n)
	e.Device, e.Target = "", "deviceHealthScripts/a/deviceRunStates/b/managedDevice"
	return e
}

// Other content under the id of a target is a conflict while it waits, and when it
// has ended without a device: TARGETS has forgotten it by then.
func TestATargetsIDWithOtherContentIsAConflict(t *testing.T) {
	t.Parallel()
	s := solo(t)
	refused := func(e events.Event, digest string) {
		t.Helper()
		if err := s.Report(t.Context(), events.Receipt{ID: e.Ref().String(), Ticket: e.Ticket, Tenant: e.Tenant, Target: e.Target,
			Outcome: events.Refused, Digest: digest}); err != nil {
			t.Fatal(err)
		}
		if err := s.streams[Targets].Purge(t.Context()); err != nil { // as the worker's ack does
			t.Fatal(err)
		}
	}
	e := aimed(t, 1)
	publish(t, s, e, false)
	other := e
	other.Target = "deviceHealthScripts/a/deviceRunStates/mended/managedDevice"
	items := e
	items.Changes = []events.Change{{Intent: events.Restore, Item: e.Changes[0].Item}}
	for _, state := range []string{"waiting", "ended"} {
		publish(t, s, e, true)
		for _, o := range []events.Event{other, items} {
			if _, err := s.Publish(t.Context(), o); !errors.Is(err, events.ErrConflict) {
				t.Errorf("%s: %v, want a conflict", state, err)
			}
		}
		if state == "waiting" {
			refused(e, e.Fingerprint())
		}
	}
	if r, err := s.Find(t.Context(), e.Ref()); err != nil || r.Outcome != events.Refused || r.Digest != "" {
		t.Errorf("found %+v, %v", r, err)
	}
	// Of an older relay: nobody knows what it was.
	old := aimed(t, 2)
	publish(t, s, old, false)
	refused(old, "")
	if _, err := s.Publish(t.Context(), old); !errors.Is(err, events.ErrConflict) {
		t.Errorf("without a digest: %v, want a conflict", err)
	}
}
