package worker

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// letter waits for the event's dead letter.
func (r *rig) letter(ref events.Ref) (l stream.DeadLetter) {
	r.t.Helper()
	await.State(r.t, "a dead letter of "+ref.String(), func() bool {
		ls, err := r.s.Letters(context.Background(), events.DeadPrefix+"*."+ref.String(), 0, 1)
		if err != nil || len(ls) == 0 {
			return false
		}
		l = ls[0]
		return true
	})
	return l
}

// replay replays a letter and waits for what becomes of it.
func (r *rig) replay(e events.Event, l stream.DeadLetter, want events.Outcome) events.Receipt {
	r.t.Helper()
	ref, _, err := r.s.Replay(context.Background(), e, l.Number)
	if err != nil || ref != l.ReplayRef() {
		r.t.Fatalf("the replay is %v, want %v; %v", ref, l.ReplayRef(), err)
	}
	var got events.Receipt
	await.State(r.t, "the outcome of "+ref.String(), func() bool {
		got, err = r.s.Find(context.Background(), ref)
		return err == nil && got.Outcome.Final()
	})
	if got.Outcome != want {
		r.t.Fatalf("the replay ended %s (%s), want %s", got.Outcome, got.Reason, want)
	}
	return got
}

// refuse has Graph refuse an event, and returns its letter.
func (r *rig) refuse(cs ...events.Change) (events.Event, stream.DeadLetter) {
	r.t.Helper()
	heal := r.sim.Fail(graphsim.Fault{Op: "post", Status: 400, Code: "BadRequest", Times: -1})
	e := r.publish(cs...)
	r.outcome(e, events.Refused)
	r.settled(device)
	heal()
	return e, r.letter(e.Ref())
}

func TestLaw08AnOldReplayUndoesNothingNewer(t *testing.T) {
	r := newRig(t)
	r.work()
	old, letter := r.refuse(remove(app(1))...)
	r.outcome(r.publish(append(restore(app(1)), remove(app(2))...)...), events.Accepted)
	r.settled(device)
	calls, stored := len(r.posts(device)), r.stored(stream.Changes)

	r.replay(old, letter, events.Superseded)
	ref, duplicate, err := r.s.Replay(t.Context(), old, letter.Number)
	if err != nil || !duplicate || ref != letter.ReplayRef() {
		t.Errorf("replayed twice: %v, duplicate %v, %v", ref, duplicate, err)
	}
	r.settled(device)
	if n := len(r.posts(device)); n != calls {
		t.Errorf("Graph was called %d times more:\n%v", n-calls, r.posts(device))
	}
	if n := r.stored(stream.Changes); n != stored+1 {
		t.Errorf("%d events were stored, want 1", n-stored)
	}
	r.held(device, app(2))
}

// Of two items the newer event has spoken of one: the other is still wanted.
func TestLaw08AReplayTellsWhatNobodySpokeOfSince(t *testing.T) {
	r := newRig(t)
	r.work()
	old, letter := r.refuse(remove(app(1), app(2))...)
	r.outcome(r.publish(append(restore(app(1)), remove(app(3))...)...), events.Accepted)
	r.replay(old, letter, events.Accepted)
	r.held(device, app(2), app(3))
}

// At one time, the place in CHANGES decides: the replay has its event's.
func TestLaw08AReplayKeepsItsPlace(t *testing.T) {
	r := newRig(t)
	r.work()
	first, second := r.event(device, remove(app(1))...), r.event(device, append(restore(app(1)), remove(app(2))...)...)
	second.Time = first.Time
	heal := r.sim.Fail(graphsim.Fault{Op: "post", Status: 400, Code: "BadRequest", Times: -1})
	for _, e := range []events.Event{first, second} {
		if _, err := r.s.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		r.outcome(e, events.Refused)
	}
	heal()
	r.replay(second, r.letter(second.Ref()), events.Accepted)
	r.replay(first, r.letter(first.Ref()), events.Superseded)
	r.held(device, app(2))
}

