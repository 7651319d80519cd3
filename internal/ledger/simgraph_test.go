package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"changerelay/internal/events"
)

// A simGraph is what Graph and its admins do to one device. It knows nothing
// of the protocol.
type simGraph struct {
	held     map[string]bool
	all      bool            // a call was made that restores everything
	restored map[string]bool // listed as restored
	bad      map[string]bool // deleted in Intune: a set that lists one is refused
	shown    []simState      // for reads that lag
	late     []simLate
	inflight []*simActor
	written  map[string]time.Time // when a call's bytes were written, or the last moment for it
	shy      time.Duration        // how long Graph does not list an app that it said a call removed
	hidden   map[string]time.Time // until then
	foreign  map[string]simEdit   // portal edits of items that no event names
}

type simState struct {
	at             time.Time
	held, restored map[string]bool
}

type simLate struct {
	at  time.Time
	set []events.Item
}

// A simEdit is an admin's last word on an item; sure is lost when a call that
// could not know of it overwrote it.
type simEdit struct {
	at      time.Time
	removed bool
	sure    bool
}

func newSimGraph(w *world) simGraph {
	g := simGraph{
		held: map[string]bool{}, restored: map[string]bool{}, bad: map[string]bool{}, foreign: map[string]simEdit{},
		hidden: map[string]time.Time{}, written: map[string]time.Time{},
	}
	if w.chance(10) {
		g.shy = time.Duration(w.r.IntN(100)) * time.Minute
	}
	g.record(w.start)
	return g
}

func (g *simGraph) record(at time.Time) {
	g.shown = append(g.shown, simState{at, maps.Clone(g.held), maps.Clone(g.restored)})
}

func (g *simGraph) set() []string { return slices.Sorted(maps.Keys(g.held)) }

func (g *simGraph) advance(now time.Time) {
	slices.SortFunc(g.late, func(a, b simLate) int { return a.at.Compare(b.at) })
	for len(g.late) > 0 && !g.late[0].at.After(now) {
		g.apply(g.late[0].set, g.late[0].at)
		g.late = g.late[1:]
	}
}

// apply is Graph's replace-set: what is left out is restored.
func (g *simGraph) apply(set []events.Item, at time.Time) {
	want := map[string]bool{}
	for _, it := range set {
		want[it.ID] = true
		delete(g.restored, it.ID)
	}
	for id := range g.held {
		if !want[id] {
			g.restored[id] = true
			delete(g.hidden, id)
		}
	}
	g.held = want
	g.record(at)
	for id, e := range g.foreign {
		if e.removed != want[id] {
			e.sure = false // checked, where it could be known, by whole
			g.foreign[id] = e
		}
	}
}

// post decides what becomes of a call.
func (g *simGraph) post(w *world, set []events.Item) string {
	w.tally["posts"]++
	refused := g.refuses(set)
	n := w.r.IntN(12)
	if w.quiet {
		n = 11
	}
	switch {
	case n == 0: // never arrives
		return "lost"
	case refused && n == 1:
		return "died"
	case refused:
		return "refused"
	case n == 1:
		g.apply(set, w.now)
		return "lost after it was applied"
	case n == 2:
		g.apply(set, w.now)
		return "died"
	case n == 3 || n == 4:
		w.tally["late applies"]++
		g.late = append(g.late, simLate{w.now.Add(time.Duration(w.r.Int64N(int64(simTiming.Settle)))), set})
		return "lost, to be applied late"
	}
	g.apply(set, w.now)
	return "taken"
}

func (g *simGraph) refuses(set []events.Item) bool {
	return len(set) > events.MaxItems || slices.ContainsFunc(set, func(it events.Item) bool { return g.bad[it.ID] })
}

