package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"changerelay/internal/events"
)

// A table gives each item and text its place while a document is encoded.
type table struct {
	items column[events.Item]
	texts column[string]
}

// A column is what a table has of one kind, each once, in the order in which it
// was met.
type column[T comparable] struct {
	all   []T
	place map[T]int // made when there are many: most documents have a few items
}

// few are looked through as fast as a map is asked, and cost no map.
const few = 12

func (c *column[T]) of(v T) int {
	if i := c.find(v); i >= 0 {
		return i
	}
	i := len(c.all)
	c.all = append(c.all, v)
	switch {
	case c.place != nil:
		c.place[v] = i
	case len(c.all) > few:
		c.place = make(map[T]int, 4*few)
		for i, v := range c.all {
			c.place[v] = i
		}
	}
	return i
}

// find is the place of v; -1 if it has none.
func (c *column[T]) find(v T) int {
	if c.place == nil {
		return slices.Index(c.all, v)
	}
	if i, ok := c.place[v]; ok {
		return i
	}
	return -1
}

func (t *table) say(s string) int {
	if s == "" {
		return 0
	}
	return 1 + t.texts.of(s)
}

func (t *table) of(it events.Item) int { return t.items.of(it) }

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
	s.Folded, s.Called = after(e.Folded, e.Accepted), after(e.Called, e.Accepted)
	for _, r := range e.Requests {
		s.Requests = append(s.Requests, t.say(r))
	}
	if e.Winner.Key != "" {
		s.Winner = t.say(e.Winner.Key + " " + e.Winner.Ticket)
	}
	return s
}

// after is t in milliseconds after from, 0 if there is no t.
func after(t, from time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Sub(from).Milliseconds()
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
	if s.Folded != 0 {
		e.Folded = e.Accepted.Add(time.Duration(s.Folded) * time.Millisecond)
	}
	if s.Called != 0 {
		e.Called = e.Accepted.Add(time.Duration(s.Called) * time.Millisecond)
	}
	for _, n := range s.Requests {
		e.Requests = append(e.Requests, r.said(n))
	}
	e.Winner.Key, e.Winner.Ticket, _ = strings.Cut(r.said(s.Winner), " ")
	if r.version >= Version2 && slices.Equal(s.Changes, storedAll) {
		e.Changes = []events.Change{{Intent: events.RestoreAll}}
		return e
	}
	for _, n := range s.Changes {
		e.Changes = append(e.Changes, r.change(n))
	}
	return e
}
