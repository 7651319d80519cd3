package stream

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
)

// Of an event whose device is not known when it comes. TARGETS forgets it once
// it is resolved; the receipt in OUTCOMES under its first id remembers for good:
//
//	TARGETS ──► which device? ──► OUTCOMES: it is this one ──► CHANGES ──► ack
//	                └───────────► DEAD, OUTCOMES: refused, expired ──────► ack
//
// The receipt is written before the event, once. So an event that is delivered
// again, or sent again, goes to the same device, also if Graph has another
// answer by then.

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
	if err != nil || r.Change == "" {
		return err
	}
	e.Device = r.Device
	return s.compare(ctx, e, events.Ref{Address: e.Address(), Key: ref.Key})
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
		Target: e.Target, Change: to.String(), Changes: e.Changes, Accepted: accepted})
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
