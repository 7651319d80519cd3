package ledger

import (
	"slices"
	"time"

	"changerelay/internal/events"
)

// A Sight is what one read of Graph showed.
type Sight struct {
	At       time.Time     // when the read was begun; it may show a state Lag older
	Removed  []events.Item // listed as under removal
	Restored []events.Item // listed as restored after a removal; absence alone proves nothing
}

// See records a read of Graph. A read begun while a call may be in flight, or
// before the last one, is passed over.
//
// What the read shows beats what was believed, because Graph restores by itself
// and admins use the portal, with three exceptions: words told too shortly
// before, removals that it merely does not list, and a set that a call left in
// doubt has brought about late.
func (d Device) See(s Sight, t Timing) Device {
	if d.Attempt != nil && s.At.Before(d.Attempt.Until) || !s.At.After(d.View.At) {
		return d
	}
	d = d.clone()
	removed, restored := index(s.Removed), index(s.Restored)
	if a := d.Attempt; a != nil {
		d.close(a, removed, restored, s.At, t)
	}
	late := d.late(removed, s.At, t)
	before := d.View.Held
	d.View = View{s.At, d.merge(removed, restored, late, s.At, t)}
	if d.Blame.probing() && !sameItems(before, d.View.Held) {
		d.Blame = &Blame{} // from the start: it was refused on top of another set
		d.unblame()
	}
	d.settle(removed, t)
	d.prune(s.At)
	return d
}

// close ends an attempt that got no answer, by what the read shows: it was
// taken, or it is untold and may still come late. An item that it was to
// restore must be listed as restored: Graph may not have listed its removal
// either. Whether a retold set has arrived is for late to say.
func (d *Device) close(a *Attempt, removed, restored map[string]events.Item, at time.Time, t Timing) {
	d.Attempt, d.Retell = nil, false
	changed := differ(a.Set, d.View.Held)
	back := index(pick(changed, d.View.Held))
	switch {
	case d.Blame.probing(): // what a probe leaves out may be missing for another reason: probe again
	case len(changed) > 0 && agree(changed, a.Set, removed) && covers(restored, back):
		d.took(a, "", at)
		return // what was seen to come cannot come again
	case len(changed) == 0 && agree(d.named(a), a.Set, removed):
		d.tell(a.Keys, events.Unchanged, "", at) // it was to say again what Graph holds
		d.unblame()
	}
	d.doubt(Doubt{a.Set, pick(changed, a.Set, d.View.Held), at.Add(t.Settle)})
}

// named is the items that attempt a's events have words on.
func (d Device) named(a *Attempt) map[string]bool {
	items := map[string]bool{}
	for _, e := range d.Pending {
		for _, c := range e.Changes {
			if slices.Contains(a.Keys, e.Key) && d.outranks(e, c) {
				items[c.Item.ID] = true
			}
		}
	}
	return items
}

// agree reports whether a read shows the items as set has them.
func agree(items map[string]bool, set []events.Item, removed map[string]events.Item) bool {
	want := index(set)
	for id := range items {
		_, in := want[id]
		if _, got := removed[id]; got != in {
			return false
		}
	}
	return true
}

// covers reports whether all has every item of some.
func covers(all, some map[string]events.Item) bool {
	for id := range some {
		if _, ok := all[id]; !ok {
			return false
		}
	}
	return true
}

// doubt remembers a set that may come late; the same set once.
func (d *Device) doubt(n Doubt) {
	for i, b := range d.Doubts {
		if sameItems(b.Set, n.Set) {
			d.Doubts[i].Until = n.Until
			return
		}
	}
	d.Doubts = append(d.Doubts, n)
}

