package ledger

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// Who looks for stuck devices does so while workers write.
func TestEachMissesNothingThatChangesMeanwhile(t *testing.T) {
	const devices, rounds = 500, 20
	s := open(t, natstest.Server(t).URL(), 1)
	var all []events.Address
	for n := range devices {
		a := events.Address{Tenant: "acme", Device: fmt.Sprintf("0f9a6d1e-7b0a-4d0e-9a52-%012x", n+1)}
		all = append(all, a)
		if _, err := s.Update(t.Context(), a, folding(word(1, t0, remove("x")...))); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	defer func() { stop(); writers.Wait() }()
	for w := range 4 {
		writers.Go(func() {
			for n := w; ctx.Err() == nil; n += 4 {
				_, _ = s.Update(ctx, all[n%devices], func(d Device) (Device, error) {
					d = d.clone()
					d.Called = t0.Add(time.Duration(n) * time.Millisecond)
					return d, nil
				})
			}
		})
	}
	for range rounds {
		seen := map[events.Address]int{}
		if err := s.Each(t.Context(), func(a events.Address, _ Device) bool { seen[a]++; return true }); err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if seen[a] != 1 {
				t.Fatalf("%s was seen %d times; %d of %d devices were seen", a, seen[a], len(seen), devices)
			}
		}
	}
}
