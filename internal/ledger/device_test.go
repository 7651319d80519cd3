package ledger

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"changerelay/internal/events"
)

// What the laws do not say and workers rely on, at its edges. Most of these were
// missing until make mutate asked for them.

// A Device is a value: whatever is made of it, it stays as it is. A document that a
// worker still holds must not change when a swap of its next is lost.
func TestADeviceIsAValue(t *testing.T) {
	late := later(24 * time.Hour)
	for name, d := range map[string]Device{"of version 1": rich(), "of version 2": rich2(), "without an attempt": unattended(), "unblamed": unblamed()} {
		d.Pending, d.Reports, d.Doubts = slices.Grow(d.Pending, 9), slices.Grow(d.Reports, 9), slices.Grow(d.Doubts, 9)
		before := d.encode()
		id := ""
		if d.Attempt != nil {
			id = d.Attempt.ID
		}
		first, last := d.Pending[0].Key, d.Pending[len(d.Pending)-1].Key
		for what, f := range map[string]func() Device{
			"fold":      func() Device { return d.Fold(word(1, later(-2*time.Hour), remove("new")...)) },
			"fold late": func() Device { return d.Fold(word(99, late, remove("new")...)) },
			"begin":     func() Device { return d.Begin("b", late, timing) },
			"expire":    func() Device { return d.Expire(late, time.Minute) },
			"reported":  func() Device { return d.Reported(d.Reports[0].Key) },
			"see":       func() Device { return d.See(Sight{At: late, Removed: d.View.Held, Restored: list("new")}, timing) },
			"see the doubt": func() Device {
				return d.See(Sight{At: late, Removed: d.Doubts[0].Set}, timing)
			},
			"accepted": func() Device { d, _ := d.Accepted(id, "rq", late); return d },
			"refused":  func() Device { d, _ := d.Refused(id, "no", "rq", late); return d },
			"released": func() Device { d, _ := d.Released(id); return d },
			"asked":    func() Device { return d.Asked(id, "rq") },
			"ended": func() Device {
				d, _ := d.Ended(id, events.ApprovalRequired, "no", "rq", "A-1", late)
				return d
			},
			"gone":          func() Device { return d.Gone("gone", "rq", late) },
			"forget":        func() Device { return d.Forget(late) },
			"retract first": func() Device { return d.Retract(first, events.Expired, "old", late) },
			"retract last":  func() Device { return d.Retract(last, events.Expired, "old", late) },
		} {
			f()
			if got := d.encode(); !bytes.Equal(got, before) {
				t.Fatalf("%s: %s changed it from\n%s\nto\n%s", name, what, before, got)
			}
		}
	}
}

// unattended is rich after its attempt was called off, unblamed without blame; its
// doubt has the set that the attempt declares.
func unattended() Device {
	d := rich()
	d.Attempt = nil
	return d
}

func unblamed() Device {
	d := rich()
	d.Blame = nil
	d.Doubts[0].Set = d.Attempt.Set
	return d
}

// Of an event in the document one can ask which message it came in.
func TestMessage(t *testing.T) {
	d := Device{}.Fold(word(3, later(3), remove("x")...)).Fold(word(4, later(4), remove("y")...)).See(shows(t0), timing)
	told := tell(t, d, "a", t0, "x", "y")
	replay := word(5, later(5), remove("z")...)
	replay.Key, replay.Message, replay.Seq = "key05-r41", 812, 5
	replayed := told.Fold(replay)
	all := tell(t, told.Reported("key03", "key04").Fold(everything(6, later(6))), "b", t0)
	old := d.Retract("key03", events.Expired, "old", t0).Retract("key04", events.Expired, "old", t0)
	over := all.Reported("key06")
	over.Told = nil // newer words have all items
	for _, c := range []struct {
		what  string
		d     Device
		key   string
		seq   uint64
		known bool
	}{
		{"nothing", Device{}, "key03", 0, false},
		{"no key of nothing", Device{}, "", 0, false},
		{"the first pending", d, "key03", 3, true},
		{"the second pending", d, "key04", 4, true},
		{"neither", d, "key05", 0, false},
		{"the first reported", told, "key03", 3, true},
		{"the second reported", told, "key04", 4, true},
		{"the first expired", old, "key03", 3, true},
		{"the second expired", old, "key04", 4, true},
		{"told", told.Reported("key03", "key04"), "key03", 3, true},
		{"told, another", told.Reported("key03", "key04"), "key04", 4, true},
		{"not told", told.Reported("key03", "key04"), "key05", 0, false},
		{"a replay", replayed, "key05-r41", 812, true},
		{"a replay that is told", tell(t, replayed, "b", t0, "x", "y", "z").Reported("key05-r41"), "key05-r41", 0, true},
		{"everything", all, "key06", 6, true},
		{"everything, and newer words", over, "key06", 6, true},
		{"beside everything", over, "key07", 0, false},
	} {
		for range 20 { // words come in any order
			if seq, known := c.d.Message(c.key); seq != c.seq || known != c.known || c.d.Knows(c.key) != known {
				t.Fatalf("%s: message %d, known %t; want %d, %t", c.what, seq, known, c.seq, c.known)
			}
		}
	}
}

