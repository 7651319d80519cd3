package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/tracing"
)

// errStored reports that a message is stored under the subject already.
var errStored = errors.New("a message is stored under this subject")

// errTooBig reports that no try will store a message: its stream, the server or
// the protocol has no room for one so big.
var errTooBig = errors.New("the message is too big")

// Publish stores the event, or finds that it is stored: then duplicate is true
// if the stored one says the same, and the error is events.ErrConflict if it
// says something else. After any other error, all of which wrap ErrUnavailable
// or are about an event too big for the broker, the event may or may not be
// stored; to publish it again is safe.
//
// An event whose device is not known yet goes to TARGETS.
func (s *Streams) Publish(ctx context.Context, e events.Event) (duplicate bool, err error) {
	return s.publish(ctx, e, e.Ref(), nil)
}

// Replay publishes the event of dead letter number letter once more. Its key
// carries that number, so that replaying twice is one replay.
func (s *Streams) Replay(ctx context.Context, e events.Event, letter uint64) (events.Ref, bool, error) {
	ref := e.Ref()
	ref.Key = fmt.Sprintf("%s-r%d", ref.Key, letter)
	duplicate, err := s.publish(ctx, e, ref, nil)
	return ref, duplicate, err
}

// publish expects that nothing is stored for ref whatever the ticket, so that
// an id used again for another ticket is a conflict.
func (s *Streams) publish(ctx context.Context, e events.Event, ref events.Ref, h nats.Header) (bool, error) {
	ctx, cancel := bound(ctx, PublishFor)
	defer cancel()
	ctx, span := tracing.Start(ctx, "publish", tracing.Producer)
	duplicate, err := s.publishIn(ctx, e, ref, h)
	said(span, e, ref, duplicate, err)
	return duplicate, err
}

// publishIn is publish in a span, which the message tells on.
func (s *Streams) publishIn(ctx context.Context, e events.Event, ref events.Ref, h nats.Header) (bool, error) {
	if ref.Unresolved() {
		return s.publishTarget(ctx, e, ref)
	}
	id := events.ChangesPrefix + ref.String()
	msg := &nats.Msg{
		Subject: id + "." + events.TicketToken(e.Ticket), Data: e.Encode(),
		Header: nats.Header{jetstream.ExpectedLastSubjSeqHeader: nothing, jetstream.ExpectedLastSubjSeqSubjHeader: {id + ".*"}},
	}
	maps.Copy(msg.Header, h)
	tracing.Inject(ctx, msg.Header)
	return s.putNew(ctx, msg, func() error { return s.compare(ctx, e, ref) })
}

// putNew stores msg, which expects to be the first of its kind. If it is not,
// compare says whether the one that is there says the same.
func (s *Streams) putNew(ctx context.Context, msg *nats.Msg, compare func() error) (duplicate bool, err error) {
	for p := (pauses{}); ; {
		_, err := s.put(ctx, msg)
		if !errors.Is(err, errStored) {
			return false, err
		}
		err = compare()
		if !errors.Is(err, events.ErrNotFound) {
			return err == nil, err
		}
		// It was stored a moment ago: its retention ended in between, or a new
		// leader has yet to apply it. The next publish tells which.
		if p.wait(ctx) != nil {
			return false, fmt.Errorf("%w: publishing %s: stored, but not to be found", ErrUnavailable, msg.Subject)
		}
	}
}

// compare returns nil if the stored event for ref has e's content.
func (s *Streams) compare(ctx context.Context, e events.Event, ref events.Ref) error {
	m, err := s.last(ctx, Changes, ref.ChangesFilter())
	if err != nil {
		return err
	}
	return same(m, e)
}

// same returns nil if m is event e.
func same(m Message, e events.Event) error {
	stored, _, err := events.FromMessage(m.Subject, m.Header, m.Data, m.Time)
	if err != nil || stored.Digest() != e.Digest() {
		return events.ErrConflict // also what a direct publisher stored that is no event
	}
	return nil
}

// Wake says that the device is due. It replaces a wake-up that waits, and is
// delivered at once even if that one was put back for an hour.
func (s *Streams) Wake(ctx context.Context, a events.Address) error { return s.WakeWith(ctx, a, nil) }

