package ledger

import (
	"slices"
	"time"

	"changerelay/internal/events"
)

// A Blame takes a refused set apart until it is known what Graph refuses.
//
//  1. Several events: they are told one at a time, oldest first.
//  2. One event by itself, on top of what Graph holds, is refused: it is the
//     suspect, and Graph is told what it holds without it (a probe).
//  3. The probe is taken: the suspect is to blame and ends refused. A probe from
//     before the refusal would not do: an app may be deleted in between.
//  4. The probe is refused: an item that Graph holds is to blame, such as an app
//     deleted in Intune. Probes leave out one item, then two and so on, until
//     one is taken; the items left out are dropped, and no event is blamed.
//  5. All of it is refused, and an event by itself as well: Graph refuses whatever
//     it is told. What was dropped counts again as the next read shows it.
type Blame struct {
	Suspect string // key of the event that was refused by itself
	Reason  string // with these words of Graph
	Request string
	Probe   int // 0: tell events one at a time; n: leave out combination n-1 of what Graph holds
}

// maxProbes bounds the search: all combinations for sets of up to 8 items, all
// singles and pairs for sets of 30.
const maxProbes = 500

func (b *Blame) probing() bool { return b != nil && b.Probe > 0 }

// carried lists the pending events that the next attempt carries.
func (d Device) carried() []int {
	switch {
	case d.Blame.probing():
		return nil
	case d.Blame != nil:
		for i := range d.Pending {
			if d.wins(i) {
				return []int{i}
			}
		}
	}
	for i, e := range d.Pending {
		if e.Approval != "" && d.wins(i) { // Graph wants the very set that was filed
			return []int{i}
		}
	}
	return d.all()
}

// all lists the pending events.
func (d Device) all() []int {
	all := make([]int, len(d.Pending))
	for i := range all {
		all[i] = i
	}
	return all
}

// wins reports whether pending event i has a word that no newer pending one
// outranks. Telling an event by itself that would be undone at once helps nobody.
func (d Device) wins(i int) bool {
	newer := d.Pending[i+1:]
	if slices.ContainsFunc(newer, Entry.RestoresAll) {
		return false
	}
	return slices.ContainsFunc(d.Pending[i].Changes, func(c events.Change) bool { // all items are never named
		return !slices.ContainsFunc(newer, func(e Entry) bool {
			return slices.ContainsFunc(e.Changes, func(o events.Change) bool { return o.Item.ID == c.Item.ID })
		})
	})
}

// Refused records that Graph turned down the set of attempt id, and finds out
// whose fault it is.
func (d Device) Refused(id, reason, request string, now time.Time) (Device, error) {
	a, err := d.open(id)
	if err != nil {
		return d, err
	}
	d = d.clone()
	d.Attempt = nil
	switch {
	case d.Blame.probing():
		d.probe(d.Blame.Probe+1, now)
	case len(a.Keys) == 0: // a retold set: what Graph should hold is refused by itself
		d.Retell, d.Blame = false, &Blame{Reason: reason, Request: request}
		d.probe(2, now)
	case len(a.Keys) > 1:
		d.Blame = &Blame{}
	case d.bare(a):
		d.Blame = nil
		d.retract(a.Keys[0], events.Refused, reason, request, now)
		d.undrop()
	default:
		d.Blame = &Blame{Suspect: a.Keys[0], Reason: reason, Request: request}
		d.probe(1, now)
	}
	return d, nil
}

// bare reports whether the attempt declares nothing but its event's own items.
func (d Device) bare(a *Attempt) bool {
	own := map[string]bool{}
	for _, e := range d.Pending {
		for _, c := range e.Changes {
			if e.Key == a.Keys[0] && d.outranks(e, c) {
				own[c.Item.ID] = true
			}
		}
	}
	return !slices.ContainsFunc(a.Set, func(it events.Item) bool { return !own[it.ID] })
}

// probe goes on with combination n-1. The empty set is never posted to find
// out: when every smaller combination was refused, each item was, by itself.
func (d *Device) probe(n int, now time.Time) {
	d.Blame.Probe = n
	switch {
	case n > maxProbes:
		b := *d.Blame
		d.Blame = nil
		d.retract(b.Suspect, events.Refused, "Graph refuses what the device already holds: "+b.Reason, b.Request, now)
	case len(without(d.View.Held, n)) == 0:
		d.probed(nil, now)
		d.View.Held = nil
		if len(d.Pending) == 0 { // nothing is told next that could prove it
			d.undrop()
		}
	}
}

// undrop has Graph read before anything else is told, and believed, when it has
// refused all that it was told: then it has not taken the set without what was
// dropped, and holds that still.
func (d *Device) undrop() {
	read := d.View.At
	for id, w := range d.Told {
		if w.At.After(d.Called) && w.At.After(read) { // no call and no read since could show it
			w.Yielded = true
			d.Told[id], d.View.At = w, time.Time{}
		}
	}
}

// probed records that Graph takes set by itself. If that is all it holds, the
// suspect is to blame; else what the probe left out is dropped and the events
// are told again.
func (d *Device) probed(set []events.Item, now time.Time) {
	b := *d.Blame
	d.Blame = nil
	if b.Probe == 1 {
		d.retract(b.Suspect, events.Refused, b.Reason, b.Request, now)
		return
	}
	left := differ(set, d.View.Held)
	for _, it := range pick(left, d.View.Held) {
		w, told := d.Told[it.ID] // keeps its Order
		if !told {
			w.Time, w.Seq = d.Floor.Time, d.Floor.Seq // nobody's word, and nothing older comes back
		}
		w.Item, w.Intent, w.At, w.Yielded = it, events.Restore, now, false
		d.Told[it.ID] = w
	}
}

// unblame ends the search when nobody is left to blame.
func (d *Device) unblame() {
	if d.Blame != nil && !d.Blame.probing() && len(d.Pending) == 0 {
		d.Blame = nil
	}
}

// without returns held without combination n-1 of its items. Combinations come
// by size: none, each one, each two and so on; past the last it returns none.
func without(held []events.Item, n int) []events.Item {
	for size := 0; size <= len(held); size++ {
		if pick, left := combination(len(held), size, n-1); left < 0 {
			var set []events.Item
			for i, it := range held {
				if !slices.Contains(pick, i) {
					set = append(set, it)
				}
			}
			return set
		} else {
			n = left + 1
		}
	}
	return nil
}

// combination returns combination k of size out of n, or, with left ≥ 0, how
// far k lies beyond the last.
func combination(n, size, k int) (pick []int, left int) {
	pick = make([]int, size)
	for i := range pick {
		pick[i] = i
	}
	for ; k > 0; k-- {
		i := size - 1
		for i >= 0 && pick[i] == n-size+i {
			i--
		}
		if i < 0 {
			return nil, k - 1
		}
		pick[i]++
		for j := i + 1; j < size; j++ {
			pick[j] = pick[j-1] + 1
		}
	}
	return pick, -1
}
