package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
	"changerelay/internal/tracing"
)

// Of an event whose device is not known when it comes. TARGETS forgets it once
// it is resolved; the receipt in OUTCOMES under its first id remembers for good:
//
//	TARGETS ──► which device? ──► OUTCOMES: it is this one ──► CHANGES ──► ack
//	                └───────────► DEAD, OUTCOMES: refused, expired ──────► ack
//
// The receipt is written before the event, once. So an event that is delivered
// again, or sent again, goes to the same device, also if Graph has another
// answer by then. It has the event's fingerprint: what else comes under that id
// is a conflict for as long as OUTCOMES remembers.

// headerAccepted tells when an event of CHANGES came to TARGETS.
const headerAccepted = "Changerelay-Accepted"

// earliest is before any event; a time before it is forged, or a slip.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Accepted is when e, the delivery's event, was first stored: its age counts
// from then. Any publisher can write the header, so it counts only where Resolve
// writes it, and only for a time when TARGETS could have had the event. Within
// that, a publisher can make its own event older, and no other.
func (d *Delivery) Accepted(e events.Event) time.Time {
	if e.Target == "" || !strings.HasPrefix(d.Subject, events.ChangesPrefix) {
		return d.Time
	}
	oldest := d.Time.Add(-cmp.Or(d.retention, DefaultRetention))
	t, err := time.Parse(time.RFC3339Nano, d.Header.Get(headerAccepted))
	if err != nil || t.Before(earliest) || t.Before(oldest) || t.After(d.Time) {
		return d.Time
	}
	return t.UTC()
}

// publishTarget is publish for TARGETS.
func (s *Streams) publishTarget(ctx context.Context, e events.Event, ref events.Ref) (bool, error) {
	known := func() error { return s.compareTarget(ctx, e, ref) }
	if err := known(); !errors.Is(err, events.ErrNotFound) {
		return err == nil, err
	}
	msg := &nats.Msg{Subject: ref.TargetSubject(), Data: e.Encode()}
	expect(msg, 0)
	tracing.Inject(ctx, msg.Header)
	return s.putNew(ctx, msg, known)
}

// compareTarget returns nil if an event of this id is known that says the same:
// one that waits, that was resolved, or that has ended.
func (s *Streams) compareTarget(ctx context.Context, e events.Event, ref events.Ref) error {
	m, err := s.last(ctx, Targets, ref.TargetSubject())
	if err == nil {
		return same(m, e)
	}
	if !errors.Is(err, events.ErrNotFound) {
		return err
	}
	r, err := s.FinalAt(ctx, ref, ref.Device)
	if err != nil {
		return err
	}
	if r.Digest != "" || r.Change == "" {
		return SameTarget(r, e)
	}
	e.Device = r.Device
	return s.compare(ctx, e, events.Ref{Address: e.Address(), Key: ref.Key})
}

// SameTarget returns nil if r, the receipt under a target's id, is of event e, and
// else events.ErrConflict. A receipt without a digest is of a message that was no
// event, or of an older relay, and then nobody knows. If it has resolved the
// target, the event in CHANGES says what it was.
func SameTarget(r events.Receipt, e events.Event) error {
	if r.Digest == e.Fingerprint() || r.Digest == "" && r.Change != "" {
		return nil
	}
	return events.ErrConflict
}

// ReportTaken is Report for an event of TARGETS whose id is another event's. The
// subject of its outcome may be that one's.
func (s *Streams) ReportTaken(ctx context.Context, r events.Receipt) error {
	ref, err := events.ParseRef(r.ID)
	if err != nil {
		return fmt.Errorf("reporting an outcome: %w", err)
	}
	was, err := s.FinalAt(ctx, ref, ref.Device)
	switch {
	case errors.Is(err, events.ErrNotFound):
		return s.ReportAt(ctx, r, ref.Device)
	case err != nil:
		return err
	case was.Outcome.Final() && was.Digest == r.Digest:
		return nil // this very outcome
	}
	return s.putOnce(ctx, &nats.Msg{Subject: ref.TakenSubject(), Data: r.Encode(time.Now())})
}

// findResolved follows receipt r, which says what device the event ref is of. If
// what CHANGES has there is another event, that one's fate is not this one's.
func (s *Streams) findResolved(ctx context.Context, ref events.Ref, r events.Receipt) (events.Receipt, error) {
	change, err := events.ParseRef(r.Change)
	if err != nil {
		return events.Receipt{}, err
	}
	m, err := s.last(ctx, Changes, change.ChangesFilter())
	if err != nil {
		return events.Receipt{}, err
	}
	e, _, _ := events.FromMessage(m.Subject, m.Header, m.Data, m.Time)
	if r.Digest == "" || r.Digest == e.Fingerprint() {
		return s.Find(ctx, change)
	}
	taken, err := s.final(ctx, ref.TakenSubject())
	if err == nil && taken.Digest != r.Digest {
		err = events.ErrNotFound // of one that came later
	}
	return taken, err
}

// Resolve publishes an event whose device was looked up: e has it, from is the
// event's first id, and accepted is when it came. It returns the id that the
// event has now, which may be of another device than e's if somebody was faster,
// or zero if the event has ended meanwhile. ErrConflict means that the device
// has another event of this id.
func (s *Streams) Resolve(ctx context.Context, e events.Event, from events.Ref, accepted time.Time) (events.Ref, error) {
	to := events.Ref{Address: e.Address(), Key: from.Key}
	if err := s.compare(ctx, e, to); err != nil && !errors.Is(err, events.ErrNotFound) {
		return to, err
	}
	err := s.Report(ctx, events.Receipt{ID: from.String(), Ticket: e.Ticket, Tenant: e.Tenant, Device: e.Device,
		Target: e.Target, Change: to.String(), Changes: e.Changes, Accepted: accepted, Digest: e.Fingerprint()})
	if err != nil {
		return to, err
	}
	r, err := s.FinalAt(ctx, from, from.Device)
	if err != nil || r.Change == "" {
		return events.Ref{}, err
	}
	e.Device = r.Device
	to.Address = e.Address()
	_, err = s.publish(ctx, e, to, nats.Header{headerAccepted: {accepted.UTC().Format(time.RFC3339Nano)}})
	return to, err
}