// WakeWith is Wake with data for whoever is woken: less than MaxChangeHeaders with the subject.
func (s *Streams) WakeWith(ctx context.Context, a events.Address, data []byte) error {
	ctx, cancel := bound(ctx, PublishFor)
	defer cancel()
	_, err := s.put(ctx, &nats.Msg{Subject: a.WakeSubject(), Data: data})
	return err
}

// WakeAll wakes many devices at once. Its error is the first of them; the
// others were tried.
func (s *Streams) WakeAll(ctx context.Context, as []events.Address) error {
	return each(as, PublishesAtOnce, func(a events.Address) error { return s.Wake(ctx, a) })
}

// Report publishes an event's final outcome. Only the first one is stored: if
// there is one, Report returns nil and leaves it.
func (s *Streams) Report(ctx context.Context, r events.Receipt) error {
	return s.ReportAt(ctx, r, events.TicketToken(r.Ticket))
}

// ReportAt is Report for a message that is no event but has the subject of one:
// its ticket is known as the subject's token only.
func (s *Streams) ReportAt(ctx context.Context, r events.Receipt, ticket string) error {
	ref, err := events.ParseRef(r.ID)
	if err != nil {
		return fmt.Errorf("reporting an outcome: %w", err)
	}
	return s.putOnce(ctx, &nats.Msg{Subject: ref.OutcomeSubject(ticket), Data: r.Encode(time.Now())})
}

// ReportAll publishes many outcomes at once. Its error is the first of them;
// the others were tried.
func (s *Streams) ReportAll(ctx context.Context, rs []events.Receipt) error {
	return each(rs, PublishesAtOnce, func(r events.Receipt) error { return s.Report(ctx, r) })
}

// putOnce stores msg unless something is stored under its subject, which is
// as good: the same crash-and-repeat wrote it.
func (s *Streams) putOnce(ctx context.Context, msg *nats.Msg) error {
	_, err := s.putFirst(ctx, msg)
	return err
}

// putFirst is putOnce that says whether it stored msg, as far as it knows.
func (s *Streams) putFirst(ctx context.Context, msg *nats.Msg) (fresh bool, err error) {
	ctx, cancel := bound(ctx, PublishFor)
	defer cancel()
	expect(msg, 0)
	_, err = s.put(ctx, msg)
	if errors.Is(err, errStored) {
		return false, nil
	}
	return err == nil, err
}

// put publishes msg until the broker has stored it, refuses it or ctx ends, and
// returns its sequence. A try without an answer is repeated: what is published
// here may be stored twice without harm, or expects not to be.
func (s *Streams) put(ctx context.Context, msg *nats.Msg) (uint64, error) {
	for p := (pauses{}); ; {
		seq, err := s.acks.Publish(ctx, msg, PublishTry)
		var waited error
		switch c := code(err); {
		case err == nil:
			return seq, nil
		case c == jetstream.JSErrCodeStreamWrongLastSequence, c == codeStoreFailed && subjectFull(err):
			return 0, errStored
		case c == jetstream.JSErrCodeStreamWrongLastSequenceConstant, c == codeNotReady:
			waited = sleep(ctx, jitter(InFlightPause))
		case c == codeStoreFailed, c == codeNoResources, c == codeStorage:
			return 0, fmt.Errorf("%w: publishing %s: %w", ErrFull, msg.Subject, err)
		case c == jetstream.JSErrCodeStreamMessageExceedsMaximum, c == codeHeaders, errors.Is(err, nats.ErrMaxPayload):
			return 0, fmt.Errorf("publishing %s: %w: %w", msg.Subject, errTooBig, err)
		default:
			waited = p.wait(ctx)
		}
		if waited != nil {
			return 0, fmt.Errorf("%w: publishing %s: %w", ErrUnavailable, msg.Subject, err)
		}
	}
}

// nothing is the expectation that a subject has no message yet. No one writes it.
var nothing = []string{"0"}

// expect has the broker store msg only if the last message under its subject has
// that sequence; 0 is that there is none.
func expect(msg *nats.Msg, last uint64) {
	if msg.Header == nil {
		msg.Header = nats.Header{}
	}
	msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(last, 10))
}

// subjectFull tells the limit of a subject from that of the stream. The broker
// has one code for both.
func subjectFull(err error) bool { return strings.Contains(err.Error(), "per subject") }
