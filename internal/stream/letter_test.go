package stream

import (
	"crypto/sha256"
	"errors"
	"fmt"
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

// A letter of more headers than an event may have keeps the first of them, which
// are refused for the same reason.
func TestLetterKeepsTheFirstHeaders(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 4)
	many, long, typed, odd := inBinary(e), inBinary(e), inBinary(e), inBinary(e)
	for i := range 2500 {
		many.Header[fmt.Sprintf("ce-x%04d", i)] = []string{"1"}
	}
	long.Header["ce-a"] = []string{strings.Repeat("\xff", 60<<10)}
	typed.Header["Content-Type"] = []string{strings.Repeat("x", 60<<10)}
	odd.Header["ce-"+strings.Repeat("\x01", 60<<10)] = []string{""}
	for i, c := range []struct {
		m       *nats.Msg
		refusal string
	}{{many, "ce- headers; at most 64"}, {long, "bytes; at most 8192"}, {typed, "bytes; at most 8192"}, {odd, "bytes; at most 8192"}} {
		ref := e.Ref()
		ref.Key = events.Key("/letters", string(rune('a'+i)))
		_, _, was := events.FromMessage(c.m.Subject, c.m.Header, c.m.Data, time.Now())
		if err := s.Bury(t.Context(), DeadLetter{Ref: ref, Outcome: events.Invalid, Reason: strings.Repeat("é", 2*maxReason), Header: c.m.Header, Data: c.m.Data, Origin: c.m.Subject, At: decided}); err != nil {
			t.Fatal(err)
		}
		l, err := s.Letter(t.Context(), uint64(i+1))
		if err != nil || string(l.Data) != string(c.m.Data) || !strings.Contains(l.Reason, "of SHA-256 ") {
			t.Fatalf("letter %d: %q because %q, %v", i+1, l.Data, l.Reason, err)
		}
		_, is := l.Event(time.Now())
		for _, err := range []error{was, is} {
			if err == nil || !strings.Contains(err.Error(), c.refusal) {
				t.Errorf("letter %d: %v, want %q", i+1, err, c.refusal)
			}
		}
	}
}

// A letter that the broker finds too big is stored without what was received. It
// is not tried for as long as a broker that is away.
func TestALetterTooBigIsStoredBare(t *testing.T) {
	t.Parallel()
	s := solo(t)
	dead := s.streams[Dead].CachedInfo().Config
	dead.MaxMsgSize = 2 << 10
	if _, err := s.js.UpdateStream(t.Context(), dead); err != nil {
		t.Fatal(err)
	}
	m := inBinary(event(t, 5))
	data := []byte(strings.Repeat("x", 4<<10))
	l := DeadLetter{Ref: event(t, 5).Ref(), Outcome: events.Expired, Reason: "too old", Header: m.Header, Data: data, Origin: m.Subject, Sequence: 7, At: decided}
	began := time.Now()
	if err := s.Bury(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > PublishFor/2 {
		t.Errorf("it took %v", took)
	}
	got, err := s.Letter(t.Context(), 1)
	if err != nil || len(got.Data) > 0 || got.Header != nil || got.Sequence != 7 || !strings.HasPrefix(got.Reason, "too old (the broker takes no dead letter so big") ||
		!strings.Contains(got.Reason, fmt.Sprintf("%x", sha256.Sum256(data))) {
		t.Errorf("it is stored as %+v, %v", got, err)
	}
	if _, err := got.Event(time.Now()); err == nil {
		t.Error("it is replayed as something else")
	}
}

// The broker refuses so many headers for ever.
func TestTooManyHeadersAreNotTriedAgain(t *testing.T) {
	t.Parallel()
	s := solo(t)
	began := time.Now()
	err := s.putOnce(t.Context(), &nats.Msg{Subject: "dead.v1.invalid.x", Header: nats.Header{"X": {strings.Repeat("x", 64<<10)}}})
	if !errors.Is(err, errTooBig) || code(err) != codeHeaders || time.Since(began) > PublishFor/2 {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}
