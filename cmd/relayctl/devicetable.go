package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"changerelay/internal/events"
)

// print writes what was read, and says of the rest that it was not.
func (s *sight) print(out io.Writer) error {
	t := newTable(out)
	t.row("device", s.addr.Device)
	t.row("tenant", s.addr.Tenant)
	if s.doc != nil {
		s.printState(t)
	} else {
		t.row("ledger", "not read")
	}
	t.row("Graph", s.shows())
	items := s.items()
	if len(items) > 0 {
		t.gap()
		t.row("ITEM", "TYPE", "TOLD", "PENDING", "BELIEVED", "GRAPH")
	}
	for _, it := range items {
		t.row(it.ID, string(it.Type), s.told(it.ID), s.pending(it.ID), s.believed(it.ID), s.holds(it.ID))
	}
	s.printDifferences(t)
	if s.doc != nil {
		s.printEvents(t)
		s.printCall(t)
	}
	return t.flush()
}

// printState writes what holds for the device as a whole.
func (s *sight) printState(t *table) {
	d := s.doc
	if known := !d.View.At.IsZero() || d.Due() || len(d.Told) > 0; !known {
		t.row("ledger", "knows nothing of this device: no event for it has been folded")
		return
	}
	t.row("next", s.next().say(s.now))
	t.row("untold", count(len(d.Pending), "event"))
	if n := len(d.Reports); n > 0 {
		t.row("unreported", count(n, "outcome"))
	}
	if a := d.Attempt; a != nil {
		t.row("attempt", fmt.Sprintf("open until %s: %s, set of %s", stamp(a.Until, s.now), count(len(a.Keys), "event"), count(len(a.Set), "item")))
	}
	for _, b := range d.Doubts {
		t.row("doubt", fmt.Sprintf("a set of %s may come late, until %s", count(len(b.Set), "item"), stamp(b.Until, s.now)))
	}
	if d.Retell {
		t.row("retell", "a late call undid what was told; it is told again")
	}
	if d.Blame != nil {
		t.row("blame", strings.TrimSuffix("finding out what Graph refuses: "+d.Blame.Reason, ": "))
	}
	t.row("viewed", cmp.Or(stamp(d.View.At, s.now), "never"))
	t.fact("called", stamp(d.Called, s.now))
}

func (s *sight) shows() string {
	switch g := s.graph; {
	case g == nil:
		return "not read"
	case !g.Shown:
		return "shows no changeAssignments action for this device"
	default:
		return fmt.Sprintf("shows %d removed, %d restored", len(g.Removed), len(g.Restored))
	}
}

// items are all that anybody knows of, by id.
func (s *sight) items() []events.Item {
	all := map[string]events.Item{}
	add := func(it events.Item) {
		if _, ok := all[it.ID]; !ok {
			all[it.ID] = it
		}
	}
	if d := s.doc; d != nil {
		for _, w := range d.Told {
			add(w.Item)
		}
		for _, e := range d.Pending {
			for _, c := range e.Changes {
				add(c.Item)
			}
		}
		for _, it := range d.View.Held {
			add(it)
		}
	}
	if s.graph != nil {
		for _, it := range slices.Concat(s.graph.Removed, s.graph.Restored) {
			add(events.Item{ID: it.ID, Type: events.ItemType(it.Type)})
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b events.Item) int { return cmp.Compare(a.ID, b.ID) })
}

// told is the item's newest word that Graph has taken.
func (s *sight) told(id string) string {
	if s.doc == nil {
		return "?"
	}
	w, ok := s.doc.Told[id]
	if !ok {
		return "-"
	}
	text := fmt.Sprintf("%s %s by %s", w.Intent, stamp(w.At, s.now), s.by(w.Key))
	if w.Yielded {
		text += ", undone elsewhere since"
	}
	return text
}

// by names an event: by its ticket, or by its key when that is forgotten.
func (s *sight) by(key string) string {
	if key == "" {
		return "the relay" // an item that Graph no longer takes was dropped
	}
	return cmp.Or(s.tickets[key], "event "+key)
}

// pending lists the item's words that Graph has yet to be told, oldest first.
func (s *sight) pending(id string) string {
	if s.doc == nil {
		return "?"
	}
	var words []string
	for _, e := range s.doc.Pending {
		for _, c := range e.Changes {
			if c.Item.ID == id {
				words = append(words, fmt.Sprintf("%s by %s, %s old", c.Intent, e.Ticket, span(max(s.now.Sub(e.Accepted), 0).Round(time.Second))))
			}
		}
	}
	return dash(strings.Join(words, "; "))
}

func (s *sight) believed(id string) string {
	switch {
	case s.doc == nil || s.doc.View.At.IsZero():
		return "?"
	case slices.ContainsFunc(s.doc.View.Held, func(it events.Item) bool { return it.ID == id }):
		return "removed"
	}
	return "-"
}

// holds is what Graph shows of the item.
func (s *sight) holds(id string) string {
	if s.graph == nil {
		return "?"
	}
	text := strings.ReplaceAll(s.shown(id), "_", " ")
	if why, failed := s.graph.Failed[id]; failed {
		text += ", failed: " + why
	}
	return text
}
