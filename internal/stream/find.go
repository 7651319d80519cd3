package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// A Message is a stored message, as its stream's leader has it.
type Message struct {
	Subject  string
	Header   nats.Header
	Data     []byte
	Sequence uint64
	Time     time.Time // the broker's
}

// Change returns the message of CHANGES with that sequence.
func (s *Streams) Change(ctx context.Context, seq uint64) (Message, error) {
	return s.ask(ctx, Changes, func(ctx context.Context, st jetstream.Stream) (*jetstream.RawStreamMsg, error) {
		return st.GetMsg(ctx, seq)
	})
}

// Find returns what the streams know of an event: its final outcome, or that it
// is queued, without an outcome. How far it has come between the two is in the
// ledger. Once CHANGES has forgotten the event
// it is not found, though its outcome, which came later, is stored a little
// longer: to look for that one without its ticket is too dear for a question
// that anybody with a mistyped id asks.
func (s *Streams) Find(ctx context.Context, r events.Ref) (events.Receipt, error) {
	if r.Unresolved() {
		return s.findTarget(ctx, r)
	}
	m, err := s.last(ctx, Changes, r.ChangesFilter())
	if err != nil {
		return events.Receipt{}, err
	}
	e, _, invalid := events.FromMessage(m.Subject, m.Header, m.Data, m.Time)
	final, err := s.FinalAt(ctx, r, m.Subject[strings.LastIndexByte(m.Subject, '.')+1:])
	if invalid != nil && errors.Is(err, events.ErrNotFound) {
		final, err = s.FinalAt(ctx, r, events.TicketToken("")) // reported by a hand that did not look at the subject
	}
	if errors.Is(err, events.ErrNotFound) {
		return events.Receipt{ID: r.String(), Ticket: e.Ticket, Tenant: r.Tenant, Device: r.Device, Target: e.Target,
			Changes: e.Changes, Accepted: m.Time, State: events.Queued}, nil
	}
	return final, err
}

// findTarget is Find for an event whose device was not known when it came. Once
// it is, what is returned is of the change, under its own id.
func (s *Streams) findTarget(ctx context.Context, r events.Ref) (events.Receipt, error) {
	m, waits := s.last(ctx, Targets, r.TargetSubject())
	if waits != nil && !errors.Is(waits, events.ErrNotFound) {
		return events.Receipt{}, waits
	}
	final, err := s.FinalAt(ctx, r, r.Device)
	switch {
	case errors.Is(err, events.ErrNotFound) && waits == nil:
		e, _, _ := events.FromMessage(m.Subject, m.Header, m.Data, m.Time)
		return events.Receipt{ID: r.String(), Ticket: e.Ticket, Tenant: r.Tenant, Target: e.Target, Changes: e.Changes, Accepted: m.Time,
			State: events.Queued, Reason: "Graph has to say first which device is meant"}, nil
	case err != nil || final.Change == "":
		return public(final), err
	}
	found, err := s.findResolved(ctx, r, final)
	if errors.Is(err, events.ErrNotFound) && waits == nil {
		return public(final), nil // between the two writes of Resolve, or before the end of one that is taken
	}
	return public(found), err
}

// public is a receipt without what is the relay's own.
func public(r events.Receipt) events.Receipt {
	r.Digest = ""
	return r
}

// FinalAt returns the final outcome of an event whose ticket's token is known.
func (s *Streams) FinalAt(ctx context.Context, r events.Ref, ticket string) (events.Receipt, error) {
	return s.final(ctx, r.OutcomeSubject(ticket))
}

// Final returns the final outcome of an event, whatever its ticket. It is for
// operators: the broker looks through the subjects of the whole tenant, half a
// second for a million of them, and publishes to OUTCOMES wait meanwhile.
func (s *Streams) Final(ctx context.Context, r events.Ref) (events.Receipt, error) {
	return s.final(ctx, r.OutcomeSubject("*"))
}

func (s *Streams) final(ctx context.Context, subject string) (events.Receipt, error) {
	m, err := s.last(ctx, Outcomes, subject)
	if err != nil {
		return events.Receipt{}, err
	}
	r, err := events.ParseReceipt(m.Data)
	if err != nil {
		return events.Receipt{}, fmt.Errorf("reading outcome %s: %w", m.Subject, err)
	}
	if r.State = events.Queued; r.Outcome.Final() {
		r.State = events.Final
	}
	return r, nil
}

// last returns the newest message of the stream under a subject or a filter.
func (s *Streams) last(ctx context.Context, name, subject string) (Message, error) {
	return s.ask(ctx, name, func(ctx context.Context, st jetstream.Stream) (*jetstream.RawStreamMsg, error) {
		return st.GetLastMsgForSubject(ctx, subject)
	})
}

// next returns the stream's messages under a subject with wildcards, oldest
// first: at most most, with sequences above after.
func (s *Streams) next(ctx context.Context, name, filter string, after uint64, most int) ([]Message, error) {
	var ms []Message
	for len(ms) < most {
		m, err := s.ask(ctx, name, func(ctx context.Context, st jetstream.Stream) (*jetstream.RawStreamMsg, error) {
			return st.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(filter))
		})
		if errors.Is(err, events.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		ms, after = append(ms, m), m.Sequence
	}
	return ms, nil
}

// ask reads from a stream's leader until it answers or ctx ends. Each question
// has a limit of its own: one sent to a leader that has just gone is never
// answered.
func (s *Streams) ask(ctx context.Context, name string, get func(context.Context, jetstream.Stream) (*jetstream.RawStreamMsg, error)) (Message, error) {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	for p := (pauses{}); ; {
		one, done := context.WithTimeout(ctx, ReadTry)
		m, err := get(one, s.streams[name])
		done()
		switch {
		case err == nil:
			return Message{m.Subject, m.Header, m.Data, m.Sequence, m.Time}, nil
		case errors.Is(err, jetstream.ErrMsgNotFound):
			return Message{}, events.ErrNotFound
		case p.wait(ctx) != nil:
			return Message{}, fmt.Errorf("%w: reading %s: %w", ErrUnavailable, name, err)
		}
	}
}

// Due returns how many devices of each tenant have a wake-up, waiting or in
// hand, for the tenants that have any. The broker names each device: it is for
// people, who ask now and then.
func (s *Streams) Due(ctx context.Context) (map[string]int, error) {
	subjects, err := s.due(ctx, ">")
	due := map[string]int{}
	for subject := range subjects {
		if a, err := events.ParseAddress(subject); err == nil {
			due[a.Tenant]++
		}
	}
	return due, err
}

// DueOf is Due of one tenant; it is for one that nobody works for, and has few.
func (s *Streams) DueOf(ctx context.Context, tenant string) (int, error) {
	subjects, err := s.due(ctx, tenant+".*")
	return len(subjects), err
}

// due returns the wake-ups' subjects below a filter.
func (s *Streams) due(ctx context.Context, filter string) (map[string]uint64, error) {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	info, err := s.streams[Devices].Info(ctx, jetstream.WithSubjectFilter(events.DevicesPrefix+filter))
	if err != nil {
		return nil, fmt.Errorf("%w: counting due devices: %w", ErrUnavailable, err)
	}
	return info.State.Subjects, nil
}
