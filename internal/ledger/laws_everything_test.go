package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"changerelay/internal/events"
)

// Laws 16 to 18: to restore everything, to keep own removals alone, and to tell
// with an approval.

// everything makes event n, decided at, that restores everything.
func everything(n int, at time.Time) Entry {
	return word(n, at, events.Change{Intent: events.RestoreAll})
}

func TestLaw16EverythingIsOneWordOnEachItem(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "x").Reported("key01")
	d = d.Fold(word(4, later(4), remove("y")...)).Fold(everything(3, later(3))).Fold(word(2, later(2), remove("z")...))
	d = d.See(shows(later(time.Minute), "portal", "x"), timing)
	d = tell(t, d, "b", later(time.Minute), "y")
	ended(t, d, "key02 superseded", "key03 accepted", "key04 accepted")
	for item, want := range map[string]string{"x": "key03 restore", "portal": "key03 restore", "y": "key04 remove"} {
		if w := d.Told[item]; w.Key+" "+string(w.Intent) != want {
			t.Errorf("of %s is told %+v, want %s", item, w, want)
		}
	}
	d = d.Reported("key02", "key03", "key04")
	if again := d.Fold(everything(3, later(3))); len(again.Reports) > 0 || again.Due() {
		t.Error("it is not known any more")
	}
	old := d.Fold(word(0, later(1), remove("x", "y", "z", "unheard of")...))
	ended(t, old, "key00 superseded")
	ended(t, d.Fold(everything(0, later(2))), "key00 superseded")
	if got := d.Fold(word(5, later(5), remove("x")...)); !slices.Equal(ids(got.Set()), []string{"x", "y"}) {
		t.Errorf("a newer word is not heard: %v", ids(got.Set()))
	}
}

func TestLaw16WhatIsNewerAndToldStays(t *testing.T) {
	d := Device{}.Fold(word(2, later(2), remove("x")...)).See(shows(t0, "portal"), timing)
	d = tell(t, d, "a", t0, "portal", "x").Reported("key02")
	d = tell(t, d.Fold(everything(1, later(1))), "b", t0, "x")
	ended(t, d, "key01 accepted")
}

// Whatever comes when, and is told when, the device is the same in the end.
func TestLaw16TheOrderOfArrivalDoesNotMatter(t *testing.T) {
	es := []Entry{
		word(1, later(1), remove("a", "b")...), everything(2, later(2)), word(3, later(3), remove("b", "c")...),
		everything(4, later(4)), word(5, later(5), remove("c", "d")...), word(6, later(6), restore("d")...),
	}
	for seed := range 500 {
		r := rand.New(rand.NewPCG(uint64(seed), 16))
		d, now, graph := Device{}, t0, list("portal")
		settle := func() {
			now = now.Add(2 * time.Minute)
			d = d.See(Sight{At: now, Removed: graph}, timing)
			if d.Next(now, timing) == Post {
				d = d.Begin("a", now, timing)
				graph = d.Attempt.Set
				d = must(t)(d.Accepted("a", "rq", now))
			}
		}
		for _, i := range r.Perm(len(es)) {
			d = d.Fold(es[i])
			if r.IntN(2) == 0 {
				settle()
			}
		}
		settle()
		if got := ids(graph); !slices.Equal(got, []string{"c"}) {
			t.Fatalf("seed %d: Graph holds %v, want c", seed, got)
		}
		if len(d.Reports) != len(es) {
			t.Fatalf("seed %d: %d of %d events have ended", seed, len(d.Reports), len(es))
		}
	}
}

func TestLaw16RetractionUncoversWhatItOutranked(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).Fold(everything(2, later(1))).See(shows(t0, "portal"), timing)
	d = d.Retract("key02", events.Expired, "too old", t0)
	d = tell(t, d, "a", t0, "portal", "x")
	ended(t, d, "key02 expired", "key01 accepted")
}

func TestLaw16AReadThatLagsBringsNothingBack(t *testing.T) {
	d := Device{}.Fold(everything(1, t0)).See(shows(t0, "portal"), timing)
	d = tell(t, d, "a", t0)
	held(t, d.See(shows(later(timing.Lag), "portal"), timing))
	held(t, d.See(shows(later(timing.Lag+timing.Skew+1), "portal"), timing), "portal") // an admin removed it since
}

