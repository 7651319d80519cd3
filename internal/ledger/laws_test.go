package ledger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"changerelay/internal/events"
)

// The laws of docs/protocol.md, each as a small scenario. TestSimulation finds
// most mistakes by itself; these say what the law means, and catch what it
// cannot see. Seven of them are the ways in which an early form of the protocol
// was broken ("counterexample n").
//
// Laws of the other floors are tested there:
//
//	1  the ledger is read from its leader   store_test.go: TestLaw01…
//	2  a lost compare-and-swap              store_test.go: TestLaw02…
//	   in flight on publish                 stream: TestInFlightIsAskedAgain, TestClusterStoresAnEventOnce
//	3  same id, other content; canonical    stream: TestAnIDWithOtherContentIsAConflict, TestRacersStoreAnEventOnce
//	   ids, one key function                events: TestParseSame, TestKey; ingest: TestOnce
//	4  wake-up, order of writes             worker: TestCrashPoints, TestCrashPointsOfAnInvalidEvent; stream: TestReportTwiceIsOne
//	5  one swap a device and batch          worker: TestAThousandEventsAreAHandfulOfCalls
//	8  replaying twice is one               stream: TestReplayTwiceIsOne
//	12 401, 403, 404, 410                   worker: TestEveryOutcome, TestALostPermissionBlamesNobody; graph: TestEveryStatus
//	13 an event's time against the broker's events: TestFromMessage, TestFromMessageRefuses
//	   the deadline just before the bytes   graph: TestDeadline, TestDeadlineBetweenHeadersAndBody
//	   timeouts within each other           worker: TestBoundsNest
//	   expiry of a paused tenant            worker: TestEventsExpireWhileTheirTenantIsPaused
//	14 quota                                not built yet
//	15 sizes, forecast                      stream: TestDoctor

// t0 is when every scenario begins.
var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

var timing = DefaultTiming

// later is t0 and some.
func later(d time.Duration) time.Time { return t0.Add(d) }

// word makes event n, decided at, of changes; its sequence is n.
func word(n int, at time.Time, cs ...events.Change) Entry {
	return Entry{Order: Order{at, uint64(n), fmt.Sprintf("key%02d", n)}, Message: uint64(n), Accepted: at, Ticket: fmt.Sprintf("CHG%07d", n), Changes: cs}
}

func remove(ids ...string) (cs []events.Change) { return changes(events.Remove, ids) }

func restore(ids ...string) (cs []events.Change) { return changes(events.Restore, ids) }

func changes(i events.Intent, ids []string) (cs []events.Change) {
	for _, id := range ids {
		cs = append(cs, events.Change{Intent: i, Item: simItem(id)})
	}
	return cs
}

func list(ids ...string) (s []events.Item) {
	for _, id := range ids {
		s = append(s, simItem(id))
	}
	return s
}

// shows is a read that lists ids as removed.
func shows(at time.Time, ids ...string) Sight { return Sight{At: at, Removed: list(ids...)} }

// post begins attempt id and wants it to declare set.
func post(t *testing.T, d Device, id string, now time.Time, set ...string) Device {
	t.Helper()
	if got := d.Next(now, timing); got != Post {
		t.Fatalf("next is %v, want post", got)
	}
	d = d.Begin(id, now, timing)
	if got := ids(d.Attempt.Set); !slices.Equal(got, set) {
		t.Fatalf("the set is %v, want %v", got, set)
	}
	return d
}

// tell has Graph take set.
func tell(t *testing.T, d Device, id string, now time.Time, set ...string) Device {
	t.Helper()
	return must(t)(post(t, d, id, now, set...).Accepted(id, "rq-"+id, now))
}

// refuse has Graph refuse set.
func refuse(t *testing.T, d Device, id string, now time.Time, set ...string) Device {
	t.Helper()
	return must(t)(post(t, d, id, now, set...).Refused(id, "an app does not exist", "rq-"+id, now))
}