// remembered stores a document with a word on app(1) that was told so long ago,
// and the dead letter of an event that was decided an hour before.
func (r *rig) remembered(ago time.Duration) (events.Event, stream.DeadLetter) {
	r.t.Helper()
	told := time.Now().Add(-ago)
	newer, err := events.New(events.Event{ID: "newer", Source: "/test", Ticket: "CHG2", Tenant: "acme", Device: device, Time: told, Changes: remove(app(1))}, told)
	if err != nil {
		r.t.Fatal(err)
	}
	old := newer
	old.ID, old.Ticket, old.Time, old.Changes = "old", "CHG1", told.Add(-time.Hour).UTC(), restore(app(1))
	r.sim.PortalRemove(entraTenant, device, simItems(app(1))...) // as it was told
	_, err = r.ledger.Update(r.t.Context(), old.Address(), func(d ledger.Device) (ledger.Device, error) {
		d = d.Fold(ledger.NewEntry(newer, newer.Ref(), 3, told)).See(ledger.Sight{At: told}, short)
		d, err := d.Begin("a", told, short).Accepted("a", "rq", told)
		return d.Reported(newer.Ref().Key), err
	})
	if err == nil {
		err = r.s.Bury(r.t.Context(), stream.DeadLetter{Ref: old.Ref(), Outcome: events.Refused, Reason: "Graph said no",
			Data: old.Encode(), Origin: old.Subject(), Sequence: 2, At: told.Add(time.Hour)})
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return old, r.letter(old.Ref())
}

func TestLaw08AReplayAfter29DaysUndoesNothing(t *testing.T) {
	r := newRig(t)
	old, letter := r.remembered(29 * 24 * time.Hour)
	r.work()
	r.replay(old, letter, events.Superseded)
	r.settled(device)
	r.held(device, app(1))
	if n := len(r.posts(device)); n > 0 {
		t.Errorf("Graph was called %d times", n)
	}
}

// The letter of a replay's replay may be older than every tombstone.
func TestLaw08AReplayOlderThanTheTombstonesIsInvalid(t *testing.T) {
	r := newRig(t)
	old, letter := r.remembered(58 * 24 * time.Hour)
	r.work()
	got := r.replay(old, letter, events.Invalid)
	if !strings.Contains(got.Reason, "may be forgotten") {
		t.Errorf("the reason is %q", got.Reason)
	}
	r.held(device, app(1))
	if l := r.letter(letter.ReplayRef()); l.Sequence != letter.Sequence {
		t.Errorf("its letter has lost the place in order: %d, want %d", l.Sequence, letter.Sequence)
	}
}

// The fold's consumer is made anew, which delivers everything once more, when
// the letter of an old replay is gone.
func TestAReplayThatComesAgainNeedsNoLetter(t *testing.T) {
	r := newRig(t)
	w := r.work()
	old, letter := r.refuse(remove(app(1))...)
	r.replay(old, letter, events.Accepted)
	r.settled(device)
	w.stop()
	if err := r.s.Drop(t.Context(), letter.Number); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(natstest.Connect(t, r.url))
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteConsumer(t.Context(), stream.Changes, "fold"); err != nil {
		t.Fatal(err)
	}
	r.work()
	await.State(t, "all events to be folded", r.folded)
	r.settled(device)
	if n := r.stored(stream.Dead); n != 0 {
		ls, _ := r.s.Letters(t.Context(), events.DeadPrefix+">", 0, 10)
		t.Errorf("new dead letters: %+v", ls)
	}
	r.held(device, app(1))
}

// A replay that nobody has folded when its letter is dropped has lost its place
// in order. It is not told.
func TestAReplayWithoutItsLetterIsInvalid(t *testing.T) {
	r := newRig(t)
	w := r.work()
	old, letter := r.refuse(remove(app(1))...)
	w.stop()
	if err := r.s.Drop(t.Context(), letter.Number); err != nil {
		t.Fatal(err)
	}
	r.work()
	r.replay(old, letter, events.Invalid)
	r.held(device)
}

// The relay files no requests for approval, so an administrator exempts its app
// registration; then the letter is replayed.
func TestAReplayAfterAnExemptionIsAccepted(t *testing.T) {
	r := newRig(t)
	k := r.sim.Knobs()
	k.Approval = "documented"
	r.sim.Set(k)
	r.work()
	e := r.publish(remove(app(1))...)
	r.outcome(e, events.ApprovalRequired)
	r.settled(device)
	r.held(device)
	r.sim.AddApp(entraTenant, graphsim.App{ClientID: clientID, ClientSecret: secret, NoApproval: true})
	r.replay(e, r.letter(e.Ref()), events.Accepted)
	r.held(device, app(1))
}
