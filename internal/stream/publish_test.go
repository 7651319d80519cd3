package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// race has racers publish the same n events at once, and checks that each is
// fresh for exactly one of them.
func race(t *testing.T, ss []*Streams, n int) {
	t.Helper()
	var fresh atomic.Int64
	for i := range n {
		e := event(t, i)
		var racers sync.WaitGroup
		for _, s := range ss {
			racers.Go(func() {
				duplicate, err := s.Publish(t.Context(), e)
				if err != nil {
					t.Error(err)
				}
				if !duplicate {
					fresh.Add(1)
				}
			})
		}
		racers.Wait()
	}
	if got := fresh.Load(); got != int64(n) {
		t.Errorf("%d publishes were fresh, want %d", got, n)
	}
	if got := stored(t, ss[0], Changes); got != uint64(n) {
		t.Errorf("%d events are stored, want %d", got, n)
	}
}

func TestRacersStoreAnEventOnce(t *testing.T) {
	t.Parallel()
	url := natstest.Server(t).URL()
	var ss []*Streams
	for range 8 {
		ss = append(ss, open(t, url, Options{}))
	}
	race(t, ss, 100)
}

func TestAnIDWithOtherContentIsAConflict(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 1)
	publish(t, s, e, false)
	publish(t, s, e, true)
	other := e
	other.Changes = []events.Change{{Intent: events.Restore, Item: e.Changes[0].Item}}
	ticket := e
	ticket.Ticket = "CHG0099999"
	for what, e := range map[string]events.Event{"other changes": other, "another ticket": ticket} {
		if _, err := s.Publish(t.Context(), e); !errors.Is(err, events.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", what, err)
		}
	}
	if got := stored(t, s, Changes); got != 1 {
		t.Errorf("%d events are stored, want 1", got)
	}
}

func TestADirectPublishersRubbishUnderTheIDIsAConflict(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 1)
	if _, err := s.js.Publish(t.Context(), e.Subject(), []byte("rubbish")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Publish(t.Context(), e); !errors.Is(err, events.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
}

func TestACarelessPublisherIsRefusedTheSecondTime(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 1)
	publish(t, s, e, false)
	if _, err := s.js.Publish(t.Context(), e.Subject(), e.Encode()); code(err) != codeStoreFailed || !subjectFull(err) {
		t.Errorf("publishing without an expectation: %v, want a refusal for the subject", err)
	}
}

func TestDuplicateOverARestart(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t)
	s := open(t, b.URL(), Options{})
	publish(t, s, event(t, 1), false)
	b.Stop()
	b.Start()
	publish(t, s, event(t, 1), true) // the connection comes back by itself
	publish(t, s, event(t, 2), false)
}

func TestReplayTwiceIsOne(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 1)
	publish(t, s, e, false)
	for i, want := range []bool{false, true} {
		ref, duplicate, err := s.Replay(t.Context(), e, 7)
		if err != nil || duplicate != want || ref.Key != e.Ref().Key+"-r7" {
			t.Errorf("replay %d of letter 7: %v, duplicate %v, %v", i, ref, duplicate, err)
		}
	}
}

func TestAFullStreamRefusesTheNewAndKnowsTheOld(t *testing.T) {
	t.Parallel()
	s := open(t, natstest.Server(t).URL(), Options{MaxBytes: 4 << 10})
	first := event(t, 0)
	publish(t, s, first, false)
	var err error
	for i := 1; err == nil && i < 100; i++ {
		_, err = s.Publish(t.Context(), event(t, i))
	}
	if !errors.Is(err, ErrFull) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v, want ErrFull, which is ErrUnavailable", err)
	}
	publish(t, s, first, true)
}

func TestABrokerAwayIsUnavailableInTime(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t)
	s := open(t, b.URL(), Options{})
	b.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := s.Publish(ctx, event(t, 1))
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("publishing while the broker is away: %v, want ErrUnavailable", err)
	}
	if end, _ := ctx.Deadline(); time.Since(end) > 2*time.Second {
		t.Errorf("it took %v longer than its caller allowed", time.Since(end))
	}
	if _, err := s.Find(ctx, event(t, 1).Ref()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("finding while the broker is away: %v, want ErrUnavailable", err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("ready while the broker is away: %v, want ErrUnavailable", err)
	}
	b.Start()
	publish(t, s, event(t, 2), false)
	if got := stored(t, s, Changes); got != 1 {
		t.Errorf("%d events are stored, want only the second", got)
	}
}

func TestAPublishWaitsForTheBroker(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t)
	s := open(t, b.URL(), Options{})
	b.Stop()
	published := make(chan error, 1)
	go func() {
		_, err := s.Publish(t.Context(), event(t, 1))
		published <- err
	}()
	b.Start()
	if err := receive(t, published, "end of the publish"); err != nil {
		t.Error(err)
	}
}