func must(t *testing.T) func(Device, error) Device {
	return func(d Device, err error) Device {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
}

// ended wants the events' outcomes, in the order of their reports.
func ended(t *testing.T, d Device, want ...string) {
	t.Helper()
	var got []string
	for _, r := range d.Reports {
		got = append(got, r.Key+" "+string(r.Outcome))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("ended are %q, want %q", got, want)
	}
}

func next(t *testing.T, d Device, now time.Time, want Step) {
	t.Helper()
	if got := d.Next(now, timing); got != want {
		t.Fatalf("next is %v, want %v", got, want)
	}
}

func held(t *testing.T, d Device, want ...string) {
	t.Helper()
	if got := ids(d.View.Held); !slices.Equal(got, want) {
		t.Fatalf("held are %v, want %v", got, want)
	}
}

func TestLaw04WhateverIsLeftToDoIsDue(t *testing.T) {
	e := word(1, t0, remove("x")...)
	d := Device{}
	due := func(what string, want bool) {
		t.Helper()
		if d.Due() != want {
			t.Fatalf("%s: due is %v", what, !want)
		}
	}
	due("nothing known", false)
	d = d.Fold(e)
	due("untold", true)
	d = d.Fold(e)
	due("folded again, unchanged: its wake-up may be lost", true)
	d = post(t, d.See(shows(t0), timing), "a", t0, "x")
	due("an attempt is open", true)
	d = must(t)(d.Accepted("a", "rq", t0))
	ended(t, d, "key01 accepted")
	due("an outcome is unreported", true)
	d = d.Reported("key01")
	due("settled", false)
	next(t, d, t0, Done)

	d = d.Fold(word(2, later(time.Hour), remove("y")...)).See(shows(later(time.Hour), "x"), timing)
	d = post(t, d, "b", later(time.Hour), "x", "y")
	closed := d.Attempt.Until
	d = d.See(shows(closed, "x"), timing) // it was not taken; it may come late
	d = tell(t, d, "c", closed, "x", "y").Reported("key02")
	due("a call is in doubt", true)
	next(t, d, closed, Wait)
	next(t, d, d.WaitUntil(), Observe)
	d = d.See(shows(d.WaitUntil(), "x", "y"), timing)
	due("nothing is in doubt any more", false)
}

func TestLaw05TwentyThousandEventsForOneDevice(t *testing.T) {
	const events20k = 20_000
	r := rand.New(rand.NewPCG(5, 5))
	item := func(n int) string { return fmt.Sprintf("5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a%04d", n) }
	var d Device
	now, largest, rounds, finals := t0, [2]int{}, 0, 0
	graph := map[string]events.Item{}
	measure := func(fed int) {
		b := d.encode()
		if len(b) >= 64<<10 {
			t.Fatalf("after %d events the document has %d bytes", fed, len(b))
		}
		half := fed * 2 / (events20k + 1)
		largest[half] = max(largest[half], len(b))
		if n := len(d.Pending) + len(d.Reports); n > MaxEvents || len(d.Told) > MaxWords {
			t.Fatalf("after %d events the document has %d events and %d words", fed, n, len(d.Told))
		}
	}
	settle := func(fed int) {
		rounds++
		now = now.Add(2 * time.Minute)
		d = d.See(Sight{At: now, Removed: sorted(graph)}, timing)
		if d.Next(now, timing) == Post {
			d = d.Begin("a", now, timing)
			graph = index(d.Attempt.Set)
			d = must(t)(d.Accepted("a", "5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a0000", now))
		}
		measure(fed)
		keys := []string{}
		for _, o := range d.Reports {
			keys = append(keys, o.Key)
		}
		finals += len(keys)
		d = d.Reported(keys...)
		if d.Due() {
			t.Fatalf("after %d events and a call the device is due: %v", fed, d.Next(now, timing))
		}
	}
	for n := range events20k {
		e := word(n, now.Add(time.Duration(n)*time.Millisecond))
		e.Key = fmt.Sprintf("%026d", n)
		e.Accepted = now
		for _, j := range r.Perm(200)[:1+r.IntN(3)] { // items 0 to 24 may be removed
			intent := events.Restore
			if j < 25 && r.IntN(2) == 0 {
				intent = events.Remove
			}
			e.Changes = append(e.Changes, events.Change{Intent: intent, Item: simItem(item(j))})
		}
		for !d.Room(e) {
			settle(n)
		}
		d = d.Fold(e)
		if n%97 == 0 {
			measure(n)
		}
	}
	settle(events20k)
	if finals != events20k {
		t.Errorf("%d outcomes", finals)
	}
	if rounds > events20k/50 {
		t.Errorf("%d calls", rounds)
	}
	if largest[1] > largest[0]*11/10 {
		t.Errorf("the document grows with its past: %d bytes at most in the first half, %d in the second", largest[0], largest[1])
	}
	t.Logf("%d rounds, at most %d bytes", rounds, max(largest[0], largest[1]))
}

func TestLaw05TheLargestEventsFindRoom(t *testing.T) {
	d := Device{}
	for n := 1; ; n++ {
		e := word(n, later(time.Duration(n)*time.Second))
		e.Key, e.Ticket = fmt.Sprintf("%026d", n), fmt.Sprintf("%0128d", n)
		for j := range events.MaxItems {
			e.Changes = append(e.Changes, restore(fmt.Sprintf("5b1c9b0e-5d0c-4b43-9a0a-2f6f7d%06d", j+n%3*events.MaxItems))...)
		}
		if !d.Room(e) {
			break
		}
		d = d.Fold(e)
	}
	if b := d.encode(); len(b) >= 64<<10 || len(d.Pending) < 50 {
		t.Fatalf("%d events, %d bytes", len(d.Pending), len(b))
	}
}

// Counterexample 4.
func TestLaw06RetractionUncoversTheOlderWord(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).Fold(word(2, later(1), append(remove("x"), remove("bad")...)...)).See(shows(t0), timing)
	d = d.Retract("key02", events.Expired, "too old", t0)
	ended(t, d, "key02 expired")
	d = tell(t, d, "a", t0, "x")
	ended(t, d, "key02 expired", "key01 accepted")
}

