package main

import (
	"fmt"
	"slices"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/ledger"
)

// A nextStep is what a worker would do with the device if it looked now.
type nextStep struct {
	Step  string    `json:"step"` // done, wait, observe, post, or report
	Why   string    `json:"why"`
	At    time.Time `json:"at,omitzero"`          // at the earliest; absent is now
	Waits []string  `json:"waits_for,omitempty"`  // what At is of
	Call  *nextCall `json:"call,omitempty"`       // to Graph, unless a read shows something else
	After string    `json:"call_after,omitempty"` // "read" if Graph is read before the call
}

// A nextCall is one that tells Graph a set.
type nextCall struct {
	Route  string    `json:"route"`            // below deviceManagement
	Set    []setItem `json:"set"`              // whole, with what it restores
	Events []string  `json:"events,omitempty"` // that it tells
	Probe  bool      `json:"probe,omitempty"`  // it finds out what Graph refuses, and tells nobody's event
}

// A setItem is an item of the set, or one that the set leaves out.
type setItem struct {
	Change string `json:"change"` // removed (by this call), kept (under removal), restored (by leaving it out)
	Type   string `json:"type"`
	ID     string `json:"id"`
}

// next is what a worker would do, and when.
func (s *sight) next() nextStep {
	d := s.doc.Expire(s.now, s.maxAge)
	n := nextStep{Step: d.Next(s.now, s.timing).String()} // a worker publishes outcomes before it
	switch n.Step {
	case ledger.Done.String():
		n.Why = "the device is settled"
		if len(d.Reports) > 0 {
			n.Step, n.Why = "report", "nothing is left to tell, and outcomes are to be published"
		}
		return n
	case ledger.Wait.String():
		n.Why = "a call may be in flight or come late"
		n.wait(s.now, d.WaitUntil(), "that call")
		return n
	case ledger.Observe.String():
		n.Why, n.After = "read what Graph holds", "read"
		s.budget(&n, s.read, "reads")
		d = s.seen(d)
	default:
		n.Why = "tell Graph the device's whole set"
	}
	if n.Call = s.call(d); n.Call != nil {
		if left := d.Called.Add(s.pace); left.Sub(s.now) <= s.pace {
			n.wait(s.now, left, "the pace of a device's calls")
		}
		s.budget(&n, s.write, "writes")
	}
	return n
}

// budget has the step wait for the tenant's quota.
func (s *sight) budget(n *nextStep, b budget, calls string) {
	if !s.budgets {
		return
	}
	n.wait(s.now, s.notice.Until, "the tenant's pause: "+s.notice.Why)
	n.wait(s.now, b.paused(s.now), "the tenant's pause for "+calls+": Graph answered 429")
	n.wait(s.now, b.ready(s.now), "the tenant's quota of "+calls)
}

// wait moves the step's time, if that is later.
func (n *nextStep) wait(now, until time.Time, what string) {
	if until.After(now) && until.After(n.At) {
		n.At = until.UTC()
		n.Waits = append(n.Waits, what)
	}
}

// seen is the document after a worker would have read what Graph shows now; as it
// is if Graph was not asked.
func (s *sight) seen(d ledger.Device) ledger.Device {
	if s.graph == nil {
		return d
	}
	return d.See(ledger.Sight{At: s.asked, Removed: itemsOf(s.graph.Removed), Restored: itemsOf(s.graph.Restored), Own: s.own}, s.timing)
}

func itemsOf(from []graph.Item) []events.Item {
	to := make([]events.Item, len(from))
	for i, it := range from {
		to[i] = events.Item{ID: it.ID, Type: events.ItemType(it.Type)}
	}
	return to
}

// call is what the document would tell; nil if that is nothing.
func (s *sight) call(d ledger.Device) *nextCall {
	if d.Attempt != nil || !d.Untold() {
		return nil
	}
	b := d.Begin("next", s.now, s.timing)
	if b.Attempt == nil {
		return nil // what does not fit is refused
	}
	c := &nextCall{Route: "managedDevices/" + s.addr.Device, Set: changesOf(b.Attempt.Set, d.View.Held), Probe: len(b.Attempt.Keys) == 0 && !d.Retell}
	if t := b.Newest().Target; t != "" {
		c.Route = string(t)
	}
	for _, key := range b.Attempt.Keys {
		c.Events = append(c.Events, events.Ref{Address: s.addr, Key: key}.String())
	}
	return c
}

// changesOf compares a set with what is held.
func changesOf(set, held []events.Item) (all []setItem) {
	has := func(list []events.Item, id string) bool {
		return slices.ContainsFunc(list, func(it events.Item) bool { return it.ID == id })
	}
	for _, it := range set {
		word := "kept"
		if !has(held, it.ID) {
			word = "removed"
		}
		all = append(all, setItem{word, string(it.Type), it.ID})
	}
	for _, it := range held {
		if !has(set, it.ID) {
			all = append(all, setItem{"restored", string(it.Type), it.ID})
		}
	}
	return all
}

// sign stands before an item in a table.
func (i setItem) sign() string {
	return map[string]string{"removed": "+", "restored": "-"}[i.Change]
}

// say is the step in a line.
func (n nextStep) say(now time.Time) string {
	when := ", now"
	switch {
	case n.Step == ledger.Done.String():
		return "nothing: " + n.Why
	case !n.At.IsZero():
		when = " until " + stamp(n.At, now)
		if n.Step != ledger.Wait.String() {
			when = ", not before " + stamp(n.At, now) + fmt.Sprintf(" for %s", n.Waits[len(n.Waits)-1])
		}
	}
	return n.Step + when + ": " + n.Why
}
