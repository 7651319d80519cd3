package stream

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
)

// inBinary is the message of an event in binary mode, as a service publishes it.
func inBinary(e events.Event) *nats.Msg {
	text := string(e.Encode())
	data := text[strings.Index(text, `"data":`)+len(`"data":`) : len(text)-1]
	return &nats.Msg{Subject: e.Subject(), Data: []byte(data), Header: nats.Header{
		"ce-specversion": {"1.0"}, "ce-id": {e.ID}, "CE-Source": {e.Source}, "ce-type": {events.Type},
		"ce-time": {e.Time.Format(time.RFC3339Nano)}, "ce-subject": {e.Ticket}, "ce-datacontenttype": {"application/json"},
		"Nats-Expected-Last-Subject-Sequence": nothing, "Nats-Expected-Last-Subject-Sequence-Subject": {e.Ref().ChangesFilter()},
	}}
}

// An event is the same in either mode: a duplicate, a conflict, what Find shows.
func TestBinaryModeIsTheSameEvent(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 1)
	if _, err := s.js.PublishMsg(t.Context(), inBinary(e)); err != nil {
		t.Fatal(err)
	}
	if duplicate, err := s.Publish(t.Context(), e); err != nil || !duplicate {
		t.Errorf("in structured mode it is a duplicate: %v, %v", duplicate, err)
	}
	if _, err := s.js.PublishMsg(t.Context(), inBinary(e)); code(err) != 10071 {
		t.Errorf("published again the broker says %v, want 10071", err)
	}
	other := e
	other.Time = other.Time.Add(time.Second)
	if _, err := s.Publish(t.Context(), other); err != events.ErrConflict {
		t.Errorf("with another time: %v, want a conflict", err)
	}
	r, err := s.Find(t.Context(), e.Ref())
	if err != nil || r.Ticket != e.Ticket || !reflect.DeepEqual(r.Changes, e.Changes) {
		t.Errorf("it is found as %+v, %v", r, err)
	}
}

// A letter keeps what its event was made of, in either mode, and gives it back.
func TestLetterKeepsTheEvent(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 2)
	binary, structured := inBinary(e), &nats.Msg{Subject: e.Subject(), Data: e.Encode(), Header: nats.Header{"Content-Type": {"application/cloudevents+json"}}}
	odd := inBinary(e)
	odd.Header["ce-trace parent"] = []string{"x", "y"}
	forged := inBinary(e)
	forged.Subject = event(t, 3).Subject()
	for i, c := range []struct {
		m       *nats.Msg
		headers int
		refusal string
	}{
		{binary, 7, ""},
		{structured, 0, ""},
		{odd, 8, "ce-"},
		{forged, 7, "the device is"},
		{&nats.Msg{}, 0, "had forgotten it"},
	} {
		ref := e.Ref()
		ref.Key = events.Key("/letters", string(rune('a'+i)))
		if err := s.Bury(t.Context(), DeadLetter{Ref: ref, Outcome: events.Refused, Header: c.m.Header, Data: c.m.Data, Origin: c.m.Subject, Sequence: 7, At: decided}); err != nil {
			t.Fatal(err)
		}
		l, err := s.Letter(t.Context(), uint64(i+1))
		if err != nil || string(l.Data) != string(c.m.Data) {
			t.Fatalf("letter %d: %q, %v", i+1, l.Data, err)
		}
		if want := events.Headers(c.m.Header); len(l.Header) != c.headers || c.headers > 0 && !reflect.DeepEqual(map[string][]string(l.Header), want) {
			t.Errorf("letter %d has the headers %v, want %v", i+1, l.Header, want)
		}
		got, err := l.Event(time.Now())
		if c.refusal != "" {
			if err == nil || !strings.Contains(err.Error(), c.refusal) {
				t.Errorf("letter %d: %v, want %q", i+1, err, c.refusal)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("letter %d is the event %+v, %v", i+1, got, err)
		}
		again, _, err := s.Replay(t.Context(), got, l.Number)
		if err != nil || !strings.HasPrefix(again.Key, e.Ref().Key+"-r") {
			t.Errorf("letter %d is replayed as %v, %v", i+1, again, err)
		}
	}
	if _, err := (DeadLetter{Source: "desk", Origin: parkedFrom + "desk", Data: []byte("{")}).Event(time.Now()); err == nil || !strings.Contains(err.Error(), "have desk send it again") {
		t.Errorf("a parked body: %v", err)
	}
}