func TestLaw06SupersededOnlyWhenTheWinnerIsTold(t *testing.T) {
	d := Device{}.Fold(word(2, later(time.Minute), remove("x")...)).Fold(word(1, t0, restore("x")...)).See(shows(t0), timing)
	ended(t, d)
	d = tell(t, d, "a", t0, "x")
	ended(t, d, "key01 superseded", "key02 accepted")
	d = d.Fold(word(0, later(-1), restore("x")...)) // another old one comes when the winner is told
	ended(t, d, "key01 superseded", "key02 accepted", "key00 superseded")
}

// Counterexample 5.
func TestLaw06AToldWordsTimeIsNeverErased(t *testing.T) {
	d := Device{}.Fold(word(1, later(10), remove("x")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "x").Reported("key01")
	d = d.Fold(word(2, later(20), append(restore("x"), remove("bad")...)...)).Retract("key02", events.Refused, "bad", t0)
	d = d.Fold(word(3, later(5), restore("x")...)) // an old dead letter is replayed
	ended(t, d, "key02 refused", "key03 superseded")
	next(t, d, t0, Done)
	held(t, d, "x")
}

func TestLaw07TombstonesStayUntilTheyAreForgotten(t *testing.T) {
	d := Device{}.Fold(word(2, later(time.Minute), remove("x")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "x").Reported("key02")
	old := func(d Device) Device { return d.Fold(word(1, t0, restore("x")...)) }
	ended(t, old(d), "key01 superseded")
	ended(t, old(d.Forget(t0)), "key01 superseded")
	yielded := d.See(shows(later(10*time.Hour)), timing) // Graph restored it; the word keeps its order
	held(t, yielded)
	ended(t, old(yielded), "key01 superseded")
	if got := d.Forget(later(1)); len(got.Told) != 0 || len(old(got).Pending) != 1 {
		t.Errorf("it is not forgotten: %v", got.Told)
	}
}

func TestLaw07WordsAreBounded(t *testing.T) {
	d := Device{}
	for n := range 3 * MaxWords {
		now := later(time.Duration(n) * time.Minute)
		d = d.Fold(word(n, now, restore(fmt.Sprint("app", n), "always")...)).See(shows(now), timing)
		for _, r := range d.Reports {
			d = d.Reported(r.Key)
		}
		if d.Next(now, timing) == Post {
			d = tell(t, d, "a", now)
			d.Reports = nil
		}
		if len(d.Told) > MaxWords {
			t.Fatalf("%d words", len(d.Told))
		}
	}
	if len(d.Told) != MaxWords || d.Told["always"].Seq != 3*MaxWords-1 {
		t.Fatalf("%d words, of always %v", len(d.Told), d.Told["always"])
	}
	if _, ok := d.Told["app0"]; ok {
		t.Fatal("the oldest word has not left")
	}
	late := func(at time.Time) Device { return d.Fold(word(9999, at, remove("app0")...)) }
	ended(t, late(later(time.Second)), "key9999 superseded") // no tombstone says so any more, the floor does
	if got := late(later(9000 * time.Minute)); len(got.Pending) != 1 {
		t.Error("a new word on a forgotten item is refused")
	}
}

// Counterexample 1.
func TestLaw08OrderDoesNotDependOnArrival(t *testing.T) {
	es := []Entry{
		word(1, t0, remove("x", "y")...), word(2, t0, restore("x")...), word(2, t0, remove("x")...), word(3, later(-1), restore("x", "y")...),
	}
	es[2].Key += "-r7" // one sequence: a replay of the other, whose content somebody changed
	want := Device{}
	for _, e := range es {
		want = want.Fold(e)
	}
	if got := ids(want.Set()); !slices.Equal(got, []string{"x", "y"}) {
		t.Fatalf("the set is %v", got)
	}
	for seed := range 200 {
		r := rand.New(rand.NewPCG(uint64(seed), 8))
		got := Device{}
		for _, i := range append(r.Perm(len(es)), r.Perm(len(es))...) {
			got = got.Fold(es[i])
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v, want %v", seed, got.Pending, want.Pending)
		}
	}
}

func TestLaw08AReplayIsAsOldAsItsEvent(t *testing.T) {
	d := Device{}.Fold(word(2, t0, remove("x")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "x").Reported("key02")
	replay := word(1, t0, restore("x")...) // of the same time, and earlier in CHANGES
	replay.Key, replay.Message, replay.Accepted = "key01-r41", 812, later(time.Hour)
	got := d.Fold(replay)
	ended(t, got, "key01-r41 superseded")

	replay.Changes = restore("y") // of what nobody spoke of since
	got = d.Fold(replay).Fold(replay)
	if len(got.Pending) != 1 || got.Pending[0].Message != 812 {
		t.Fatalf("replaying twice is one: %v", got.Pending)
	}
	if again := got.Expire(later(time.Hour+time.Minute), 4*time.Hour); len(again.Reports) > 0 {
		t.Error("its age counts from the first acceptance")
	}
}

// Counterexample 3.
func TestLaw09ASuccessIsNoRead(t *testing.T) {
	d, reads := Device{}, 0
	for n := range 240 { // two hours, an event each half minute
		now := later(time.Duration(n) * 30 * time.Second)
		d = d.Fold(word(n, now, changes([]events.Intent{events.Remove, events.Restore}[n%2], []string{"x"})...))
		if d.Next(now, timing) == Observe {
			reads++
			d = d.See(Sight{At: now, Removed: d.View.Held}, timing)
		}
		if d.Next(now, timing) == Post {
			at := d.View.At
			d = must(t)(d.Begin("a", now, timing).Accepted("a", "rq", now))
			if !d.View.At.Equal(at) {
				t.Fatal("a success is taken for a read")
			}
		}
		d.Reports = nil
	}
	if reads < 70 {
		t.Errorf("%d reads in two hours: a portal edit would be undone by the next call", reads)
	}
}

func TestLaw09TheSetHoldsWhatOthersRemoved(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0, "portal"), timing)
	d = tell(t, d, "a", t0, "portal", "x").Reported("key01")
	now := later(time.Hour)
	d = d.Fold(word(2, now, restore("x")...))
	next(t, d, now, Observe)
	d = d.See(shows(now, "portal2", "x"), timing) // an admin restored one and removed another
	tell(t, d, "b", now, "portal2")
}

// Counterexample 2.
func TestLaw10ALateReadFlipsNoRestore(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "x")
	now := later(time.Hour)
	d = d.Fold(word(2, now, restore("x")...)).See(shows(now, "x"), timing)
	d = tell(t, d, "b", now)
	d = d.See(shows(now.Add(timing.Lag), "x"), timing) // Graph still shows the state before
	held(t, d)
	d = d.See(shows(now.Add(timing.Lag+timing.Skew+1), "x"), timing) // no longer late: an admin removed it
	held(t, d, "x")
}

