package ledger

import (
	"maps"
	"slices"
	"time"

	"changerelay/internal/events"
)

// A Sight is what one read of Graph showed.
type Sight struct {
	At       time.Time     // when the read was begun; it may show a state Lag older
	Removed  []events.Item // listed as under removal
	Restored []events.Item // listed as restored after a removal; absence alone proves nothing

	// Own is the tenant's policy, as it is when the device is looked at: the relay
	// keeps only its own removals. What others have removed is seen, but the next
	// set leaves it out, and Graph restores it.
	Own bool
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
	d.View = View{s.At, d.merge(removed, restored, late, s, t), s.Own}
	if d.Blame.probing() && !sameItems(before, d.View.Held) {
		d.Blame = &Blame{} // from the start: it was refused on top of another set
		d.unblame()
	}
	d.settle(removed, t)
	d.prune()
	return d
}

// late finds doubtful sets that Graph shows now though it should hold another:
// they were applied after something newer was told. What Graph should hold is
// told again, and the items in question (returned) do not yield. Doubts that are
// over by then are dropped.
func (d *Device) late(removed map[string]events.Item, at time.Time, t Timing) map[string]bool {
	items := map[string]bool{}
	rest := d.Doubts[:0:0]
	for _, b := range d.Doubts {
		diff := d.astray(b)
		switch {
		case len(diff) > 0 && agree(d.ours(b, diff, removed), b.Set, removed):
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

// astray is the items that would be otherwise if doubt b came late. Where only
// own removals count (Sight.Own), others' do not.
func (d *Device) astray(b Doubt) map[string]bool {
	diff := differ(b.Set, d.View.Held)
	if !d.View.Own {
		return diff
	}
	news := index(b.News)
	maps.DeleteFunc(diff, func(id string, _ bool) bool {
		_, new := news[id]
		_, told := d.Told[id]
		return !new && !told
	})
	return diff
}

// ours is the part of diff that tells a late call from an admin's edit best: the
// items that the call or a told word speaks of by name; else those that were
// restored with everything and are back, for admins may have the others in hand;
// else all.
func (d *Device) ours(b Doubt, diff map[string]bool, removed map[string]events.Item) map[string]bool {
	named, all, news := map[string]bool{}, map[string]bool{}, index(b.News)
	for id := range diff {
		w, told := d.Told[id]
		_, new := news[id]
		_, got := removed[id]
		new, told = new && !w.Yielded, told && !w.Yielded // what has yielded is as Graph shows it, whoever did that
		switch {
		case new || told && (w.Newer(d.Floor) || d.Floor.Newer(w.Order)):
			named[id] = true
		case told && got:
			all[id] = true
		}
	}
	for _, ours := range []map[string]bool{named, all} {
		if len(ours) > 0 {
			return ours
		}
	}
	return diff
}

// merge returns what Graph is believed to hold after a read.
func (d *Device) merge(removed, restored map[string]events.Item, late map[string]bool, s Sight, t Timing) []events.Item {
	held, at := index(d.View.Held), s.At
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
	if s.Own && len(held) > events.MaxItems { // a call of ours may have restored what others removed
		held = index(d.own(values(held)))
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
	at, held := d.View.At, d.View.Held
	if len(d.Pending) == 0 || d.Attempt != nil || d.Retell || d.Blame != nil || len(d.Doubts) > 0 ||
		!at.After(d.Called.Add(t.Lag+t.Skew)) || !sameItems(d.changed(held, d.all()), held) {
		return
	}
	keys := make([]string, len(d.Pending))
	for i, e := range d.Pending {
		for _, c := range e.Changes {
			_, shown := removed[c.Item.ID]
			if c.Intent == events.Remove && !shown && d.outranks(e, c) || e.Accepted.After(at) {
				return
			}
			if c.Intent == events.RestoreAll && !covers(index(held), removed) {
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
