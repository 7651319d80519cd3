package graphsim

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// at is the set as it looks at a later time: devices have checked in, Intune has restored.
func (v set) at(now time.Time, r rules) set {
	v.Entries = slices.Clone(v.Entries)
	for v.Waiting != nil {
		done, ok := v.settled(r)
		if !ok || now.Before(done) {
			break
		}
		items := *v.Waiting
		v.Waiting = nil
		v.advance(done, r)
		v = v.change(items, done, r)
	}
	v.advance(now, r)
	v.Entries = slices.DeleteFunc(v.Entries, func(e entry) bool {
		return r.forget > 0 && e.Restore && !e.pending() && !now.Before(e.Moved.Add(r.forget))
	})
	return v
}

// advance lets every entry make the steps that are due.
func (v set) advance(now time.Time, r rules) {
	for i := range v.Entries {
		for v.step(&v.Entries[i], now, r) {
		}
	}
}

// settled is when the device will be done with all that is listed now.
func (v set) settled(r rules) (done time.Time, ok bool) {
	done = v.Start
	for _, e := range v.Entries {
		for e.pending() {
			next, at, ok := v.progress(e, r)
			if !ok {
				return done, false
			}
			if e.Status = next; at.After(done) {
				done = at
			}
		}
	}
	return done, true
}

// step makes the entry's earliest transition that is due, and reports whether there was one.
func (v set) step(e *entry, now time.Time, r rules) bool {
	next, at, ok := v.progress(*e, r)
	if back := e.At.Add(r.autoRestore + e.lot(r)); !e.Restore && r.autoRestore > 0 && (!ok || back.Before(at)) {
		if now.Before(back) {
			return false
		}
		e.turn(true, back)
		return true
	}
	if !ok || now.Before(at) {
		return false
	}
	if e.Status, e.Moved = next, at; !e.pending() {
		v.meet(e)
	}
	return true
}

// lot is an item's own delay of its auto-restore: the same in every run of a seed.
func (e *entry) lot(r rules) time.Duration {
	if r.spread <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, r.seed, strings.ToLower(e.ID), e.At.UnixNano())
	return time.Duration(h.Sum64() % uint64(r.spread)) // #nosec G115 -- less than spread, which is not negative
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