// read shows a state up to Lag old.
func (g *simGraph) read(w *world, now time.Time) Sight {
	as := now.Add(-time.Duration(w.r.Int64N(int64(simTiming.Lag))))
	if w.chance(2) {
		as = now
	}
	i := len(g.shown) - 1
	for i > 0 && g.shown[i].at.After(as) {
		i--
	}
	items := func(m map[string]bool) (s []events.Item) {
		for _, id := range slices.Sorted(maps.Keys(m)) {
			if now.Before(g.hidden[id]) {
				w.tally["hidden"]++
				continue
			}
			s = append(s, simItem(id))
		}
		return s
	}
	return Sight{Removed: items(g.shown[i].held), Restored: items(g.shown[i].restored)}
}

// portal is an admin who edits an item that no event names.
func (g *simGraph) portal(w *world) {
	if len(g.held) >= events.MaxItems {
		return
	}
	g.edit(w, fmt.Sprint("other", w.r.IntN(2)))
}

func (g *simGraph) edit(w *world, id string) {
	w.tally["portal edits"]++
	removed := !g.held[id]
	delete(g.hidden, id)
	if removed {
		g.held[id] = true
		delete(g.restored, id)
	} else {
		delete(g.held, id)
		g.restored[id] = true
	}
	g.foreign[id] = simEdit{w.now, removed, !w.doubtful(g, id, removed)}
	w.crowd(g)
	g.record(w.now)
	w.trace("%s an admin edits %s: removed %v", w.at(), id, removed)
}

// named reports whether an event speaks of the item after an edit.
func (w *world) named(g *simGraph, id string, edited time.Time) bool {
	return slices.ContainsFunc(w.msgs, func(m *simMsg) bool {
		return &m.dev.graph == g && m.e.Accepted.After(edited) && m.speaks(id)
	})
}

// crowd remembers that an admin used the room that a late call had made: what
// the relay is to tell again and what the admin wants are more than Graph allows.
func (w *world) crowd(g *simGraph) {
	for _, d := range w.devices {
		all := maps.Clone(g.held)
		for _, it := range d.doc.View.Held {
			all[it.ID] = true
		}
		d.full = d.full || &d.graph == g && len(all) > events.MaxItems
	}
}

// doubtful reports whether an admin's edit looks just like a call in doubt: then
// it may be taken for one that came late, and undone.
func (w *world) doubtful(g *simGraph, id string, removed bool) bool {
	for _, d := range w.devices {
		if &d.graph != g {
			continue
		}
		sets := [][]events.Item{}
		for _, b := range d.doc.Doubts {
			sets = append(sets, b.Set)
		}
		if d.doc.Attempt != nil {
			sets = append(sets, d.doc.Attempt.Set)
		}
		for _, s := range sets {
			if _, in := index(s)[id]; in == removed {
				return true
			}
		}
	}
	return false
}

// portalApps is an admin who edits items that events name, while the relay has
// nothing to do.
func (g *simGraph) portalApps(w *world) {
	for j := range 5 {
		if id := fmt.Sprint("app", j); w.chance(3) && len(g.held) < events.MaxItems && !g.bad[id] {
			g.edit(w, id)
		}
	}
}

// hide takes apps that a call has just removed, and said so, off the list: a
// shy Graph shows them later, or when somebody speaks of them again.
func (g *simGraph) hide(before, set []events.Item, now time.Time) {
	was := index(before)
	for _, it := range set {
		if _, ok := was[it.ID]; !ok && g.shy > 0 && g.held[it.ID] && strings.HasPrefix(it.ID, "app") {
			g.hidden[it.ID] = now.Add(g.shy)
		}
	}
}

// restoreAll is Graph's own restore, 8 to 24 hours later.
func (g *simGraph) restoreAll(w *world) {
	for id := range g.held {
		g.foreign[id] = simEdit{w.now, false, true}
	}
	g.held, g.restored = map[string]bool{}, map[string]bool{}
	g.record(w.now)
	w.trace("%s Graph restores everything by itself", w.at())
}