func TestLaw10AbsenceIsNotBelievedWithinHold(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "x").Reported("key01")
	held(t, d.See(shows(later(timing.Hold)), timing), "x")
	held(t, d.See(shows(later(timing.Hold+1)), timing)) // Graph restores by itself from then on
	held(t, d.See(Sight{At: later(time.Minute), Restored: list("x")}, timing))
}

func TestLaw10AnOlderReadIsPassedOver(t *testing.T) {
	d := Device{}.See(shows(later(time.Minute), "x"), timing)
	for _, at := range []time.Time{t0, later(time.Minute)} {
		if got := d.See(shows(at), timing); !reflect.DeepEqual(got, d) {
			t.Errorf("a read of %v is believed after one of %v", at, d.View.At)
		}
	}
}

// Counterexample 6.
func TestLaw10ALateCallIsNotAnAdmins(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = post(t, d, "a", t0, "x") // no answer; Graph applies it three minutes later
	now := d.Attempt.Until
	d = d.See(shows(now), timing).Fold(word(2, now, restore("x")...))
	d = tell(t, d, "b", now)
	ended(t, d, "key01 superseded", "key02 accepted")
	d = d.Reported("key01", "key02")
	now = now.Add(3 * time.Minute)
	d = d.See(shows(now, "x"), timing)
	held(t, d)
	d = tell(t, d, "c", now) // told again
	next(t, d, now, Wait)
	now = d.WaitUntil()
	next(t, d.See(shows(now), timing), now, Done)
}

