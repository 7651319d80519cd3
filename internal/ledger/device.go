// Package ledger keeps one document per managed device: what Graph is believed
// to hold, which events it has not been told yet, and the call that may be in
// flight.
//
// Graph's changeAssignments declares a device's whole removal set: what a call
// leaves out is restored. So an event is never forwarded. It is folded into the
// device's document, and a worker obeys Next until the device is settled:
//
//	           Fold                 Begin               Accepted
//	settled ─────────► untold ───────────────► attempt ───────────► settled
//	   ▲                │   ▲                   │ │ │
//	   │     See shows  │   │  Refused: blame   │ │ │ no clear answer: left open
//	   └────────────────┘   └───────────────────┘ │ └──────► Wait until it must show,
//	    (unchanged)         ▲   Released: not sent│          then Observe ── See ──►
//	                        └─────────────────────┘          told, or untold and in doubt
//
// Everything in this file and its neighbours set.go, answer.go, blame.go, see.go, close.go and room.go is
// pure: a Device is a value, methods return the next one and take the time as
// an argument. The open attempt, written by compare-and-swap before Graph is
// called, is the only coordination between workers (store.go).
//
// The words: an event's change of one item is a word. Words on an item are
// ranked by Order and the newest wins. A word that Graph is known to have taken
// is told, and stays as a tombstone so that an older one undoes nothing. An
// event that restores everything is one word on every item, known or not.
package ledger

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"changerelay/internal/events"
)

// ErrLost reports that an attempt is no longer the open one: another worker
// has closed it, and what this one learnt of it is too late.
var ErrLost = errors.New("attempt lost to another worker")

// Fold adds the words of e. The newest word on an item wins, so the order in
// which events are folded, and how often, does not matter.
func (d Device) Fold(e Entry) Device {
	if d.Knows(e.Key) {
		return d
	}
	d = d.clone()
	e.Trace = d.remembered(e.Trace)
	if !d.has(e) {
		e.Winner = d.winner(e)
		d.end(e, events.Superseded, "a newer change of the same items has been told", "", e.Accepted)
		return d
	}
	i, _ := slices.BinarySearchFunc(d.Pending, e.Order, func(p Entry, o Order) int { return p.Compare(o) })
	d.Pending = slices.Insert(d.Pending, i, e)
	return d
}

// Knows reports whether an event is in the document: untold, told, or waiting
// to be reported.
func (d Device) Knows(key string) bool {
	_, known := d.Message(key)
	return known
}

// Message returns the sequence of the message that an event in the document came
// in; 0 if that is no longer known.
func (d Device) Message(key string) (seq uint64, known bool) {
	for _, e := range d.Pending {
		if e.Key == key {
			return e.Message, true
		}
	}
	for _, r := range d.Reports {
		if r.Key == key {
			return r.Message, true
		}
	}
	for _, w := range d.Told {
		if w.Key == key {
			return w.message(), true
		}
	}
	if key != "" && d.Floor.Key == key { // it restored everything, and newer words may have its items
		return d.Floor.message(), true
	}
	return 0, false
}

// message is the sequence of the message that a told word came in; 0 of a
// replay, whose Seq is its first message's.
func (o Order) message() uint64 {
	if strings.Contains(o.Key, "-r") {
		return 0
	}
	return o.Seq
}

// has reports whether any word of e outranks what was told.
func (d Device) has(e Entry) bool {
	return slices.ContainsFunc(e.Changes, func(c events.Change) bool { return d.outranks(e, c) })
}

// outranks reports whether e's change c outranks what was told.
func (d Device) outranks(e Entry, c events.Change) bool {
	if c.Intent != events.RestoreAll {
		return d.over(e, c.Item.ID)
	}
	if e.Newer(d.Floor) {
		return true
	}
	for _, w := range d.Told {
		if e.Newer(w.Order) {
			return true
		}
	}
	return false
}

// over reports whether e's word on an item outranks what was told of it.
func (d Device) over(e Entry, item string) bool {
	if w, ok := d.Told[item]; ok {
		return e.Newer(w.Order)
	}
	return e.Newer(d.Floor)
}

// A Step is what a worker has to do next for a device.
type Step int

const (
	Done    Step = iota // settled
	Wait                // a call may be in flight, or come late: look again at WaitUntil
	Observe             // read what Graph holds, then See
	Post                // Begin, tell Graph the whole set, then record the answer
)

func (s Step) String() string { return [...]string{"done", "wait", "observe", "post"}[s] }

