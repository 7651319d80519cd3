package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A call is one POST as the simulator saw it.
type call struct {
	N       int
	Device  string
	Items   []struct{ ID string }
	Done    time.Time // zero while it is in flight
	Applied bool
	Order   int // among those that took effect
	Overlap bool
	Status  int
}

// page is the simulator's.
const page = 1000

// journal are all POSTs, in order of arrival.
func journal(ctx context.Context) (all []call, err error) {
	for after := 0; ; {
		text, err := admin(ctx, http.MethodGet, fmt.Sprintf("/journal?op=post&limit=%d&after=%d", page, after), "")
		if err != nil {
			return nil, fmt.Errorf("reading the journal: %w", err)
		}
		var some []call
		if err := json.Unmarshal([]byte(text), &some); err != nil {
			return nil, fmt.Errorf("reading the journal: %w", err)
		}
		all = append(all, some...)
		if len(some) < page {
			return all, nil
		}
		after = some[len(some)-1].N
	}
}

// showCalls prints how the calls for one device went.
func showCalls(ctx context.Context, device int) error {
	all, err := journal(ctx)
	if err != nil {
		return err
	}
	var calls, flying, applied, overlaps int
	for _, c := range all {
		if c.Device != deviceID(device) {
			continue
		}
		calls++
		flying += one(c.Done.IsZero())
		applied += one(c.Applied)
		overlaps += one(c.Overlap)
	}
	fmt.Printf("%d calls, %d in flight, %d with effect, %d overlapping\n", calls, flying, applied, overlaps)
	return nil
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