// A seed of a million. What a late call has undone is told again, and that is
// refused because an app of the set has just been deleted in Intune, which then
// lists it no longer: what is left of the late set is not an admin's edit either.
func TestLaw10ALateCallIsFoundThoughAnAppIsGone(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x", "gone")...)).See(shows(t0), timing)
	d = post(t, d, "a", t0, "gone", "x") // no answer; Graph applies it three minutes later
	now := d.Attempt.Until
	d = d.See(shows(now), timing).Fold(word(2, now, restore("x")...))
	d = tell(t, d, "b", now, "gone").Reported("key01", "key02")
	now = now.Add(3 * time.Minute)
	d = d.See(shows(now, "gone", "x"), timing)
	now = now.Add(time.Second)
	d = refuse(t, d, "c", now, "gone")
	now = now.Add(time.Minute)
	d = d.See(shows(now, "x"), timing)
	held(t, d)
	tell(t, d, "e", now)
}

func TestLaw10ACallWithoutAnAnswerIsLookedUp(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = must(t)(post(t, d, "a", t0, "x").InDoubt("a", later(time.Second), timing))
	next(t, d, later(time.Second), Wait)
	at := d.WaitUntil()
	if want := later(time.Second + timing.Skew + timing.Lag); !at.Equal(want) {
		t.Fatalf("it is looked up at %v, want %v", at, want)
	}
	next(t, d, at, Observe)
	taken := d.See(shows(at, "x"), timing)
	ended(t, taken, "key01 accepted")
	next(t, taken.Reported("key01"), at, Done)
	lost := d.See(shows(at), timing)
	ended(t, lost)
	tell(t, lost, "b", at, "x")
}

func TestLaw10ARestoreIsNotBelievedByAbsence(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "x").Reported("key01")
	now := later(time.Hour)
	d = d.Fold(word(2, now, restore("x")...)).See(shows(now), timing) // Graph has never listed x
	d = post(t, d, "b", now)
	at := d.Attempt.Until
	ended(t, d.See(shows(at), timing))
	ended(t, d.See(Sight{At: at, Restored: list("x")}, timing), "key02 accepted")
}