func TestLaw16UnchangedIfAReadShowsNothingRemoved(t *testing.T) {
	e, after := everything(1, later(time.Minute)), later(2*time.Minute)
	d := Device{}.See(shows(t0), timing).Fold(e)
	ended(t, d.See(shows(after), timing), "key01 unchanged")
	tell(t, d.See(shows(after, "portal"), timing), "a", after)
	newer := d.Fold(word(2, e.Time.Add(1), remove("x")...))
	ended(t, newer.See(shows(after, "x"), timing), "key01 unchanged", "key02 unchanged")
	tell(t, newer.See(shows(after), timing), "a", after, "x")

	// x was restored by a call whose reply was lost. The read may be older.
	lags := d
	lags.Told = map[string]Word{"x": {Order: Order{Time: t0}, Item: simItem("x"), Intent: events.Restore, At: after.Add(-1)}}
	if got := lags.See(shows(after, "x"), timing); len(got.Reports) > 0 {
		t.Error("unchanged, though x is shown as removed")
	}
}

func TestLaw16BlameTellsItWithoutWhatItOutranks(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).Fold(everything(2, later(1))).Fold(word(3, later(2), remove("bad")...)).See(shows(t0, "portal"), timing)
	d = refuse(t, d, "a", t0, "bad")
	d = tell(t, d, "b", t0) // x would be undone at once
	ended(t, d, "key01 superseded", "key02 accepted")
	d = refuse(t, d, "c", t0, "bad")
	ended(t, d, "key01 superseded", "key02 accepted", "key03 refused")
}

func TestLaw16ItIsBlamedAsAny(t *testing.T) {
	d := Device{}.Fold(everything(1, t0)).See(shows(t0, "portal"), timing)
	ended(t, refuse(t, d, "a", t0), "key01 refused") // Graph takes no empty set: nothing is left to find out

	d = Device{}.Fold(word(2, later(1), remove("x")...)).See(shows(t0, "portal"), timing)
	d = tell(t, d, "a", t0, "portal", "x").Reported("key02").Fold(everything(1, t0))
	d = refuse(t, d, "b", t0, "x")
	d = tell(t, d, "p", t0, "portal", "x")
	ended(t, d, "key01 refused")
	next(t, d.Reported("key01"), t0, Done)
}

// To restore nothing looks like a call that was taken; so does an admin who has
// restored the same.
func TestLaw16WhatAnAdminMayHaveRestoredStaysInDoubt(t *testing.T) {
	d := Device{}.Fold(everything(1, t0)).See(shows(t0, "portal"), timing)
	d = post(t, d, "a", t0)
	now := d.Attempt.Until
	d = d.See(Sight{At: now, Restored: list("portal")}, timing)
	ended(t, d, "key01 accepted")
	d = tell(t, d.Reported("key01").Fold(word(2, now, remove("x")...)), "b", now, "x").Reported("key02")
	next(t, d, now, Wait)
	now = d.WaitUntil()
	d = d.See(Sight{At: now, Restored: list("portal", "x")}, timing) // it came late, and restored x
	tell(t, d, "c", now, "x")
}

func TestLaw16AnAdminsRemovalDoesNotBelieACall(t *testing.T) {
	d := Device{}.Fold(everything(1, t0)).Fold(word(2, later(1), remove("x")...)).See(shows(t0, "portal"), timing)
	d = post(t, d, "a", t0, "x") // no answer
	now := d.Attempt.Until
	d = d.See(shows(now, "portal", "x"), timing)
	ended(t, d, "key01 accepted", "key02 accepted")
	held(t, d, "portal", "x") // removed again since
}

func TestLaw16ALateCallIsJudgedByNamedItems(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0, "portal"), timing)
	d = post(t, d, "a", t0, "portal", "x") // no answer
	now := d.Attempt.Until
	d = d.See(shows(now, "portal"), timing).Fold(everything(2, later(1)))
	d = tell(t, d, "b", now)
	ended(t, d, "key01 superseded", "key02 accepted")
	now = now.Add(time.Minute)
	d = d.See(shows(now, "x"), timing) // it came late, and an admin has restored the other item since
	held(t, d)
	tell(t, d, "c", now)
}

func TestLaw16WhatALateCallBringsBackIsRestoredAgain(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0, "one", "two"), timing)
	d = post(t, d, "a", t0, "one", "two", "x") // no answer
	now := d.Attempt.Until
	d = d.See(shows(now, "one", "two"), timing).Fold(everything(2, later(1))).Fold(word(3, later(2), remove("x")...))
	d = tell(t, d, "b", now, "x")
	now = now.Add(time.Minute)
	d = d.See(shows(now, "one", "x"), timing) // it came late, and an admin has restored one of the two since
	held(t, d, "x")
	tell(t, d, "c", now, "x")
}

