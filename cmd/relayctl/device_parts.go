package main

import (
	"fmt"
	"slices"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ledger"
)

// A pendingEvent is one that has no published outcome.
type pendingEvent struct {
	Event    string       `json:"event"`
	Ticket   string       `json:"ticket"`
	State    string       `json:"state"`           // waiting, calling, suspected, or an outcome
	Route    string       `json:"target,omitzero"` // by which its sender names the device
	Time     time.Time    `json:"time"`            // of the decision
	Accepted time.Time    `json:"accepted"`
	Expires  time.Time    `json:"expires,omitzero"` // unless it is told
	Calls    int          `json:"calls"`            // that carried it
	Changes  []itemChange `json:"changes"`
	Reason   string       `json:"reason,omitzero"`
}

// An itemChange is one item of an event.
type itemChange struct {
	Intent string `json:"intent"`
	Type   string `json:"type"`
	ID     string `json:"id"`
}

// events lists them, in the order in which they count.
func (s *sight) events() (all []pendingEvent) {
	for _, e := range s.doc.Pending {
		p := s.pendingEvent(e)
		p.State, p.Expires = "waiting", e.Accepted.Add(s.maxAge).UTC()
		if a := s.doc.Attempt; a != nil && slices.Contains(a.Keys, e.Key) {
			p.State = "calling"
		}
		if b := s.doc.Blame; b != nil && b.Suspect == e.Key {
			p.State, p.Reason = "suspected", b.Reason
		}
		all = append(all, p)
	}
	for _, r := range s.doc.Reports {
		p := s.pendingEvent(r.Entry)
		p.State, p.Reason = string(r.Outcome), r.Reason
		all = append(all, p)
	}
	return all
}

func (s *sight) pendingEvent(e ledger.Entry) pendingEvent {
	p := pendingEvent{Event: events.Ref{Address: s.addr, Key: e.Key}.String(), Ticket: e.Ticket, Route: string(e.Target), Time: e.Time.UTC(), Accepted: e.Accepted.UTC(), Calls: e.Attempts}
	p.Changes = changesOfEvent(e.Changes)
	return p
}

func changesOfEvent(cs []events.Change) []itemChange {
	all := []itemChange{}
	for _, c := range cs {
		all = append(all, itemChange{string(c.Intent), string(c.Item.Type), c.Item.ID})
	}
	return all
}

// states of events, in words.
var eventStates = map[string]string{"waiting": "waits to be told", "calling": "in the call that may be under way", "suspected": "suspected of being what Graph refuses"}

func (s *sight) printEvents(t *table) {
	es := s.events()
	if len(es) == 0 {
		return
	}
	t.gap()
	t.row("TICKET", "STATE", "ACCEPTED", "EXPIRES", "CALLS", "EVENT")
	for _, e := range es {
		state, ok := eventStates[e.State]
		if !ok {
			state = e.State + ", to be published"
		}
		t.row(e.Ticket, state, stamp(e.Accepted, s.now), dash(stamp(e.Expires, s.now)), fmt.Sprint(e.Calls), e.Event)
	}
}

func (s *sight) printDifferences(t *table) {
	for i, d := range s.differences() {
		if i == 0 {
			t.gap()
			t.row("DIFFERS", "WHY")
		}
		t.row(d.ID, d.Means)
	}
}

func (s *sight) printCall(t *table) {
	n := s.next()
	if n.Call == nil {
		return
	}
	t.gap()
	what := "next call"
	if n.After != "" {
		what = "next call, after a read that shows what is believed"
		if s.graph != nil {
			what = "next call, if Graph still shows this"
		}
	}
	if n.Call.Probe {
		what += ", a probe"
	}
	t.row(what, "deviceManagement/"+n.Call.Route+"/changeAssignments")
	t.gap()
	if len(n.Call.Set) == 0 {
		t.row("an empty set: nothing is under removal")
	}
	for _, it := range n.Call.Set {
		t.row(it.sign(), it.ID, it.Type, it.Change)
	}
}