func TestLaw10UnchangedNeedsAReadThatCanShowIt(t *testing.T) {
	base := Device{}.See(shows(t0, "x"), timing)
	e := word(1, later(time.Minute), remove("x")...)
	after := later(2 * time.Minute)
	ended(t, base.Fold(e).See(shows(after, "x"), timing), "key01 unchanged")

	if got := base.Fold(e).See(shows(later(30*time.Second), "x"), timing); len(got.Reports) > 0 {
		t.Error("unchanged, by a read from before the event")
	}
	if got := base.Fold(e).See(shows(after), timing); len(got.Reports) > 0 {
		t.Error("unchanged, though Graph does not show it")
	}
	doubtful := base.Fold(e)
	doubtful.Doubts = []Doubt{{Set: list("y"), News: list("y"), Until: later(time.Hour)}}
	if got := doubtful.See(shows(after, "x"), timing); len(got.Reports) > 0 {
		t.Error("unchanged, though a call may undo it")
	}
	// Our call left x out: an admin had removed it after the read. A read that
	// lags shows the admin's removal, which the call has undone since.
	called := Device{}.Fold(word(1, t0, remove("y")...)).See(shows(t0), timing)
	called = tell(t, called, "a", t0, "y").Reported("key01").Fold(word(2, t0, remove("x")...))
	if got := called.See(shows(later(timing.Lag), "x", "y"), timing); len(got.Reports) > 0 {
		t.Error("unchanged, by a read that may be older than our last call")
	}
}

func TestLaw10WhatAnEarlierCallMayHaveBroughtStaysInDoubt(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x", "y")...)).See(shows(t0), timing)
	d = post(t, d, "a", t0, "x", "y") // no answer
	now := d.Attempt.Until
	e := word(2, later(1), remove("x")...)
	e.Approval = "A-2" // it is told by itself
	d = post(t, d.See(shows(now), timing).Fold(e), "b", now, "x")
	now = d.Attempt.Until
	d = d.See(shows(now, "x", "y"), timing) // the first call has come late; has the second?
	ended(t, d, "key02 accepted")
	d = tell(t, d, "c", now, "x", "y").Reported("key01", "key02")
	now = now.Add(time.Minute)
	d = d.See(Sight{At: now, Removed: list("x"), Restored: list("y")}, timing) // now it has
	tell(t, d, "d", now, "x", "y")
}

func TestLaw10DoubtsAreBounded(t *testing.T) {
	d := Device{}
	now := t0
	for n := 0; ; n++ {
		if n > 10*MaxDoubts {
			t.Fatal("doubts without end")
		}
		d = d.Fold(word(n, now, remove(fmt.Sprint("app", n))...)).See(shows(now), timing)
		if d.Next(now, timing) != Post {
			break
		}
		d = must(t)(d.Begin("a", now, timing).InDoubt("a", now, timing))
		now = d.WaitUntil()
		d = d.See(shows(now), timing)
	}
	if len(d.Doubts) != MaxDoubts {
		t.Errorf("%d doubts", len(d.Doubts))
	}
	next(t, d, now, Wait)
	d = d.See(shows(d.WaitUntil()), timing)
	next(t, d, d.View.At, Post)
}

func TestLaw11TheNewestHasNoRoomWhateverTheArrival(t *testing.T) {
	var there []string
	for n := range 28 {
		there = append(there, fmt.Sprintf("old%02d", n))
	}
	es := []Entry{
		word(1, t0, remove("x")...), word(2, later(time.Minute), remove("y")...),
		word(3, later(2*time.Minute), remove("z")...), word(4, later(3*time.Minute), restore("w")...),
	}
	for seed := range 24 {
		d := Device{}
		for i, n := range rand.New(rand.NewPCG(uint64(seed), 11)).Perm(len(es)) {
			e := es[n]
			e.Accepted = later(time.Duration(i) * time.Second)
			d = d.Fold(e)
		}
		d = d.See(shows(later(time.Hour), there...), timing)
		d = tell(t, d, "a", later(time.Hour), append(slices.Clone(there), "x", "y")...)
		ended(t, d, "key03 refused", "key01 accepted", "key02 accepted", "key04 accepted")
		if d.Reports[0].Request != "" || d.Reports[0].Reason == "" {
			t.Errorf("the refusal is not ours: %+v", d.Reports[0])
		}
	}
}

