package stream

import (
	"errors"
	"testing"
	"time"

	"changerelay/internal/events"
)

func TestFindFollowsAnEvent(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 1)
	if _, err := s.Find(t.Context(), e.Ref()); !errors.Is(err, events.ErrNotFound) {
		t.Errorf("before it is published: %v, want ErrNotFound", err)
	}
	publish(t, s, e, false)
	r, err := s.Find(t.Context(), e.Ref())
	if err != nil || r.Outcome != "" || r.Ticket != e.Ticket || len(r.Changes) != 1 || time.Since(r.Accepted) > time.Minute {
		t.Errorf("while it is queued: %+v, %v", r, err)
	}
	if err := s.Report(t.Context(), receipt(e, events.Unchanged)); err != nil {
		t.Fatal(err)
	}
	if r, err = s.Find(t.Context(), e.Ref()); err != nil || r.Outcome != events.Unchanged {
		t.Errorf("when it has ended: %+v, %v", r, err)
	}
	if r, err = s.FinalAt(t.Context(), e.Ref(), events.TicketToken(e.Ticket)); err != nil || r.Outcome != events.Unchanged {
		t.Errorf("with its ticket: %+v, %v", r, err)
	}
}

func TestAnOutcomeOutlivesItsEvent(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 1)
	if err := s.Report(t.Context(), receipt(e, events.Expired)); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Final(t.Context(), e.Ref()); err != nil || r.Outcome != events.Expired {
		t.Errorf("found %+v, %v", r, err)
	}
}

// What is no event has an outcome too, under the ticket's token of its subject,
// or under that of no ticket at all.
func TestFindWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	s := solo(t)
	for i, token := range []string{events.TicketToken("CHG0031337"), events.TicketToken("")} {
		e := event(t, i)
		if _, err := s.js.Publish(t.Context(), e.Subject(), []byte("rubbish")); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Find(t.Context(), e.Ref()); err != nil || r.Outcome != "" || r.ID != e.Ref().String() {
			t.Errorf("while it is queued: %+v, %v", r, err)
		}
		e.Ticket = ""
		if err := s.ReportAt(t.Context(), receipt(e, events.Invalid), token); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Find(t.Context(), e.Ref()); err != nil || r.Outcome != events.Invalid {
			t.Errorf("when it has ended: %+v, %v", r, err)
		}
	}
}

// A subject that is no event's is stored under CHANGES all the same, so that
// its sender hears of it.
func TestAMisspelledSubjectIsStored(t *testing.T) {
	t.Parallel()
	s := solo(t)
	ack, err := s.js.Publish(t.Context(), "changes.v1.acme.oops", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Change(t.Context(), ack.Sequence)
	if err != nil || m.Subject != "changes.v1.acme.oops" || string(m.Data) != "{}" {
		t.Errorf("stored is %+v, %v", m, err)
	}
	if _, err := s.Change(t.Context(), 99); !errors.Is(err, events.ErrNotFound) {
		t.Errorf("a sequence that is not there: %v, want ErrNotFound", err)
	}
}