// Next says what has to be done at now.
func (d Device) Next(now time.Time, t Timing) Step {
	switch {
	case d.Attempt != nil && now.Before(d.Attempt.Until):
		return Wait
	case d.Attempt != nil:
		return Observe
	case !d.Untold() && len(d.Doubts) == 0:
		return Done
	case !d.Untold() || len(d.Doubts) >= MaxDoubts:
		if now.Before(d.WaitUntil()) {
			return Wait
		}
		return Observe
	case now.Sub(d.View.At).Abs() > t.Fresh:
		return Observe
	}
	return Post
}

// WaitUntil is when a device whose Next is Wait has to be looked at again.
func (d Device) WaitUntil() time.Time {
	if d.Attempt != nil {
		return d.Attempt.Until
	}
	var at time.Time
	for _, b := range d.Doubts {
		if at.IsZero() || b.Until.Before(at) {
			at = b.Until
		}
	}
	return at
}

// Untold reports whether Graph still has to be told something.
func (d Device) Untold() bool { return len(d.Pending) > 0 || d.Retell || d.Blame.probing() }

// Due reports whether the device needs a worker: something is untold, an
// attempt is open or in doubt, or an outcome is unreported.
func (d Device) Due() bool {
	return d.Untold() || d.Attempt != nil || len(d.Doubts) > 0 || len(d.Reports) > 0
}

// Begin opens attempt id. The caller must write nothing to Graph after
// now+Budget. Events that would make the set larger than Graph allows are
// refused here, the newest first, so that the order of arrival does not decide;
// if nothing is left to tell, no attempt is opened.
func (d Device) Begin(id string, now time.Time, t Timing) Device {
	d = d.clone()
	d.trim(now)
	if !d.Untold() {
		return d
	}
	a := &Attempt{ID: id, Set: d.Set(), Begun: now, Until: now.Add(t.Budget + t.Skew + t.Lag)}
	for _, i := range d.carried() {
		d.Pending[i].Attempts++
		if d.Pending[i].Called.IsZero() {
			d.Pending[i].Called = d.Pending[i].since(now)
		}
		a.Keys = append(a.Keys, d.Pending[i].Key)
	}
	d.Attempt = a
	return d
}

// Newest is the newest event of the open attempt, whose Target is the route by
// which the attempt is to be made; the zero Entry if it carries none.
func (d Device) Newest() Entry {
	for _, e := range slices.Backward(d.Pending) {
		if d.Attempt != nil && slices.Contains(d.Attempt.Keys, e.Key) {
			return e
		}
	}
	return Entry{}
}

// Approval is the code of the approval with which the open attempt is to be
// made; "" if its event has none, or it carries several.
func (d Device) Approval() string {
	if d.Attempt == nil || len(d.Attempt.Keys) != 1 {
		return ""
	}
	return d.Newest().Approval
}

// end moves e to the reports.
func (d *Device) end(e Entry, o events.Outcome, reason, request string, now time.Time) {
	d.Reports = append(d.Reports, Report{Entry: e, Outcome: o, Reason: reason, Request: request, Ended: now})
}

// endAt ends pending event i.
func (d *Device) endAt(i int, o events.Outcome, reason, request string, now time.Time) {
	e := d.Pending[i]
	d.Pending = slices.Delete(d.Pending, i, i+1)
	d.end(e, o, reason, request, now)
	d.unblame()
}

// Expire ends events that were accepted more than age ago and are still
// untold. Nothing expires under an open attempt: it may be telling them.
func (d Device) Expire(now time.Time, age time.Duration) Device {
	if d.Attempt != nil {
		return d
	}
	d = d.clone()
	for i := len(d.Pending) - 1; i >= 0; i-- {
		if now.Sub(d.Pending[i].Accepted) > age {
			d.endAt(i, events.Expired, "not told to Graph within "+age.String()+" of acceptance", "", now)
		}
	}
	return d
}

// Reported clears the reports of keys.
func (d Device) Reported(keys ...string) Device {
	d = d.clone()
	d.Reports = slices.DeleteFunc(d.Reports, func(r Report) bool { return slices.Contains(keys, r.Key) })
	return d
}

func (d Device) clone() Device {
	d.Pending, d.Reports, d.Doubts = slices.Clone(d.Pending), slices.Clone(d.Reports), slices.Clone(d.Doubts)
	if d.Told = maps.Clone(d.Told); d.Told == nil {
		d.Told = map[string]Word{}
	}
	if d.Blame != nil {
		b := *d.Blame
		d.Blame = &b
	}
	return d
}

func index(items []events.Item) map[string]events.Item {
	m := make(map[string]events.Item, len(items))
	for _, it := range items {
		m[it.ID] = it
	}
	return m
}

func sorted(m map[string]events.Item) []events.Item {
	return slices.SortedFunc(maps.Values(m), func(a, b events.Item) int { return cmp.Compare(a.ID, b.ID) })
}
