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
}

// entry is one listed item. At is when its present intent began, Moved its last change of status.
type entry struct {
	Item
	Restore bool
	Status  string
	At      time.Time
	Moved   time.Time
}

const (
	initiated  = "initiated"
	inProgress = "inProgress"
	removed    = "removed"
	succeeded  = "succeeded" // of a restore
)

// rules are the knobs that the set depends on.
type rules struct {
	checkIn, autoRestore time.Duration
	cap                  int
}

// same compares ids as Intune does: they are GUIDs, and case means nothing.
func same(a, b string) bool { return strings.EqualFold(a, b) }

// replace is the POST: the items are the whole set from now on.
func (v set) replace(items []Item, now time.Time, r rules) set {
	v = v.at(now, r)
	changed := false
	for i, e := range v.Entries {
		if e.Restore == named(items, e.ID) {
			v.Entries[i].turn(!e.Restore, now)
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

func (e *entry) turn(restore bool, at time.Time) {
	e.Restore, e.Status, e.At, e.Moved = restore, initiated, at, at
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

// at is the set as it looks at a later time: devices have checked in, Intune has restored.
func (v set) at(now time.Time, r rules) set {
	v.Entries = slices.Clone(v.Entries)
	for i := range v.Entries {
		for v.step(&v.Entries[i], now, r) {
		}
	}
	return v
}

// step makes the entry's earliest transition that is due, and reports whether there was one.
func (v set) step(e *entry, now time.Time, r rules) bool {
	next, at, ok := v.progress(*e, r)
	if back := e.At.Add(r.autoRestore); !e.Restore && r.autoRestore > 0 && (!ok || back.Before(at)) {
		if now.Before(back) {
			return false
		}
		e.turn(true, back)
		return true
	}
	if !ok || now.Before(at) {
		return false
	}
	e.Status, e.Moved = next, at
	return true
}

// progress is the next status that the device itself will report, and when.
func (v set) progress(e entry, r rules) (next string, at time.Time, ok bool) {
	begin := e.At
	if v.Since.After(begin) {
		begin = v.Since
	}
	switch {
	case v.Offline:
		return "", time.Time{}, false
	case e.Status == initiated:
		return inProgress, begin.Add(r.checkIn / 2), true
	case e.Status == inProgress && e.Restore:
		return succeeded, begin.Add(r.checkIn), true
	case e.Status == inProgress:
		return removed, begin.Add(r.checkIn), true
	}
	return "", time.Time{}, false
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