func TestLaw16ALateRestoreIsJudgedByNamedItems(t *testing.T) {
	d := Device{}.Fold(everything(1, t0)).See(shows(t0, "portal"), timing)
	d = post(t, d, "a", t0) // no answer
	now := d.Attempt.Until
	d = d.See(shows(now, "portal"), timing).Fold(word(2, now, remove("x")...))
	d = tell(t, d, "b", now, "x").Reported("key01", "key02")
	for range 2 { // it came late; since then an admin has removed an item again
		now = now.Add(time.Minute)
		d = d.See(Sight{At: now, Removed: list("portal"), Restored: list("x")}, timing)
		held(t, d, "portal", "x")
	}
	tell(t, d, "c", now, "portal", "x")
}

// A word that nobody spoke, for an item that Graph no longer takes, lets nothing
// older than the floor come back.
func TestLaw16WhatIsDroppedKeepsTheFloor(t *testing.T) {
	d := Device{}.Fold(everything(5, later(5))).See(shows(t0), timing)
	d = tell(t, d, "a", t0).Reported("key05")
	now := later(time.Hour) // an admin removes an app, and deletes it in Intune
	d = d.Fold(word(6, later(6), remove("y")...)).See(shows(now, "gone"), timing)
	d = refuse(t, d, "b", now, "gone", "y")
	d = refuse(t, d, "p1", now, "gone") // the next probe would be the empty set
	d = tell(t, d, "c", now, "y").Reported("key06")
	ended(t, d.Fold(word(1, later(1), remove("gone")...)), "key01 superseded")
}

// own is a read of a device whose tenant keeps only the relay's removals.
func own(s Sight) Sight {
	s.Own = true
	return s
}

func TestLaw17OnlyOwnRemovalsAreToldAgain(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...))
	tell(t, d.See(shows(t0, "portal"), timing), "a", t0, "portal", "x")
	d = tell(t, d.See(own(shows(t0, "portal")), timing), "a", t0, "x").Reported("key01")
	now := later(time.Hour)
	d = d.Fold(word(2, now, remove("y")...)).See(own(shows(now, "portal", "x")), timing)
	d = tell(t, d, "b", now, "x", "y").Reported("key02")

	now = later(2 * time.Hour) // an event makes it ours
	d = d.Fold(word(3, now, remove("portal")...)).See(own(shows(now.Add(1), "portal", "x", "y")), timing)
	ended(t, d, "key03 unchanged")
	d = d.Reported("key03").Fold(word(4, now.Add(2), restore("x")...))
	tell(t, d, "c", now.Add(2), "portal", "y")
}

func TestLaw17OthersRemovalsAreNoReasonForACall(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(own(shows(t0)), timing)
	d = tell(t, d, "a", t0, "x").Reported("key01")
	now := later(time.Hour)
	d = d.See(own(shows(now, "portal", "x")), timing)
	next(t, d, now, Done)
	d = d.Fold(word(2, now, remove("x")...)).See(own(shows(now.Add(1), "portal", "x")), timing)
	ended(t, d, "key02 unchanged")
	d = d.Reported("key02").Fold(word(3, now.Add(2), restore("portal")...)).See(own(shows(now.Add(3), "portal", "x")), timing)
	ended(t, d) // it is removed, whoever did it
	tell(t, d, "b", now.Add(3), "x")
}

func TestLaw17OthersRemovalsDoNotBelieACall(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(own(shows(t0, "portal")), timing)
	d = post(t, d, "a", t0, "x") // no answer
	d = d.See(own(shows(d.Attempt.Until, "portal", "x")), timing)
	ended(t, d, "key01 accepted") // and an admin has removed the other one again
}

func TestLaw17OthersEditsAreNoLateCall(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(own(shows(t0)), timing)
	d = tell(t, d, "a", t0, "x").Reported("key01")
	now := later(time.Hour)
	d = d.See(own(shows(now, "portal", "x")), timing).Fold(word(2, now, remove("x")...))
	d.Pending[0].Accepted = now.Add(1)
	d = post(t, d, "b", now, "x") // no answer; an admin restores the other one, as the call would
	now = d.Attempt.Until
	d = d.See(own(Sight{At: now, Removed: list("x"), Restored: list("portal")}), timing)
	ended(t, d, "key02 unchanged")
	held(t, d, "x")
	next(t, d, now, Wait)
}

