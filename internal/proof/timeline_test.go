package proof

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTimeline: one device's story, in order, with what the violation is about marked
// and everything else that happened then; no other device's.
func TestTimeline(t *testing.T) {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	d, other := Device{"acme", "phone"}, Device{"acme", "tablet"}
	const app = "a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21"
	h := History{
		Seed: 7,
		Sent: []Sent{{at(0), at(1), "acme.phone.k1", d, false, "503 busy"}, {at(1), at(1), "acme.phone.k1", d, true, "202"}, {at(0), at(0), "acme.tablet.k", other, true, "202"}},
		Stored: []Event{{ID: "acme.phone.k1", Ticket: "CHG1", Device: d, Seq: 12, Time: at(0), Stored: at(2), Remove: []string{app}},
			{ID: "acme.tablet.k", Ticket: "CHG2", Device: other, Seq: 13, Time: at(0), Stored: at(2), Remove: []string{app}}},
		Calls: []Call{{N: 5, At: at(3), Done: at(3), Device: d, Status: 200}, {N: 6, At: at(4), Done: at(4), Device: d, Status: 200},
			{N: 8, At: at(5), Done: at(6), Device: d, Post: true, Set: []string{app}, Status: 204, Applied: true, AppliedAt: at(6), Order: 3},
			{N: 9, At: at(5), Device: other, Post: true}},
		Outcomes: []Outcome{{"acme.phone.k1", d, "accepted", "", at(2), at(7)}},
		Faults:   []Fault{{at(4), at(9), 21, "worker killed worker-1"}, {at(60), at(70), 21, "much later"}},
	}
	got := h.Timeline(Violation{Stale, d, "", 8, "removes " + app + ", which nobody asks for, or no longer"})
	want := `3 nothing stale: acme.phone: removes item1, which nobody asks for, or no longer (call 8)
seed 7, device acme.phone, 7 of 7 lines; > is what this is about
item1 is a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21

  08:00:00.000  send     #12: 503 busy after 1s
  08:00:01.000  send     #12: 202 after 0s
  08:00:02.000  stored   #12 of CHG1, said at 08:00:00.000: -item1
  08:00:03.000  read     call 5: 200  (and 1 more by 08:00:04.000)
  08:00:04.000  FAULT    worker killed worker-1, for 5s
> 08:00:05.000  POST     call 8 [item1]: 204 after 1s, applied as 3 at 08:00:06.000
  08:00:07.000  outcome  #12: accepted 
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := h.Timeline(Violation{Lost, Device{"acme", "none"}, "", 0, "x"}); !strings.Contains(got, "nothing is known") {
		t.Error(got)
	}
}

// TestLongTimeline: of a long story the lines around what the violation is about are left.
func TestLongTimeline(t *testing.T) {
	d := Device{"acme", "phone"}
	h := History{}
	for i := range 5000 {
		h.Calls = append(h.Calls, Call{N: i + 1, At: start.Add(time.Duration(i) * time.Second), Device: d, Post: true, Status: 204})
	}
	for _, call := range []int{1, 2500, 5000, 0} {
		got := h.Timeline(Violation{Overlap, d, "", call, "x"})
		if n := strings.Count(got, "\n"); n > maxLines+10 {
			t.Errorf("call %d: %d lines", call, n)
		}
		if call > 0 && !strings.Contains(got, "> "+h.Calls[call-1].At.Format(clock)) {
			t.Errorf("call %d is not marked:\n%s", call, got)
		}
		if !strings.Contains(got, "lines left out") {
			t.Errorf("call %d: nothing is left out", call)
		}
	}
}

// TestCut: in a perfect history that was read while all was going on nothing is found,
// and what no later event could mend is found as in a whole one.
func TestCut(t *testing.T) {
	for seed := range int64(seeds) {
		h := perfect(seed)
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		moment := func(after time.Time) time.Time {
			return after.Add(time.Duration(r.Int64N(max(1, int64(h.Ended.Sub(after))/2))))
		}
		cut := h.cut(moment)
		for _, v := range Check(cut) {
			t.Fatalf("seed %d: %s\n%s", seed, v, cut.Timeline(v))
		}
	}
	for _, b := range breakers {
		if !slices.Contains([]Promise{Lost, Partial, Stale, Overlap, Quota, Unlettered}, b.promise) {
			continue
		}
		for seed := range int64(seeds) {
			h := perfect(seed)
			if !b.does(&h) {
				continue
			}
			h.Cut = true
			if !slices.ContainsFunc(Check(h), func(v Violation) bool { return v.Promise == b.promise }) {
				t.Fatalf("seed %d: %q is not found in a cut history", seed, fmt.Sprint(b.what))
			}
		}
	}
}

// cut is the history as it is read in the order that Check asks for, a while after each other.
func (h History) cut(moment func(after time.Time) time.Time) History {
	h.Cut, h.Final = true, nil
	at := moment(h.Began)
	h.Sent = slices.DeleteFunc(slices.Clone(h.Sent), func(s Sent) bool { return s.At.After(at) })
	at = moment(at)
	h.Outcomes = slices.DeleteFunc(slices.Clone(h.Outcomes), func(o Outcome) bool { return o.Ended.After(at) })
	at = moment(at)
	h.Calls = slices.DeleteFunc(slices.Clone(h.Calls), func(c Call) bool { return c.At.After(at) })
	h.Edits = slices.DeleteFunc(slices.Clone(h.Edits), func(e Edit) bool { return e.At.After(at) })
	at = moment(at)
	h.Stored = slices.DeleteFunc(slices.Clone(h.Stored), func(e Event) bool { return e.Stored.After(at) })
	return h
}
