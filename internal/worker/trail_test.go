package worker

import (
	"strings"
	"testing"

	"changerelay/internal/events"
	"changerelay/internal/graphsim"
)

// An outcome says which calls led to it and when, and a superseded one by whom.
func TestAnOutcomeHasItsTrail(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	older, newer := r.event(device, remove(app(1))...), r.event(device, restore(app(1))...)
	r.sim.Fail(graphsim.Fault{Op: "post", Status: 503, Times: 1})
	for _, e := range []events.Event{newer, older} {
		if _, err := r.s.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	third := r.publish(remove(app(2))...)
	r.work()
	got := r.outcome(third, events.Accepted)
	if got.Attempts < 2 || len(got.Requests) != got.Attempts || got.Requests[0] == got.Requests[1] {
		t.Errorf("%d attempts, requests %v", got.Attempts, got.Requests)
	}
	if got.Accepted.After(got.Folded) || got.Folded.After(got.Called) || got.Called.After(got.Ended) {
		t.Errorf("accepted %v, folded %v, called %v, ended %v", got.Accepted, got.Folded, got.Called, got.Ended)
	}
	if s := r.outcome(older, events.Superseded); !strings.HasSuffix(s.Reason, ": ticket "+newer.Ticket+", event "+newer.Ref().String()) {
		t.Errorf("it says %s", s.Reason)
	}
}