// delete takes an app out of Intune.
func (g *simGraph) delete(w *world) {
	id := fmt.Sprint("app", w.r.IntN(5))
	g.bad[id] = true
	w.trace("%s %s is deleted in Intune", w.at(), id)
}

// whole fails a set that leaves out, or repeats, what the relay had time to see
// and no event speaks of. The knowledge is as old as the view may be and as a
// read may lag.
func (g *simGraph) whole(w *world, d Device, set []events.Item) {
	if d.Blame.probing() && g.refuses(set) {
		return // a probe that Graph refuses does nothing
	}
	told := w.carried(d)
	all := g.everything(w, told, set)
	g.empty(w, d, told, set)
	known := w.now.Add(-simTiming.Fresh - simTiming.Lag - 2*simTiming.Skew - simTiming.Budget)
	in := index(set)
	for id, e := range g.foreign {
		if e.removed && (all || w.own && !d.Blame.probing()) {
			continue // mine says what may be in the set
		}
		if _, got := in[id]; e.sure && e.at.Before(known) && got != e.removed && !g.bad[id] && !w.named(g, id, e.at) {
			w.fail("the set %v disregards that an admin or Graph left %s removed=%v %v ago", ids(set), id, e.removed, w.now.Sub(e.at))
		}
	}
	if w.own {
		g.mine(w, d, set)
		return
	}
	for id := range g.held {
		if _, got := in[id]; strings.HasPrefix(id, "old") && !got && !g.all {
			w.fail("the set %v is partial: it leaves out %s", ids(set), id)
		}
	}
}

// carried is the messages of the events that the open attempt carries.
func (w *world) carried(d Device) (told []*simMsg) {
	for _, m := range w.msgs {
		if slices.Contains(d.Attempt.Keys, m.e.Key) {
			told = append(told, m)
		}
	}
	newest := d.Newest()
	switch {
	case newest.Approval == "":
	case len(told) > 1:
		w.fail("%s has an approval and is told with others: %v", newest.Key, d.Attempt.Keys)
	default:
		w.tally["told with an approval"]++
	}
	return told
}

// everything fails a set of an event that restores everything if it has an item
// that nobody has spoken of since.
func (g *simGraph) everything(w *world, told []*simMsg, set []events.Item) (all bool) {
	for _, m := range told {
		if !m.e.RestoresAll() {
			continue
		}
		all, g.all = true, true
		for _, it := range set {
			if !slices.ContainsFunc(w.msgs, func(n *simMsg) bool { return n.dev == m.dev && n.later(m) && n.speaks(it.ID) }) {
				w.fail("the set %v has %s, and %s is to restore everything", ids(set), it.ID, m.e.Key)
			}
		}
	}
	return all
}

// empty fails an empty set that no restore has made so.
func (g *simGraph) empty(w *world, d Device, told []*simMsg, set []events.Item) {
	asked := slices.ContainsFunc(told, func(m *simMsg) bool {
		return slices.ContainsFunc(m.e.Changes, func(c events.Change) bool { return c.Intent != events.Remove })
	})
	if len(set) == 0 && !asked && (!d.Retell || d.Blame.probing()) {
		w.fail("the empty set is told, and nobody asked for it: %v", d.Attempt.Keys)
	}
}

// mine fails a set with an item that only others have removed. A probe changes
// nothing that it need not.
func (g *simGraph) mine(w *world, d Device, set []events.Item) {
	if d.Blame.probing() {
		return
	}
	for _, it := range set {
		if !slices.ContainsFunc(w.msgs, func(m *simMsg) bool {
			return &m.dev.graph == g && slices.Contains(m.e.Changes, events.Change{Intent: events.Remove, Item: it})
		}) {
			w.fail("the set %v has %s, which no event removes", ids(set), it.ID)
		}
	}
	if len(set) < len(d.View.Held) {
		w.tally["left out others' removals"]++
	}
}
