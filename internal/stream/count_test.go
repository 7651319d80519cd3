package stream

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	s := solo(t)
	a := event(t, 1).Address()
	wake(t, s, a)
	send(t, s, "devices.v1.acme.nothing", nil)
	send(t, s, "targets.v1.acme.ticket.key", nil)
	send(t, s, "targets.v1.globex.ticket.key", nil)
	send(t, s, "targets.v1.globex.ticket.other", nil)
	bury(t, s, 1, events.Refused)
	bury(t, s, 2, events.Expired)
	if err := s.Park(t.Context(), Parked{Source: "desk", Reason: "no JSON", Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	looking, err := s.Looking(t.Context())
	if err != nil || !maps.Equal(looking, map[string]int{"acme": 1, "globex": 2}) {
		t.Errorf("looking: %v, %v", looking, err)
	}
	buried, err := s.Buried(t.Context())
	if err != nil || !maps.Equal(buried, map[string]int{"acme": 2, "unknown": 1}) {
		t.Errorf("buried: %v, %v", buried, err)
	}
	awake, err := s.Awake(t.Context())
	if err != nil || !maps.Equal(awake, map[events.Address]bool{a: true}) {
		t.Errorf("awake: %v, %v", awake, err)
	}
	if at, err := s.LastBuried(t.Context(), "acme"); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("last buried: %v, %v", at, err)
	}
	if _, err := s.LastBuried(t.Context(), "globex"); !errors.Is(err, events.ErrNotFound) {
		t.Errorf("of a tenant without letters: %v", err)
	}
	if _, err := s.Folding(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without a worker: %v", err)
	}
	declared(t, s, Changes, s.folder())
	for _, want := range []bool{false, true} {
		await.State(t, fmt.Sprint("the consumer to have work: ", want), func() bool { // it counts a moment after the publish
			got, err := s.Folding(t.Context())
			return err == nil && got == want
		})
		if _, err := s.Publish(t.Context(), event(t, 1)); err != nil {
			t.Fatal(err)
		}
	}
}