// What restores everything outranks a device of which any word is older.
func TestEverythingHasAWordOfAny(t *testing.T) {
	for range 20 { // the words come in any order
		d := Device{Floor: Order{Time: later(time.Hour)}, Told: map[string]Word{}}
		for n := range 20 {
			w := word(100+n, later(time.Hour), remove("x")...)
			d.Told[fmt.Sprint("app", n)] = Word{Order: w.Order, Item: w.Changes[0].Item, Intent: events.Remove}
		}
		ended(t, d.Fold(everything(1, t0)), "key01 superseded")
		w := d.Told["app7"]
		w.Time = later(-1)
		d.Told["app7"] = w
		ended(t, d.Fold(everything(1, t0)))
	}
	ended(t, Device{Floor: Order{Time: later(-1)}}.Fold(everything(1, t0)))
}

// A late event's report is complete at once.
func TestReportOfALateEvent(t *testing.T) {
	d := Device{}.Fold(word(2, later(2), remove("x")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "x").Reported("key02")
	e := word(1, later(1), restore("x")...)
	r := d.Fold(e).Reports[0]
	if r.Key != "key01" || r.Outcome != events.Superseded || r.Reason == "" || r.Request != "" || !r.Ended.Equal(e.Accepted) || r.Winner.Key != "key02" {
		t.Errorf("%+v", r)
	}
}

func TestNextAtItsEdges(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).See(shows(t0), timing)
	for age, want := range map[time.Duration]Step{0: Post, timing.Fresh: Post, timing.Fresh + 1: Observe, -timing.Fresh: Post, -timing.Fresh - 1: Observe} {
		next(t, d, later(age), want)
	}
	open := d.Begin("a", t0, timing)
	next(t, open, open.Attempt.Until.Add(-1), Wait)
	next(t, open, open.Attempt.Until, Observe)

	settled := Device{View: d.View, Doubts: []Doubt{{Until: later(time.Hour)}}}
	next(t, settled, later(time.Hour-1), Wait)
	next(t, settled, later(time.Hour), Observe)
	for n, want := range map[int]Step{MaxDoubts - 1: Post, MaxDoubts: Wait, MaxDoubts + 1: Wait} {
		d.Doubts = slices.Repeat(settled.Doubts, n)
		next(t, d, t0, want)
	}
}

func TestWaitUntilTheFirstDoubt(t *testing.T) {
	d := Device{}
	if got := d.WaitUntil(); !got.IsZero() {
		t.Errorf("for nothing: %v", got)
	}
	for _, at := range []time.Duration{3, 1, 2} {
		d.Doubts = append(d.Doubts, Doubt{Until: later(at)})
	}
	if got := d.WaitUntil(); !got.Equal(later(1)) {
		t.Errorf("until %v", got.Sub(t0))
	}
	d.Attempt = &Attempt{Until: later(2)}
	if got := d.WaitUntil(); !got.Equal(later(2)) {
		t.Errorf("for the attempt: until %v", got.Sub(t0))
	}
}

// Each cause of its own makes a device due, and some of them untold.
func TestEachCauseIsDue(t *testing.T) {
	for what, c := range map[string]struct {
		d           Device
		untold, due bool
	}{
		"nothing":  {Device{}, false, false},
		"told":     {Device{Told: map[string]Word{"x": {}}}, false, false},
		"an event": {Device{Pending: make([]Entry, 1)}, true, true},
		"retell":   {Device{Retell: true}, true, true},
		"a probe":  {Device{Blame: &Blame{Probe: 1}}, true, true},
		"blame":    {Device{Blame: &Blame{}}, false, false},
		"a call":   {Device{Attempt: &Attempt{}}, false, true},
		"a doubt":  {Device{Doubts: make([]Doubt, 1)}, false, true},
		"a report": {Device{Reports: make([]Report, 1)}, false, true},
	} {
		if c.d.Untold() != c.untold || c.d.Due() != c.due {
			t.Errorf("%s: untold %t, due %t", what, c.d.Untold(), c.d.Due())
		}
	}
}

