package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// untilFinal reads OUTCOMES until each event has its final outcome, and calls emit
// with each. It asks the broker itself: the relay may be somewhere else.
func untilFinal(ctx context.Context, s *stream.Streams, as []ending, timeout time.Duration, emit func(ending) error) error {
	if len(as) == 0 {
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var lost error // what the broker said last
	for pause := pollMin; len(as) > 0 && waiting.Err() == nil; pause = min(2*pause, pollMax) {
		var left []ending
		for i, a := range as {
			r, err := final(waiting, s, a)
			if err != nil {
				lost = err
				left = append(left, as[i:]...)
				break
			}
			if !r.Outcome.Final() {
				left = append(left, a)
				continue
			}
			a.Outcome, a.Reason = r.Outcome, r.Reason
			if err := emit(a); err != nil {
				return err
			}
		}
		if as = left; len(as) == 0 {
			return nil
		}
		select {
		case <-waiting.Done():
		case <-time.After(pause):
		}
	}
	for _, a := range as {
		if err := emit(a); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(lost, context.DeadlineExceeded) {
		lost = nil // the time was over, which says nothing of the broker
	}
	return errors.Join(fmt.Errorf("after %s there is no outcome of %s; ask again later: relayctl status %s", timeout, count(len(as), "event"), as[0].Event), lost)
}

// final is what became of the event that a replay made: no outcome while it is
// under way.
func final(ctx context.Context, s *stream.Streams, a ending) (events.Receipt, error) {
	ref, err := events.ParseRef(a.Event)
	if err != nil {
		return events.Receipt{}, err
	}
	ask := func() (events.Receipt, error) { return s.FinalAt(ctx, ref, events.TicketToken(a.ticket)) }
	if ref.Unresolved() { // its outcome is that of the change that it becomes
		ask = func() (events.Receipt, error) { return s.Find(ctx, ref) }
	}
	r, err := ask()
	if errors.Is(err, events.ErrNotFound) {
		err = nil
	}
	return r, err
}