func TestLaw11RestoringMakesRoom(t *testing.T) {
	var there []string
	for n := range 30 {
		there = append(there, fmt.Sprintf("old%02d", n))
	}
	d := Device{}.Fold(word(1, t0, append(remove("x"), restore("old00")...)...)).See(shows(t0, there...), timing)
	d = tell(t, d, "a", t0, append(slices.Clone(there[1:]), "x")...)
	ended(t, d, "key01 accepted")
	d = d.Fold(word(2, later(1), remove("y")...)).Begin("b", t0, timing)
	if d.Attempt != nil {
		t.Fatal("an attempt is opened with nothing to tell")
	}
	ended(t, d, "key01 accepted", "key02 refused")
}

func TestLaw12OneAtATimeOldestFirst(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).Fold(word(2, later(1), remove("bad")...)).Fold(word(3, later(2), remove("z")...)).See(shows(t0), timing)
	d = refuse(t, d, "a", t0, "bad", "x", "z")
	ended(t, d)
	d = tell(t, d, "b", t0, "x")
	d = refuse(t, d, "c", t0, "bad", "x")
	d = tell(t, d, "p", t0, "x") // the probe: what Graph holds, without the suspect
	ended(t, d, "key01 accepted", "key02 refused")
	if r := d.Reports[1]; r.Request != "rq-c" || r.Reason != "an app does not exist" {
		t.Errorf("it is not said why: %+v", r)
	}
	d = tell(t, d, "e", t0, "x", "z")
	ended(t, d, "key01 accepted", "key02 refused", "key03 accepted")
}

// Counterexample 7.
func TestLaw12ADeletedAppTakesNobodyHostage(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("gone", "good")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "gone", "good").Reported("key01")
	now := later(time.Hour) // the app is deleted in Intune: every set that lists it is refused
	d = d.Fold(word(2, now, remove("y")...)).See(shows(now, "gone", "good"), timing)
	d = refuse(t, d, "b", now, "gone", "good", "y")
	d = refuse(t, d, "p1", now, "gone", "good")
	d = tell(t, d, "p2", now, "good")
	ended(t, d)
	d = d.See(shows(now.Add(timing.Lag), "gone", "good"), timing) // a read that lags does not bring it back
	d = tell(t, d, "c", now.Add(timing.Lag), "good", "y")
	ended(t, d, "key02 accepted")
}

// Graph refuses whatever it is told for a while. What it holds must be in the
// next set that it takes.
func TestLaw12WhatWasDroppedUnprovenCounts(t *testing.T) {
	for _, there := range [][]string{{"x"}, {"w", "x"}} {
		d := Device{}.Fold(word(1, t0, remove(there...)...)).See(shows(t0), timing)
		d = tell(t, d, "a", t0, there...).Reported("key01")
		now := later(time.Hour)
		d = d.Fold(word(2, now, remove("y")...)).See(shows(now, there...), timing)
		now = now.Add(time.Second)
		d = refuse(t, d, "b", now, append(there, "y")...)
		for len(d.Set()) > 0 && d.Blame.probing() {
			d = must(t)(d.Begin("p", now, timing).Refused("p", "no", "rq", now))
		}
		d = refuse(t, d, "c", now, "y")
		ended(t, d, "key02 refused")
		d = d.Reported("key02").Fold(word(3, now, remove("z")...))
		next(t, d, now, Observe)
		now = now.Add(time.Second)
		d = d.See(shows(now, there...), timing)
		tell(t, d, "d", now, append(there, "z")...)
	}
}

