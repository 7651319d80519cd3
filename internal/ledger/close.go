package ledger

import (
	"maps"
	"slices"
	"time"

	"changerelay/internal/events"
)

// close ends an attempt that got no answer, by what the read shows: it was
// taken, or it is untold and may still come late. An item that it was to
// restore must be listed as restored: Graph may not have listed its removal
// either. Whether a retold set has arrived is for late to say.
func (d *Device) close(a *Attempt, removed, restored map[string]events.Item, at time.Time, t Timing) {
	d.Attempt, d.Retell = nil, false
	named := d.named(a, removed)
	changed := d.changes(a, named)
	news := named.byName(changed)
	doubt := Doubt{a.Set, pick(news, a.Set, d.View.Held), at.Add(t.Settle)}
	proof := changed
	alone := len(news) > 0 && len(d.Doubts) == 0 // no other call can have brought them
	if alone {
		proof = news
	}
	back := index(pick(proof, d.View.Held))
	switch {
	case d.Blame.probing(): // what a probe leaves out may be missing for another reason: probe again
	case len(proof) > 0 && agree(proof, a.Set, removed) && covers(restored, back):
		d.took(a, "", at)
		d.again(changed, removed)
		if alone {
			return // what was seen to come cannot come again
		}
	case len(changed) == 0 && agree(named, a.Set, removed):
		d.tell(a.Keys, events.Unchanged, "", at) // it was to say again what Graph holds
		d.unblame()
	}
	d.doubt(doubt)
}

// again has words yield of items that were restored with everything, and that an
// admin has removed again before the read.
func (d *Device) again(changed map[string]bool, removed map[string]events.Item) {
	for id := range changed {
		w := d.Told[id]
		if _, got := removed[id]; got && w.Intent == events.Restore {
			w.Yielded = true
			d.Told[id] = w
		}
	}
}

// A naming is the items that an attempt's events have words on: true if by name,
// false if the word is to restore all.
type naming map[string]bool

// byName is the part of ids that no word merely means among all others: what is
// restored with everything may as well have been restored by an admin.
func (n naming) byName(ids map[string]bool) map[string]bool {
	named := map[string]bool{}
	for id := range ids {
		if byName, spoken := n[id]; byName || !spoken {
			named[id] = true
		}
	}
	return named
}

// named is the naming of attempt a, as far as a read that shows removed can tell.
func (d Device) named(a *Attempt, removed map[string]events.Item) naming {
	items := naming{}
	for _, e := range d.Pending {
		for _, c := range e.Changes {
			switch {
			case !slices.Contains(a.Keys, e.Key) || !d.outranks(e, c):
			case c.Intent != events.RestoreAll:
				items[c.Item.ID] = true
			default:
				for _, it := range slices.Concat(values(removed), d.View.Held) {
					if _, spoken := items[it.ID]; !spoken && d.over(e, it.ID) {
						items[it.ID] = false
					}
				}
			}
		}
	}
	return items
}

// changes is the items that attempt a was to change. What its set only leaves
// out as others' (Sight.Own) is none: they may have removed it again.
func (d Device) changes(a *Attempt, named naming) map[string]bool {
	changed, own := differ(a.Set, d.View.Held), differ(a.Set, d.base())
	maps.DeleteFunc(changed, func(id string, _ bool) bool {
		_, spoken := named[id]
		return !spoken && !own[id]
	})
	return changed
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
