package ledger

import (
	"maps"
	"slices"
	"time"

	"changerelay/internal/events"
)

// Set is the whole set that the next attempt declares, sorted by item id: what
// Graph holds (see Sight.Own), changed by the words of the events it carries.
func (d Device) Set() []events.Item {
	if d.Blame.probing() {
		return without(d.View.Held, d.Blame.Probe)
	}
	return d.changed(d.base(), d.carried())
}

// base is what the next set starts from: what Graph holds, or of it only what
// told words of ours removed. What it leaves out of a set, Graph restores.
func (d Device) base() []events.Item {
	if d.View.Own {
		return d.own(d.View.Held)
	}
	return d.View.Held
}

// own is the part of items that told words of ours removed.
func (d Device) own(items []events.Item) (own []events.Item) {
	for _, it := range items {
		if w, told := d.Told[it.ID]; told && w.Intent == events.Remove {
			own = append(own, it)
		}
	}
	return own
}

// changed returns items as changed by the words of pending events, which come in
// Order: what restores everything leaves the words after it alone.
func (d Device) changed(items []events.Item, pending []int) []events.Item {
	set := index(items)
	for _, i := range pending {
		e := d.Pending[i]
		for _, c := range e.Changes {
			switch {
			case !d.outranks(e, c):
			case c.Intent == events.Remove:
				set[c.Item.ID] = c.Item
			case c.Intent == events.RestoreAll:
				maps.DeleteFunc(set, func(id string, _ events.Item) bool { return d.over(e, id) })
			default:
				delete(set, c.Item.ID)
			}
		}
	}
	return sorted(set)
}

// trim refuses the newest carried events that add to a set above Graph's bound.
func (d *Device) trim(now time.Time) {
	for len(d.Set()) > events.MaxItems {
		held, carried := index(d.base()), d.carried()
		i := -1
		for _, j := range carried {
			if slices.ContainsFunc(d.Pending[j].Changes, func(c events.Change) bool {
				_, ok := held[c.Item.ID]
				return c.Intent == events.Remove && !ok && d.outranks(d.Pending[j], c)
			}) {
				i = j // the newest so far: Pending is in Order
			}
		}
		if i < 0 {
			return // what Graph holds is itself too large: let Graph say so
		}
		d.endAt(i, events.Refused, "the device would have more than 30 items under removal, which is all that Graph allows; restore some first", "", now)
	}
}
