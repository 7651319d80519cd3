// Package proof judges recorded histories of the relay: whether what it promises
// (docs/protocol.md, "Promises") held while everything around it broke.
//
// A History is what was seen from outside: what senders sent and were answered,
// what the broker stored, what the simulated Graph was asked and held, what
// became of each event, and what a nemesis did meanwhile. Check reads it and
// returns each Violation. It does not say how often something may fail: a
// violation is a defect of the relay, or of the history.
//
//	senders ──► Sent ─┐
//	broker ───► Stored, Outcomes, Letters ─┤
//	Graph ────► Calls, Edits, Final ───────┼──► Check ──► []Violation ──► Timeline(device)
//	nemesis ──► Faults ────────────────────┘
//
// It is written apart from the code under test and shares nothing with it: no
// type, no constant, no function. The protocol says how the relay comes to a set;
// here it is only asked whether anybody had asked for what a call changed. So a
// mistake in the one cannot be repeated in the other without being written twice.
//
// Where the promises leave room, so does the checker, and no more:
//
//   - An event that was stored but not folded yet may be missing in a call: any
//     word that is no older than the newest told one will do.
//   - An admin's edit shortly before a call (Limits.Fresh) may not have been read.
//   - An admin's edit that a call undid unseen may still be shown by a read that lags, and put back.
//   - A call that Graph keeps for longer than Limits.Budget is out of the relay's hands: its sender
//     has hung up, or is stopped and cannot. Another may follow, and what it does later is late.
//   - A set that Graph applies late undoes newer ones: that is Graph's doing. The
//     relay has to tell its set again, and the end must be right.
package proof

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Promise names what was broken.
type Promise string

// The promises, by their numbers in docs/protocol.md, and what else must be true.
const (
	Lost       Promise = "1 nothing acknowledged is lost"
	Partial    Promise = "2 nothing partial"
	Stale      Promise = "3 nothing stale"
	Overlap    Promise = "4 never two calls in flight for a device"
	Quota      Promise = "4 never more than the quota"
	Silent     Promise = "5 exactly one final outcome"
	Untrue     Promise = "5 the outcome is true"
	Unlettered Promise = "5 a dead letter for each that a person must look at"
	Wrong      Promise = "the device ends as the tickets say"
)

// Promises lists them all: for each a broken history must be convicted.
var Promises = []Promise{Lost, Partial, Stale, Overlap, Quota, Silent, Untrue, Unlettered, Wrong}

// A Violation is one promise broken once.
type Violation struct {
	Promise Promise
	Device  Device
	Event   string // its id; "" if it is of no single event
	Call    int    // the call's number; 0 if it is of no single call
	Text    string
}

func (v Violation) String() string {
	s := fmt.Sprintf("%s: %s: %s", v.Promise, v.Device, v.Text)
	if v.Event != "" {
		s += " (event " + v.Event + ")"
	}
	if v.Call != 0 {
		s += fmt.Sprintf(" (call %d)", v.Call)
	}
	return s
}

// Check returns every violation in the history, device by device. Of one that was cut it
// returns only what nothing that comes later can mend; it must have been read in this
// order: Sent, Outcomes, Calls with Edits, Stored and Letters.
func Check(h History) (found []Violation) {
	found = append(found, h.acknowledged()...)
	found = append(found, h.ended()...)
	found = append(found, h.lettered()...)
	found = append(found, h.paced()...)
	for _, c := range h.stories() {
		found = append(found, c.overlaps()...)
		found = append(found, c.sets()...)
		found = append(found, c.truths()...)
		if !h.Cut {
			found = append(found, c.end()...)
		}
	}
	slices.SortStableFunc(found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Device.String(), b.Device.String()), cmp.Compare(a.Promise, b.Promise))
	})
	return found
}

// skew is how far two clocks of one machine may be apart as they are read.
const skew = 2 * time.Millisecond