func TestLaw12ProbesAreBounded(t *testing.T) {
	var there []string
	for n := range 30 {
		there = append(there, fmt.Sprintf("old%02d", n))
	}
	d := Device{}.Fold(word(1, t0, restore("old00")...)).See(shows(t0, there...), timing)
	calls := 0
	for ; len(d.Reports) == 0; calls++ {
		if calls > 2*maxProbes {
			t.Fatal("probes without end")
		}
		d = must(t)(d.Begin("a", t0, timing).Refused("a", "no", "rq", t0))
	}
	ended(t, d, "key01 refused")
	if calls != maxProbes+1 || d.Blame != nil {
		t.Errorf("%d calls, %v", calls, d.Blame)
	}
}

func TestLaw12ADeviceThatIsGoneEndsEveryEvent(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).Fold(word(2, later(1), remove("y")...)).See(shows(t0), timing)
	d = post(t, d, "a", t0, "x", "y").Gone("no such device", "rq", t0)
	ended(t, d, "key01 refused", "key02 refused")
	next(t, d.Reported("key01", "key02"), t0, Done)
	if d.Attempt != nil || d.Reported("key01", "key02").Due() {
		t.Error("a device that is gone is due")
	}
}

func TestLaw12ALostPermissionBlamesNobody(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = must(t)(post(t, d, "a", t0, "x").Released("a"))
	ended(t, d)
	d = tell(t, d, "b", t0, "x")
	ended(t, d, "key01 accepted")
}

func TestLaw12ACallTurnedDownAsAWholeEndsItsEvents(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = post(t, d, "a", t0, "x").Fold(word(2, later(1), remove("y")...)) // after the call was announced
	d = must(t)(d.Ended("a", events.ApprovalRequired, "a second admin", "rq", "A-17", t0))
	ended(t, d, "key01 approval_required")
	tell(t, d, "b", t0, "y")
}

func TestLaw13NothingExpiresUnderAnOpenAttempt(t *testing.T) {
	const age = 4 * time.Hour
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(later(age)), timing)
	open := post(t, d, "a", later(age), "x")
	if got := open.Expire(later(age+time.Second), age); !reflect.DeepEqual(got, open) {
		t.Error("an event that is being told expires")
	}
	ended(t, d.Expire(later(age), age))
	d = d.Expire(later(age+time.Second), age)
	ended(t, d, "key01 expired")
	next(t, d.Reported("key01"), later(age), Done)
}

func TestLaw13NobodyTouchesAnOpenAttempt(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = post(t, d, "a", t0, "x")
	// The other worker's clock may be Skew ahead, the bytes may be written at the
	// end of the budget, and Graph may take Lag to show them.
	if want := later(timing.Budget + timing.Skew + timing.Lag); !d.Attempt.Until.Equal(want) {
		t.Fatalf("the attempt ends at %v, want %v", d.Attempt.Until, want)
	}
	before := d.Attempt.Until.Add(-1)
	next(t, d, before, Wait)
	next(t, d, d.Attempt.Until, Observe)
	if !d.WaitUntil().Equal(d.Attempt.Until) {
		t.Errorf("it is looked at again at %v", d.WaitUntil())
	}
	if got := d.See(shows(before, "x"), timing); !reflect.DeepEqual(got, d) {
		t.Error("a read that may not show the call closes its attempt")
	}
}

func TestLaw13AZombiesAnswerIsLost(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = post(t, d, "a", t0, "x")
	until := d.Attempt.Until
	d = d.See(shows(until), timing)
	for _, d := range []Device{d, post(t, d, "b", until, "x")} {
		for what, f := range map[string]func() (Device, error){
			"accepted": func() (Device, error) { return d.Accepted("a", "rq", until) },
			"refused":  func() (Device, error) { return d.Refused("a", "no", "rq", until) },
			"in doubt": func() (Device, error) { return d.InDoubt("a", until, timing) },
			"released": func() (Device, error) { return d.Released("a") },
			"ended":    func() (Device, error) { return d.Ended("a", events.ApprovalRequired, "no", "rq", "", until) },
		} {
			if got, err := f(); !errors.Is(err, ErrLost) || !reflect.DeepEqual(got, d) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}