// An event that is in flight is neither stored nor refused: the publish waits
// for what becomes of the other one. A stand-in for the broker answers so, for
// with a real one it takes luck.
func TestInFlightIsAskedAgain(t *testing.T) {
	t.Parallel()
	nc := natstest.Connect(t, natstest.Server(t).URL())
	s, err := newStreams(nc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	answer := func(m *nats.Msg) {
		if asked.Add(1) < 4 {
			m.Respond([]byte(`{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"}}`))
			return
		}
		m.Respond([]byte(`{"stream":"CHANGES","seq":1}`))
	}
	if _, err := nc.Subscribe(events.ChangesPrefix+">", answer); err != nil {
		t.Fatal(err)
	}
	publish(t, s, event(t, 1), false)
	if got := asked.Load(); got != 4 {
		t.Errorf("it was asked %d times, want 4", got)
	}
}

func TestReportTwiceIsOne(t *testing.T) {
	t.Parallel()
	s := solo(t)
	var rs []events.Receipt
	for i := range 512 {
		r := receipt(event(t, i), events.Accepted)
		rs = append(rs, r, r)
	}
	if err := s.ReportAll(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	if err := s.Report(t.Context(), receipt(event(t, 1), events.Refused)); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, s, Outcomes); got != 512 {
		t.Errorf("%d outcomes are stored, want 512", got)
	}
	if r, err := s.Final(t.Context(), event(t, 1).Ref()); err != nil || r.Outcome != events.Accepted {
		t.Errorf("found %+v, %v; want the first outcome", r, err)
	}
}

func TestBuryTwiceIsOne(t *testing.T) {
	t.Parallel()
	s := solo(t)
	ref, at := event(t, 1).Ref(), time.Date(2026, 11, 23, 10, 0, 0, 5, time.UTC)
	known := DeadLetter{Ref: ref, Outcome: events.Refused, Reason: "no\r\nGrants: everything", Data: []byte("{}"), Origin: "changes.v1.x", Sequence: 7, At: at}
	unknown := DeadLetter{Outcome: events.Invalid, Reason: strings.Repeat("é", 5000), Origin: "changes.v1.nonsense", Sequence: 8, At: at}
	for _, l := range []DeadLetter{known, known, unknown, unknown} {
		if err := s.Bury(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	ls, err := s.Letters(t.Context(), events.DeadPrefix+">", 0, 10)
	if err != nil || len(ls) != 2 {
		t.Fatalf("%d letters, %v; want 2", len(ls), err)
	}
	known.Reason, known.Subject, known.Number = "no  Grants: everything", ref.DeadSubject(events.Refused), 1
	if got := fmt.Sprintf("%+v", ls[0]); got != fmt.Sprintf("%+v", known) {
		t.Errorf("the letter is\n%s, want\n%+v", got, known)
	}
	if ls[1].Subject != "dead.v1.invalid.unknown.s8" || ls[1].Ref != (events.Ref{}) || ls[1].Outcome != events.Invalid {
		t.Errorf("the unknown one's letter is %+v", ls[1])
	}
	if err := s.Drop(t.Context(), 1); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{"dropping again": s.Drop(t.Context(), 1), "reading": second(s.Letter(t.Context(), 1))} {
		if !errors.Is(err, events.ErrNotFound) {
			t.Errorf("%s a dropped letter: %v, want ErrNotFound", what, err)
		}
	}
	if l, err := s.Letter(t.Context(), 2); err != nil || l.Sequence != 8 {
		t.Errorf("letter 2 is %+v, %v", l, err)
	}
}

// The broker has one code for a stream and for a subject that is full.
func TestSubjectFull(t *testing.T) {
	t.Parallel()
	err := &jetstream.APIError{Code: 503, ErrorCode: codeStoreFailed, Description: "maximum messages per subject exceeded"}
	if code(err) != codeStoreFailed || !subjectFull(err) {
		t.Errorf("a full subject is read as %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// publish stores the event, and checks whether it was a duplicate.
func publish(t *testing.T, s *Streams, e events.Event, duplicate bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	got, err := s.Publish(ctx, e)
	if err != nil || got != duplicate {
		t.Fatalf("publishing %s: duplicate %v, %v; want %v", e.ID, got, err, duplicate)
	}
}

func receipt(e events.Event, o events.Outcome) events.Receipt {
	return events.Receipt{ID: e.Ref().String(), Ticket: e.Ticket, Tenant: e.Tenant, Device: e.Device, Outcome: o, Changes: e.Changes, Ended: time.Now()}
}
