package main

import (
	"context"
	"slices"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// wakeless keeps of the due devices those that stay without a wake-up.
func (r *round) wakeless(ctx context.Context, due []events.Address) error {
	for again := range 2 {
		awake, err := r.streams.Awake(ctx)
		if err != nil {
			return err
		}
		due = slices.DeleteFunc(due, func(a events.Address) bool { return awake[a] })
		if again == 0 && len(due) > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(settleFor):
			}
		}
	}
	r.folding, _ = r.streams.Folding(ctx) // without an answer there is no worker, and nothing is on its way
	for _, a := range due {
		d, err := r.docs.Get(ctx, a)
		if err != nil {
			return err
		}
		if d.Due() {
			r.asleep = append(r.asleep, a)
		}
	}
	return nil
}

// verdict is about devices without a wake-up. While events are on their way into
// the ledger, one may be about to be sent.
func (r *round) verdict() (fs []stream.Finding) {
	for _, a := range r.asleep {
		fs = append(fs, stream.Finding{Level: map[bool]stream.Level{false: stream.Bad, true: stream.Note}[r.folding], What: "device " + a.String(), Detail: "is due, and has no wake-up: nobody will look at it", Remedy: `wake it: nats pub ` + a.WakeSubject() + ` ""`})
	}
	if fs == nil {
		fs = append(fs, finding(stream.OK, "devices", "%d of %d documents were looked at; each that is due has a wake-up", r.looked, r.all))
	}
	return fs
}
