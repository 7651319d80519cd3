package main

import (
	"context"
	"errors"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// A replay is what was made of a letter, as --output json prints it. Fields may be
// added; those that are here keep their names and meanings.
type replay struct {
	Event   string         `json:"event"`
	At      time.Time      `json:"at"`               // when the broker stored it
	Outcome events.Outcome `json:"outcome,omitzero"` // none while it is under way
	Who     string         `json:"who,omitzero"`     // dead show only; from the audit trail, which may not say
}

// replayOf looks for the event that a replay of the letter made; nil if there is
// none. The stream of events is asked and not the audit trail, which has the acts:
// one that was asked for is not yet done.
func replayOf(ctx context.Context, s *stream.Streams, l stream.DeadLetter) (*replay, error) {
	if l.Ref == (events.Ref{}) {
		return nil, nil // it is no event
	}
	r, err := s.Find(ctx, l.ReplayRef())
	switch {
	case errors.Is(err, events.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &replay{Event: r.ID, At: r.Accepted.UTC(), Outcome: r.Outcome}, nil
}

// findWho finds in the audit trail who made the replay. The record was stored a
// moment before the event.
func (r *replay) findWho(ctx context.Context, s *stream.Streams, l stream.DeadLetter) error {
	after, err := s.AuditBefore(ctx, r.At.Add(-recordedWithin))
	if err != nil {
		return err
	}
	as, err := s.Audits(ctx, stream.AuditPrefix+stream.ActionReplay+"."+l.Ref.Tenant, after, maxRecords)
	for _, a := range as {
		if a.Letter == l.Number {
			r.Who = a.Who
			break
		}
	}
	return err
}

// say is the replay in a cell.
func (r *replay) say(now time.Time) string {
	if r == nil {
		return "-"
	}
	return ended(events.Receipt{Outcome: r.Outcome}) + ", " + away(r.At, now)
}
