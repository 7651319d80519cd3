package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"changerelay/internal/ingest"
)

// A question is asked until its answer is final. The relay may wait so long
// before it answers.
type question func(ctx context.Context, wait time.Duration) (final bool, err error)

// await asks until the answer is final, or the time is over, when again is what
// to type later. heard says that the relay has answered before: then one that is
// away for a while is waited for. A relay that answers too early, because it is
// older and does not wait, or because too many wait there already, is asked again
// after a pause.
func (r relay) await(ctx context.Context, timeout time.Duration, heard bool, again string, ask question) (err error) {
	end := time.Now().Add(timeout)
	asking, cancel := context.WithDeadline(ctx, end.Add(lateBy))
	defer cancel()
	for pause := pollMin; ; pause = min(2*pause, pollMax) {
		began := time.Now()
		final, failed := ask(asking, min(max(end.Sub(began), 0), ingest.MaxWait))
		switch {
		case failed == nil && final:
			return nil
		case failed == nil:
			err, heard = nil, true
		case ctx.Err() != nil:
			return ctx.Err()
		case asking.Err() != nil: // the time was over, which says nothing of the relay
		case !heard || !passing(failed):
			return failed
		default:
			err = failed
		}
		left := time.Until(end)
		if left <= 0 {
			return errors.Join(fmt.Errorf("there is no outcome after %s; ask again later: %s%s", timeout, again, r.flag()), err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(pause-time.Since(began), left)):
		}
	}
}
