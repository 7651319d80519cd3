package ledger

import (
	"fmt"
	"slices"

	"changerelay/internal/events"
)

// A table gives each item and text its place while a document is encoded.
type table struct {
	items []events.Item
	place map[events.Item]int
	texts []string
	text  map[string]int
}

func (t *table) say(s string) int {
	if s == "" {
		return 0
	}
	i, ok := t.text[s]
	if !ok {
		t.texts = append(t.texts, s)
		i = len(t.texts)
		t.text[s] = i
	}
	return i
}

func (t *table) of(it events.Item) int {
	i, ok := t.place[it]
	if !ok {
		i = len(t.items)
		t.items, t.place[it] = append(t.items, it), i
	}
	return i
}

func (t *table) places(items []events.Item) []int {
	var ps []int
	for _, it := range items {
		ps = append(ps, t.of(it))
	}
	return ps
}

func (t *table) change(c events.Change) int {
	switch c.Intent {
	case events.RestoreAll:
		return 0
	case events.Restore:
		return -1 - t.of(c.Item)
	}
	return 1 + t.of(c.Item)
}

func (t *table) entry(e Entry) storedEntry {
	s := storedEntry{storedOrder: order(e.Order), Accepted: stamp{e.Accepted}, Ticket: e.Ticket, Target: string(e.Target), Attempts: e.Attempts, Approval: e.Approval, Trace: e.Trace}
	if e.Message != e.Seq {
		s.Message = e.Message
	}
	for _, c := range e.Changes {
		s.Changes = append(s.Changes, t.change(c))
	}
	return s
}

// A reader resolves places while a document is decoded.
type reader struct {
	version int
	items   []events.Item
	texts   []string
	err     error
}

func (r *reader) said(n int) string {
	if n == 0 {
		return ""
	}
	if n < 0 || n > len(r.texts) {
		r.err = fmt.Errorf("reading stored document: it points at text %d of %d", n, len(r.texts))
		return ""
	}
	return r.texts[n-1]
}

func (r *reader) at(i int) events.Item {
	if i < 0 || i >= len(r.items) {
		r.err = fmt.Errorf("reading stored document: it points at item %d of %d", i, len(r.items))
		return events.Item{}
	}
	return r.items[i]
}

func (r *reader) set(ps []int) []events.Item {
	var s []events.Item
	for _, p := range ps {
		s = append(s, r.at(p))
	}
	return s
}

func (r *reader) change(n int) events.Change {
	if n < 0 {
		return events.Change{Intent: events.Restore, Item: r.at(-n - 1)}
	}
	return events.Change{Intent: events.Remove, Item: r.at(n - 1)}
}

// storedAll is the changes of an event that restores everything, as stored.
var storedAll = []int{0}

func (r *reader) entry(s storedEntry) Entry {
	e := Entry{Order: s.order(), Message: s.Message, Accepted: s.Accepted.Time, Ticket: s.Ticket, Target: events.Target(s.Target), Attempts: s.Attempts, Approval: s.Approval, Trace: s.Trace}
	if e.Message == 0 {
		e.Message = e.Seq
	}
	if r.version >= Version2 && slices.Equal(s.Changes, storedAll) {
		e.Changes = []events.Change{{Intent: events.RestoreAll}}
		return e
	}
	for _, n := range s.Changes {
		e.Changes = append(e.Changes, r.change(n))
	}
	return e
}