// late finds doubtful sets that Graph shows now though it should hold another:
// they were applied after something newer was told. What Graph should hold is
// told again, and the items in question (returned) do not yield. Doubts that are
// over by then are dropped.
func (d *Device) late(removed map[string]events.Item, at time.Time, t Timing) map[string]bool {
	items := map[string]bool{}
	rest := d.Doubts[:0:0]
	for _, b := range d.Doubts {
		diff := differ(b.Set, d.View.Held)
		switch {
		case len(diff) > 0 && agree(d.ours(b, diff), b.Set, removed):
			d.Retell, b.Until = true, at.Add(t.Settle)
			for id := range diff {
				items[id] = items[id] || agree(map[string]bool{id: true}, b.Set, removed)
			}
		case !at.Before(b.Until):
			continue
		}
		rest = append(rest, b)
	}
	d.Doubts = rest
	return items
}

// ours is the part of diff that tells a late call from an admin's edit: the
// items that the call or a told word speaks of, or all if there are none.
func (d *Device) ours(b Doubt, diff map[string]bool) map[string]bool {
	ours, news := map[string]bool{}, index(b.News)
	for id := range diff {
		_, new := news[id]
		if w, told := d.Told[id]; new || told && !w.Yielded {
			ours[id] = true
		}
	}
	if len(ours) == 0 {
		return diff
	}
	return ours
}

// merge returns what Graph is believed to hold after a read.
func (d *Device) merge(removed, restored map[string]events.Item, late map[string]bool, at time.Time, t Timing) []events.Item {
	held := index(d.View.Held)
	for id := range differ(values(removed), d.View.Held) {
		w, told := d.Told[id]
		_, listed := restored[id]
		_, got := removed[id]
		told = told && !w.Yielded
		switch {
		case late[id]:
		case told && !at.After(w.At.Add(t.Lag+t.Skew)): // the read may be older than the word
		case told && !got && !listed && at.Sub(w.At) <= t.Hold: // absence proves nothing yet
		default:
			if told {
				w.Yielded = true
				d.Told[id] = w
			}
			if got {
				held[id] = removed[id]
			} else {
				delete(held, id)
			}
		}
	}
	if len(held) > events.MaxItems { // no device can be so: what the read shows is all there is
		d.yield(removed)
		return sorted(removed)
	}
	return sorted(held)
}

// yield gives up every told word that a read contradicts.
func (d *Device) yield(removed map[string]events.Item) {
	d.Retell = false
	for id, w := range d.Told {
		if _, got := removed[id]; got != (w.Intent == events.Remove) {
			w.Yielded = true
			d.Told[id] = w
		}
	}
}

// settle ends pending events as unchanged when the read shows that the device
// is as they want it. The read must be able to show it: later than the events,
// later than Lag after our last call, and no call in doubt.
func (d *Device) settle(removed map[string]events.Item, t Timing) {
	at := d.View.At
	if len(d.Pending) == 0 || d.Attempt != nil || d.Retell || d.Blame != nil || len(d.Doubts) > 0 ||
		!at.After(d.Called.Add(t.Lag+t.Skew)) || !sameItems(d.Set(), d.View.Held) {
		return
	}
	keys := make([]string, len(d.Pending))
	for i, e := range d.Pending {
		for _, c := range e.Changes {
			_, shown := removed[c.Item.ID]
			if c.Intent == events.Remove && !shown && d.outranks(e, c) || e.Accepted.After(at) {
				return
			}
		}
		keys[i] = e.Key
	}
	d.tell(keys, events.Unchanged, "", at)
}

// differ is the set of item ids that are in one of a and b only.
func differ(a, b []events.Item) map[string]bool {
	m, in := map[string]bool{}, index(b)
	for _, it := range a {
		if _, ok := in[it.ID]; ok {
			delete(in, it.ID)
			continue
		}
		m[it.ID] = true
	}
	for id := range in {
		m[id] = true
	}
	return m
}

// pick returns the items of ids, which are in one of sets.
func pick(ids map[string]bool, sets ...[]events.Item) (items []events.Item) {
	for _, it := range slices.Concat(sets...) {
		if ids[it.ID] {
			items = append(items, it)
		}
	}
	return items
}

func values(m map[string]events.Item) []events.Item {
	s := make([]events.Item, 0, len(m))
	for _, it := range m {
		s = append(s, it)
	}
	return s
}

func sameItems(a, b []events.Item) bool { return len(differ(a, b)) == 0 }
