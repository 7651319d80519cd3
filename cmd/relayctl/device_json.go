package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"changerelay/internal/events"
)

// A deviceObject is a device as --output json prints it. Fields may be added;
// those that are here keep their names and meanings. Parts that were not read are
// absent.
type deviceObject struct {
	Tenant      string        `json:"tenant"`
	Device      string        `json:"device"`
	Ledger      *ledgerObject `json:"ledger,omitempty"`
	Next        *nextStep     `json:"next,omitempty"`
	Graph       *graphObject  `json:"graph,omitempty"`
	Differences []difference  `json:"differences"`
}

// A ledgerObject is the device's document.
type ledgerObject struct {
	Due      bool           `json:"due"`
	Told     []toldObject   `json:"told"`
	Events   []pendingEvent `json:"events"`
	Attempt  *callObject    `json:"attempt,omitempty"` // that may be in flight
	Doubts   []callObject   `json:"doubts"`            // that may come late
	Blame    *blameObject   `json:"blame,omitempty"`
	Retell   bool           `json:"retell"`
	Viewed   time.Time      `json:"viewed,omitzero"` // when Graph was last read
	Believed []itemObject   `json:"believed"`        // under removal
	Called   time.Time      `json:"called,omitzero"` // when Graph last took a set
}

type itemObject struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type toldObject struct {
	itemObject
	Intent  string    `json:"intent"`
	Time    time.Time `json:"time"` // of the decision
	Told    time.Time `json:"told"`
	Ticket  string    `json:"ticket,omitzero"`
	Event   string    `json:"event,omitzero"`
	Yielded bool      `json:"yielded"` // it was undone elsewhere since
}

type callObject struct {
	Begun time.Time    `json:"begun,omitzero"`
	Until time.Time    `json:"until"`
	Set   []itemObject `json:"set"`
}

type blameObject struct {
	Suspect string `json:"suspect,omitzero"` // an event
	Reason  string `json:"reason,omitzero"`
	Probe   int    `json:"probe"`
}

type graphObject struct {
	Shown    bool              `json:"shown"`
	Removed  []itemObject      `json:"removed"`
	Restored []itemObject      `json:"restored"`
	Failed   map[string]string `json:"failed,omitempty"`
}

func (s *sight) objects() []any {
	o := deviceObject{Tenant: s.addr.Tenant, Device: s.addr.Device, Differences: orEmpty(s.differences())}
	if s.doc != nil {
		n := s.next()
		o.Ledger, o.Next = s.ledgerObject(), &n
	}
	if g := s.graph; g != nil {
		o.Graph = &graphObject{g.Shown, objectsOf(itemsOf(g.Removed)), objectsOf(itemsOf(g.Restored)), g.Failed}
	}
	return []any{o}
}

func (s *sight) ledgerObject() *ledgerObject {
	d := s.doc
	o := &ledgerObject{Due: d.Due(), Told: []toldObject{}, Events: orEmpty(s.events()), Doubts: []callObject{}, Retell: d.Retell,
		Viewed: d.View.At.UTC(), Believed: objectsOf(d.View.Held), Called: d.Called.UTC()}
	for _, id := range slices.Sorted(maps.Keys(d.Told)) {
		w := d.Told[id]
		told := toldObject{itemObject: itemObject{string(w.Item.Type), w.Item.ID}, Intent: string(w.Intent), Time: w.Time.UTC(), Told: w.At.UTC(), Ticket: s.tickets[w.Key], Yielded: w.Yielded}
		if w.Key != "" {
			told.Event = events.Ref{Address: s.addr, Key: w.Key}.String()
		}
		o.Told = append(o.Told, told)
	}
	if a := d.Attempt; a != nil {
		o.Attempt = &callObject{a.Begun.UTC(), a.Until.UTC(), objectsOf(a.Set)}
	}
	for _, b := range d.Doubts {
		o.Doubts = append(o.Doubts, callObject{Until: b.Until.UTC(), Set: objectsOf(b.Set)})
	}
	if b := d.Blame; b != nil {
		o.Blame = &blameObject{Reason: b.Reason, Probe: b.Probe}
		if b.Suspect != "" {
			o.Blame.Suspect = events.Ref{Address: s.addr, Key: b.Suspect}.String()
		}
	}
	return o
}

func objectsOf(items []events.Item) []itemObject {
	all := []itemObject{}
	for _, it := range items {
		all = append(all, itemObject{string(it.Type), it.ID})
	}
	return all
}

// orEmpty makes JSON's [] of nothing.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// states are what watch prints when it changes.
func (s *sight) states() (all []state) {
	if s.doc != nil {
		n := s.next()
		all = append(all, state{"next", strings.TrimSuffix(n.Step+": "+n.Why+atOf(n.At), ": ")})
		for _, e := range s.events() {
			all = append(all, state{"event of " + e.Ticket, e.State})
		}
	}
	if s.graph != nil {
		all = append(all, state{"Graph", s.shows()})
	}
	for _, it := range s.items() {
		all = append(all, state{"item " + it.ID, fmt.Sprintf("told %s, pending %s, believed %s, Graph %s", s.toldWord(it.ID), s.pendingWords(it.ID), s.believed(it.ID), s.holds(it.ID))})
	}
	return all
}

func atOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return ", not before " + at.Format(time.RFC3339)
}

// toldWord and pendingWords are the table's, without times.
func (s *sight) toldWord(id string) string {
	if s.doc == nil {
		return "?"
	}
	w, ok := s.doc.Told[id]
	if !ok {
		return "-"
	}
	if w.Yielded {
		return string(w.Intent) + " (undone elsewhere)"
	}
	return string(w.Intent)
}

func (s *sight) pendingWords(id string) string {
	if s.doc == nil {
		return "?"
	}
	var words []string
	for _, e := range s.doc.Pending {
		for _, c := range e.Changes {
			if c.Item.ID == id {
				words = append(words, fmt.Sprintf("%s by %s", c.Intent, e.Ticket))
			}
		}
	}
	return dash(strings.Join(words, ", "))
}
