package trial

import (
	"context"
	"slices"
	"time"

	"changerelay/internal/proof"
)

// watch reads the history again and again while the trial goes on, and ends it when that
// convicts the relay of Options.Until. It returns the history that did, or nil.
func (r *recorder) watch(ctx context.Context, quiet func()) *proof.History {
	if r.Until == "" {
		return nil
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		h, err := r.collect(ctx)
		if err != nil { // the nemesis is at the brokers
			continue
		}
		h.Cut = true
		if slices.ContainsFunc(proof.Check(h), func(v proof.Violation) bool { return v.Promise == r.Until }) {
			r.say("convicted of %q", r.Until)
			quiet()
			return &h
		}
	}
}