func TestLaw17OthersRemovalsDoNotPushOursOut(t *testing.T) {
	var there []string
	for n := range 30 {
		there = append(there, fmt.Sprintf("old%02d", n))
	}
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(own(shows(t0, there...)), timing)
	d = tell(t, d, "a", t0, "x").Reported("key01")
	d = d.Fold(word(2, later(1), remove("y")...)).See(own(shows(later(timing.Lag), there...)), timing) // from before the call
	tell(t, d, "b", later(timing.Lag), "x", "y")
}

func TestLaw17ARemovalThatStandsKeepsItsWord(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(own(shows(t0)), timing)
	d = tell(t, d, "a", t0, "x").Reported("key01")
	now := t0
	for n := range 2 * MaxWords {
		now = now.Add(time.Minute)
		d = d.Fold(word(n+2, now, restore(fmt.Sprint("app", n))...)).See(own(shows(now, "x", "portal")), timing)
		d.Reports = nil
	}
	if d.Due() || len(d.Told) != MaxWords {
		t.Fatalf("due %v, %d words", d.Due(), len(d.Told))
	}
	tell(t, d.Fold(word(9999, now, remove("y")...)), "b", now, "x", "y")
}

func TestLaw18AnApprovedSetIsToldByItself(t *testing.T) {
	approved := func(n int, cs []events.Change) Entry {
		e := word(n, later(time.Duration(n)), cs...)
		e.Approval = fmt.Sprint("A-", n)
		return e
	}
	d := Device{}.Fold(word(1, later(1), remove("v")...)).Fold(approved(2, remove("w"))).Fold(approved(3, remove("x"))).Fold(word(4, later(4), remove("y")...))
	d = d.See(shows(t0, "portal"), timing)
	if d = post(t, d, "a", t0, "portal", "w"); d.Approval() != "A-2" {
		t.Errorf("it is made with the approval %q", d.Approval())
	}
	d = tell(t, must(t)(d.Accepted("a", "rq", t0)), "b", t0, "portal", "w", "x")
	if d = post(t, d, "c", t0, "portal", "v", "w", "x", "y"); d.Approval() != "" {
		t.Errorf("it is made with the approval %q", d.Approval())
	}
	d = must(t)(d.Accepted("c", "rq", t0))
	ended(t, d, "key02 accepted", "key03 accepted", "key01 accepted", "key04 accepted")

	// What would be undone at once is not told by itself.
	d = Device{}.Fold(approved(2, remove("w"))).Fold(word(3, later(3), restore("w")...)).Fold(word(4, later(4), remove("y")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "y")
	ended(t, d, "key02 superseded", "key03 accepted", "key04 accepted")
}

func TestLaw18BlamesOrderWins(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("v")...)).Fold(word(3, later(3), remove("bad")...)).See(shows(t0), timing)
	d = refuse(t, d, "a", t0, "bad", "v")
	e := word(2, later(2), remove("w")...)
	e.Approval = "A-2"
	d = tell(t, d.Fold(e), "b", t0, "v")
	d = tell(t, d, "c", t0, "v", "w")
	d = refuse(t, d, "d", t0, "bad", "v", "w")
	d = tell(t, d, "p", t0, "v", "w")
	ended(t, d, "key01 accepted", "key02 accepted", "key03 refused")
}

func TestLaw18OthersAreNotUnchangedWithIt(t *testing.T) {
	e := word(1, t0, remove("w")...)
	e.Approval = "A-1"
	d := Device{}.Fold(e).Fold(word(2, later(1), restore("x")...)).See(shows(later(time.Minute), "w", "x"), timing)
	ended(t, d)
	d = tell(t, d, "a", later(time.Minute), "w", "x")
	tell(t, d, "b", later(time.Minute), "w")
}

func TestLaw18TheCodeIsReported(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	d = d.Fold(word(2, later(1), remove("y")...)).Retract("key02", events.Expired, "too old", t0)
	d = must(t)(post(t, d, "a", t0, "x").Ended("a", events.ApprovalRequired, "a second admin", "rq", "A-17", t0))
	ended(t, d, "key02 expired", "key01 approval_required")
	for i, want := range []string{"", "A-17"} {
		if r := d.Reports[i].Receipt(events.Address{Tenant: "acme", Device: "d"}); r.Approval != want {
			t.Errorf("of %s the receipt has the approval %q, want %q", r.ID, r.Approval, want)
		}
	}
}
