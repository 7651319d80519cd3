package ledger

import (
	"fmt"
	"slices"
	"strings"

	"changerelay/internal/events"
)

// check asks the oracle, once everything has settled.
func (w *world) check(when string) {
	if w.err != nil {
		return
	}
	for _, m := range w.msgs {
		if n := len(w.final[m.e.Key]); n != 1 {
			w.fail("%s: %s has %d final outcomes", when, m.e.Key, n)
			return
		}
	}
	for _, m := range w.msgs {
		w.honest(m)
	}
	for _, d := range w.devices {
		if d.doc.Due() {
			w.fail("%s: device %d is due and nobody will be woken: %s", when, d.n, w.stuck())
		}
		want, sure := w.want(d)
		if d.full = d.full || count(want) > events.MaxItems; d.full {
			continue // cannot be: an admin used the room that a late call had made
		}
		for id, removed := range want {
			if sure[id] && !d.graph.bad[id] && d.graph.held[id] != removed {
				w.fail("%s: Graph holds %v for device %d; %s should be removed=%v; outcomes %v", when, d.graph.set(), d.n, id, removed, w.final)
			}
		}
	}
}

func count(want map[string]bool) (n int) {
	for _, removed := range want {
		if removed {
			n++
		}
	}
	return n
}

// want is what each item of a device should be: what the newest event that was
// not turned down says, or an admin after it.
func (w *world) want(d *simDevice) (want, sure map[string]bool) {
	want, sure = map[string]bool{}, map[string]bool{}
	newest := map[string]*simMsg{}
	for _, m := range w.msgs {
		if m.dev != d || w.down(m) {
			continue
		}
		for id, removed := range m.words(d) {
			if o := newest[id]; o == nil || m.later(o) {
				newest[id] = m
				want[id], sure[id] = removed, true
			}
		}
	}
	for id, e := range d.graph.foreign {
		if m := newest[id]; m == nil || m.e.Accepted.Before(e.at) || m.e.Time.Before(e.at) {
			want[id], sure[id] = e.removed, e.sure
		}
	}
	for id := range d.graph.held {
		if _, ok := want[id]; !ok {
			want[id], sure[id] = strings.HasPrefix(id, "old"), true // nobody asked for it
		}
	}
	return want, sure
}

// words is what an event wants removed or not, by item id. To restore everything
// is a word on each item that anybody knows of.
func (m *simMsg) words(d *simDevice) map[string]bool {
	words := map[string]bool{}
	for _, c := range m.e.Changes {
		words[c.Item.ID] = c.Intent == events.Remove
	}
	if !m.e.RestoresAll() {
		return words
	}
	for j := range 12 {
		words[fmt.Sprint("app", j)] = false
	}
	for id := range d.graph.foreign {
		words[id] = false
	}
	for id := range d.graph.held {
		words[id] = false
	}
	return words
}

// speaks reports whether the event has a word on an item.
func (m *simMsg) speaks(id string) bool {
	return m.e.RestoresAll() || slices.ContainsFunc(m.e.Changes, func(c events.Change) bool { return c.Item.ID == id })
}

// down reports whether an event ended without being told.
func (w *world) down(m *simMsg) bool {
	return slices.Contains([]events.Outcome{events.Refused, events.Expired}, w.final[m.e.Key][0])
}

// later reports whether m is the newer word. A replay is as old as its event.
func (m *simMsg) later(o *simMsg) bool {
	a, b := m.first, o.first
	switch {
	case !a.Time.Equal(b.Time):
		return a.Time.After(b.Time)
	case a.Seq != b.Seq:
		return a.Seq > b.Seq
	}
	return m.e.Key > o.e.Key
}

// honest checks that the outcome's word is true.
func (w *world) honest(m *simMsg) {
	if w.err != nil {
		return
	}
	switch o := w.final[m.e.Key][0]; o {
	case events.Superseded:
		for _, c := range m.e.Changes {
			if !slices.ContainsFunc(w.msgs, func(n *simMsg) bool {
				return n.dev == m.dev && n.later(m) && !w.down(n) && n.speaks(c.Item.ID)
			}) {
				w.fail("%s is superseded, but nothing newer was told about %s", m.e.Key, c.Item.ID)
			}
		}
	case events.Refused:
		bad := slices.ContainsFunc(m.e.Changes, func(c events.Change) bool {
			return c.Intent == events.Remove && m.dev.graph.bad[c.Item.ID]
		})
		if w.reports[m.e.Key].Request != "" && !bad {
			w.fail("%s is refused and names nothing that Graph refuses: %s", m.e.Key, simWords(m.e))
		}
	case events.Expired:
		if age := w.reports[m.e.Key].Ended.Sub(m.e.Accepted); age < w.maxAge {
			w.fail("%s expired after %v", m.e.Key, age)
		}
	case events.Accepted, events.Unchanged:
	default:
		w.fail("%s ended as %q", m.e.Key, fmt.Sprint(o))
	}
}
