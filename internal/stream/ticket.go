package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// FindTicket returns what the streams know of a ticket's events in the tenants, "*" is all,
// the first stored first, and how many there are. Beyond MaxTicketEvents some are
// left out, those that have ended before others.
//
// OUTCOMES and TARGETS have the ticket in front, and answer at once. CHANGES has
// it last: its leader walks over the subjects of the tenant, or of all if there
// are several, and publishes wait meanwhile. BenchmarkFindTicket says for how
// long. So each process has one such walk under way, and others wait for it.
func (s *Streams) FindTicket(ctx context.Context, ticket string, tenants []string) (found []events.Receipt, total int, err error) {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	list, err := s.mentions(ctx, ticket, tenants)
	if err != nil {
		return nil, 0, err
	}
	token := events.TicketToken(ticket)
	read := make([]events.Receipt, min(len(list), MaxTicketEvents))
	numbers := make([]int, len(read))
	for i := range numbers {
		numbers[i] = i
	}
	err = each(numbers, FindsAtOnce, func(i int) (err error) {
		read[i], err = s.findMention(ctx, list[i], token)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	found = distinct(read)
	return found, len(list) - (len(read) - len(found)), nil
}

// A mention is a trace of an event in the streams.
type mention struct {
	ref   events.Ref
	ended bool // it has an outcome, or a target's device
}

// mentions are the ticket's, those that have not ended first.
func (s *Streams) mentions(ctx context.Context, ticket string, tenants []string) ([]mention, error) {
	tenant := "*"
	if len(tenants) == 1 {
		tenant = tenants[0]
	}
	f := events.FilterTicket(tenant, ticket)
	ended := map[events.Ref]bool{}
	for _, look := range []struct {
		stream, filter string
		parse          func(string) (events.Ref, string, error)
		ended          bool
	}{
		{Changes, f.Changes, events.ParseSubject, false},
		{Targets, f.Targets, events.ParseSubject, false},
		{Outcomes, f.Outcomes, events.ParseOutcomeSubject, true}, // last: what leaves TARGETS meanwhile has a receipt here
	} {
		subjects, err := s.subjects(ctx, look.stream, look.filter)
		if err != nil {
			return nil, err
		}
		for subject := range subjects {
			if ref, _, err := look.parse(subject); err == nil && (slices.Contains(tenants, ref.Tenant) || slices.Contains(tenants, "*")) {
				ended[ref] = look.ended
			}
		}
	}
	list := make([]mention, 0, len(ended))
	for ref, e := range ended {
		list = append(list, mention{ref, e})
	}
	slices.SortFunc(list, func(a, b mention) int {
		if a.ended != b.ended {
			return map[bool]int{false: -1, true: 1}[a.ended]
		}
		return cmp.Compare(a.ref.String(), b.ref.String())
	})
	return list, nil
}

// subjects lists those of a stream that match; for CHANGES one caller at a time.
func (s *Streams) subjects(ctx context.Context, name, filter string) (map[string]uint64, error) {
	if name == Changes {
		select {
		case s.walk <- struct{}{}:
			defer func() { <-s.walk }()
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: other tickets are being looked for: %w", ErrUnavailable, ctx.Err())
		}
	}
	info, err := s.streams[name].Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, fmt.Errorf("%w: looking for a ticket in %s: %w", ErrUnavailable, name, err)
	}
	return info.State.Subjects, nil
}

// findMention returns the event's receipt; the zero one if it is forgotten by now.
// An outcome may outlive its event, and is found by the ticket.
func (s *Streams) findMention(ctx context.Context, m mention, token string) (r events.Receipt, err error) {
	if m.ended && !m.ref.Unresolved() {
		r, err = s.FinalAt(ctx, m.ref, token)
	} else {
		r, err = s.Find(ctx, m.ref)
	}
	if errors.Is(err, events.ErrNotFound) {
		return events.Receipt{}, nil
	}
	return r, err
}

// distinct leaves out what was forgotten, and the first ids of events whose
// target's device is known: they have a receipt under their own.
func distinct(read []events.Receipt) (found []events.Receipt) {
	seen := map[string]bool{"": true}
	for _, r := range read {
		if !seen[r.ID] {
			seen[r.ID] = true
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b events.Receipt) int { return cmp.Or(a.Accepted.Compare(b.Accepted), cmp.Compare(a.ID, b.ID)) })
	return found
}

// Listen calls f whenever an outcome is published under a subject that matches,
// until stop, in one goroutine. It is in force when a question to the broker that
// is asked later is answered. What is heard is on its way to OUTCOMES, and may be
// stored a moment later; while the connection is lost nothing is heard.
func (s *Streams) Listen(subject string, f func()) (stop func(), err error) {
	sub, err := s.nc.Subscribe(subject, func(*nats.Msg) { f() })
	if err != nil {
		return nil, fmt.Errorf("%w: listening to %s: %w", ErrUnavailable, subject, err)
	}
	return func() { _ = sub.Unsubscribe() }, nil
}