func TestBeginSaysAll(t *testing.T) {
	d := Device{}.Fold(word(1, later(1), remove("x")...)).Fold(word(2, later(2), remove("y")...)).See(shows(t0), timing)
	now := later(time.Second)
	d = d.Begin("a", now, timing).Fold(word(3, later(3), remove("z")...))
	a := d.Attempt
	if a.ID != "a" || !slices.Equal(a.Keys, []string{"key01", "key02"}) || !slices.Equal(ids(a.Set), []string{"x", "y"}) || !a.Begun.Equal(now) {
		t.Errorf("%+v", a)
	}
	if n := d.Newest(); n.Key != "key02" {
		t.Errorf("the newest it carries is %s", n.Key)
	}
	for i, want := range []int{1, 1, 0} {
		if e := d.Pending[i]; e.Attempts != want || e.Called.IsZero() != (want == 0) {
			t.Errorf("%s was in %d attempts, called %v", e.Key, e.Attempts, e.Called)
		}
	}
	called := d.Pending[0].Called
	d = must(t)(d.Released("a"))
	if n := d.Newest(); n.Key != "" || d.Approval() != "" {
		t.Errorf("without an attempt the newest is %s", n.Key)
	}
	d = d.Begin("b", later(time.Minute), timing)
	if e := d.Pending[0]; e.Attempts != 2 || !e.Called.Equal(called) || len(d.Attempt.Keys) != 3 {
		t.Errorf("%+v", e)
	}
	settled := Device{View: d.View}
	if settled.Begin("c", now, timing).Attempt != nil {
		t.Error("an attempt at nothing")
	}
}

// Older than age is too old, wherever an event stands.
func TestExpireAtItsEdges(t *testing.T) {
	d := Device{}
	for n := range 4 {
		e := word(n, later(time.Duration(n)), remove(fmt.Sprint("app", n))...)
		e.Accepted = t0
		if n == 1 {
			e.Accepted = later(1)
		}
		d = d.Fold(e)
	}
	ended(t, d.Expire(later(time.Hour), time.Hour))
	got := d.Expire(later(time.Hour+1), time.Hour)
	ended(t, got, "key03 expired", "key02 expired", "key00 expired")
	if len(got.Pending) != 1 || got.Pending[0].Key != "key01" {
		t.Errorf("left are %v", got.Pending)
	}
	if r := got.Reports[0]; r.Reason == "" || r.Request != "" || !r.Ended.Equal(later(time.Hour+1)) {
		t.Errorf("%+v", r)
	}
	ended(t, Device{}.Expire(later(time.Hour), 0))
}

// Of several events no approval is the call's, not the newest one's either.
func TestApprovalIsOfOneEvent(t *testing.T) {
	d := Device{Pending: []Entry{word(1, t0, remove("x")...), word(2, later(1), remove("y")...)}}
	d.Pending[1].Approval = "A-2"
	for want, keys := range map[string][]string{"A-2": {"key02"}, "": {"key01", "key02"}} {
		d.Attempt = &Attempt{Keys: keys}
		if got := d.Approval(); got != want {
			t.Errorf("of %v it is %q, want %q", keys, got, want)
		}
	}
}

// Whoever comes after the last suspect has left is not told by itself.
func TestBlameEndsWithItsEvents(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).Fold(word(2, later(1), remove("y")...)).See(shows(t0), timing)
	d = refuse(t, d, "a", t0, "x", "y")
	if d = d.Retract("key01", events.Expired, "old", t0); d.Blame == nil {
		t.Error("nobody is blamed, and one is left")
	}
	if d = d.Expire(later(time.Hour), time.Minute); d.Blame != nil {
		t.Errorf("nobody is left, and to blame: %+v", d.Blame)
	}
}

func TestReportedClearsThoseAlone(t *testing.T) {
	d := Device{}.Fold(word(1, t0, remove("x")...)).Fold(word(2, t0, remove("y")...)).Fold(word(3, t0, remove("z")...)).See(shows(t0), timing)
	d = tell(t, d, "a", t0, "x", "y", "z")
	ended(t, d.Reported("key01", "key03"), "key02 accepted")
	ended(t, d.Reported(), "key01 accepted", "key02 accepted", "key03 accepted")
}
