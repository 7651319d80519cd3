package graphsim

import (
	"slices"
	"strings"
	"time"
)

// Item is an app or a policy that is, or was, under removal.
type Item struct{ ID, Type string }

// set is what Graph holds for one device. It is a value: every method returns a new one, and
// nothing but the times in it and the clock decides how it looks.
//
//	         POST with it             check-in / 2      check-in
//	(none) ──────────────► remove/initiated ─► inProgress ─► removed
//	                          ▲         │ POST without it, or auto-restore
//	             POST with it │         ▼
//	                       restore/initiated ─► inProgress ─► succeeded (stays listed)
type set struct {
	Start   time.Time // when the newest action began
	Since   time.Time // when the device was last switched on- or offline
	Offline bool      // an offline device stays where it is
	Entries []entry   // oldest first
	Fates   []fate    `json:",omitempty"` // of items, whether listed or not
	Waiting *[]Item   `json:",omitempty"` // a set that takes effect when all entries are done
}

// entry is one listed item. At is when its present intent began, Moved its last change of status.
type entry struct {
	Item
	Restore bool
	Status  string
	At      time.Time
	Moved   time.Time
	Code    int64  `json:",omitempty"`
	Message string `json:",omitempty"`
}

const (
	initiated  = "initiated"
	inProgress = "inProgress"
	removed    = "removed"
	succeeded  = "succeeded" // of a restore
	failed     = "error"
)

// rules are the knobs that the set depends on.
type rules struct {
	checkIn, autoRestore, spread, forget time.Duration
	cap                                  int
	restarts, retries, queue             bool
	seed                                 uint64
}

// same compares ids as Intune does: they are GUIDs, and case means nothing.
func same(a, b string) bool { return strings.EqualFold(a, b) }

// replace is the POST: the items are the whole set from now on, or from when the device is done.
func (v set) replace(items []Item, now time.Time, r rules) set {
	v = v.at(now, r)
	if r.queue && v.pending() {
		v.Waiting = &items
		return v
	}
	return v.change(items, now, r)
}

// change is replace without a look at the clock. It may write to v's entries.
func (v set) change(items []Item, now time.Time, r rules) set {
	changed := false
	for i := range v.Entries {
		e := &v.Entries[i]
		switch asked := named(items, e.ID); {
		case e.Restore == asked, asked && r.retries && e.Status == failed:
			e.turn(!asked, now)
			changed = true
		case asked && r.restarts:
			e.At = now
			changed = true
		}
	}
	for _, it := range items {
		if !v.lists(it.ID) {
			v.Entries = append(v.Entries, entry{Item: it, Status: initiated, At: now, Moved: now})
			changed = true
		}
	}
	if changed {
		v.Start = now
	}
	return v.fit(r.cap)
}

// pending says whether the device still has something to do.
func (v set) pending() bool {
	return slices.ContainsFunc(v.Entries, entry.pending)
}

func (e entry) pending() bool { return e.Status == initiated || e.Status == inProgress }

func (e *entry) turn(restore bool, at time.Time) {
	e.Restore, e.Status, e.At, e.Moved = restore, initiated, at, at
	e.Code, e.Message = 0, ""
}

// fit drops the oldest restored items when the list would be longer than a result may be.
func (v set) fit(limit int) set {
	for limit > 0 && len(v.Entries) > limit {
		oldest := -1
		for i, e := range v.Entries {
			if e.Restore && (oldest < 0 || e.At.Before(v.Entries[oldest].At)) {
				oldest = i
			}
		}
		if oldest < 0 {
			break
		}
		v.Entries = slices.Delete(v.Entries, oldest, oldest+1)
	}
	return v
}

// held is the removal set, sorted by id.
func (v set) held() []Item {
	var out []Item
	for _, e := range v.Entries {
		if !e.Restore {
			out = append(out, e.Item)
		}
	}
	slices.SortFunc(out, func(a, b Item) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (v set) lists(id string) bool {
	return slices.ContainsFunc(v.Entries, func(e entry) bool { return same(e.ID, id) })
}

func named(items []Item, id string) bool {
	return slices.ContainsFunc(items, func(i Item) bool { return same(i.ID, id) })
}
