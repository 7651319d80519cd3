package proof

import (
	"slices"
	"testing"
	"time"
)

// TestRoom: where the promises leave room the checker does, and no more. Each history is
// a real one's, cut down.
func TestRoom(t *testing.T) {
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	d := Device{"acme", "phone"}
	post := func(n, ms, took int, set ...string) Call {
		return Call{N: n, At: at(ms), Done: at(ms + took), Device: d, Post: true, Set: set, Status: 204, Applied: true, AppliedAt: at(ms + took), Order: n}
	}
	event := func(id string, ms int, remove, restore []string) Event {
		return Event{ID: id, Key: id, Device: d, Seq: uint64(ms), Time: at(ms), Stored: at(ms), Remove: remove, Restore: restore}
	}
	limits := Limits{Budget: 2 * time.Second, Fresh: 4 * time.Second}
	asked := []Event{event("e1", 0, []string{"a", "b"}, nil), event("e2", 1, []string{"c"}, nil)}
	for _, c := range []struct {
		name string
		h    History
		want Promise
	}{
		{"a call that Graph kept, of a worker that was stopped", History{Stored: asked, Calls: []Call{post(1, 10, 4000, "a", "b"), post(2, 2600, 1, "a", "b")}}, ""},
		{"two calls within a call's time", History{Stored: asked, Calls: []Call{post(1, 10, 4000, "a", "b"), post(2, 1500, 1, "a", "b")}}, Overlap},
		{"an admin's removal, undone unseen and then read with a lag", History{
			Stored: asked, Edits: []Edit{{at(200), d, "x", true, 2}},
			Calls: []Call{post(1, 100, 1, "a", "b"), post(3, 1200, 1, "a", "b"), post(4, 2400, 1, "a", "b", "c", "x")},
		}, ""},
		{"the same, after no read could show it", History{
			Stored: asked, Edits: []Edit{{at(200), d, "x", true, 2}},
			Calls: []Call{post(1, 100, 1, "a", "b"), post(3, 1200, 1, "a", "b"), post(4, 5400, 1, "a", "b", "c", "x")},
		}, Stale},
		{"a removal of the relay's own, back after it was restored", History{
			Stored: append(slices.Clone(asked), event("e3", 1000, nil, []string{"b"})), Outcomes: []Outcome{{"e3", d, "accepted", "", at(1000), at(1202)}},
			Calls: []Call{post(1, 100, 1, "a", "b"), post(2, 1200, 1, "a"), post(3, 2400, 1, "a", "b", "c")},
		}, Stale},
	} {
		c.h.Limits, c.h.Cut = limits, true
		found := Check(c.h)
		found = slices.DeleteFunc(found, func(v Violation) bool { return v.Promise == Untrue })
		if c.want == "" && len(found) > 0 || c.want != "" && !slices.ContainsFunc(found, func(v Violation) bool { return v.Promise == c.want }) {
			t.Errorf("%s: want %q, found %v", c.name, c.want, found)
		}
	}
}
