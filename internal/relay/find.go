package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"changerelay/internal/events"
	"changerelay/internal/ledger"
	"changerelay/internal/stream"
)

// What is known of an event is in three places, and each has a part of the truth:
//
//	OUTCOMES   its final outcome
//	CHANGES    that it is stored
//	ledger     how far it has come between the two, and what its device waits for
//	quota      until when its tenant may not be called
//
// OUTCOMES is asked before the ledger: what has ended needs no other question. An
// event that the ledger does not have may have ended in between, so OUTCOMES is
// asked again.

const (
	ledgerWithin  = 2 * time.Second // one document; a receipt without what its device waits for is better than none
	standingsOnce = 8               // documents read at once for the events of one ticket
)

// broker is one whose streams are not open yet. The ledger is looked for when it
// is needed: the first worker makes it.
func (p Parts) broker(nc *nats.Conn) (*broker, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	b := &broker{js: js, gate: gate{js: js}, timing: p.Timing}
	b.gate.quotas.Store(&p.Quotas)
	b.tenants.Store(&p.Tenants)
	if b.timing == (ledger.Timing{}) {
		b.timing = ledger.DefaultTiming
	}
	return b, nil
}

// Find is of ingest.Finder.
func (b *broker) Find(ctx context.Context, r events.Ref) (events.Receipt, error) {
	s := b.streams.Load()
	if s == nil {
		return events.Receipt{}, errOpening
	}
	found, err := s.Find(ctx, r)
	if err != nil {
		return found, err
	}
	return b.place(ctx, s, found)
}

// FindTicket is of ingest.Finder.
func (b *broker) FindTicket(ctx context.Context, ticket string, tenants []string) ([]events.Receipt, int, error) {
	s := b.streams.Load()
	if s == nil {
		return nil, 0, errOpening
	}
	found, total, err := s.FindTicket(ctx, ticket, tenants)
	if err != nil {
		return nil, 0, err
	}
	var group errgroup.Group
	group.SetLimit(standingsOnce)
	for i := range found {
		group.Go(func() (err error) {
			found[i], err = b.place(ctx, s, found[i])
			return err
		})
	}
	return found, total, group.Wait()
}

// FindParked is of ingest.Finder.
func (b *broker) FindParked(ctx context.Context, ticket string, sources map[string]string, most int) ([]events.Receipt, int, error) {
	if s := b.streams.Load(); s != nil {
		return s.FindParked(ctx, ticket, sources, most)
	}
	return nil, 0, errOpening
}

// Listen is of ingest.Finder.
func (b *broker) Listen(subject string, f func()) (stop func(), err error) {
	if s := b.streams.Load(); s != nil {
		return s.Listen(subject, f)
	}
	return nil, errOpening
}

// place says how far an event has come that the streams know.
func (b *broker) place(ctx context.Context, s *stream.Streams, r events.Receipt) (events.Receipt, error) {
	if r.State == events.Final {
		return r, nil
	}
	ref, err := events.ParseRef(r.ID)
	if err != nil {
		return r, err
	}
	if ref.Unresolved() {
		return b.pass(ctx, r), nil // Graph is to be asked which device it is
	}
	d, err := b.document(ctx, ref.Address)
	switch {
	case errors.Is(err, ledger.ErrNone):
		r.Reason = "no worker has run with this broker yet"
		return r, nil
	case err != nil:
		r.Reason = "its device's document, which says how far it has come, cannot be read"
		return r, nil
	}
	e := ledger.Entry{Order: ledger.Order{Key: ref.Key}, Ticket: r.Ticket, Target: r.Target, Changes: r.Changes}
	st := d.Standing(e, time.Now(), b.timing)
	if st.State == events.Queued {
		again, err := s.Find(ctx, ref)
		if errors.Is(err, events.ErrNotFound) { // CHANGES has just forgotten it
			return r, nil
		}
		if again.State == events.Queued && b.gate.unknown(r.Tenant) {
			again.Reason = "its tenant is not in the configuration here; workers that do not have it either wait 10 minutes for it"
		}
		return again, err
	}
	r.State, r.Since, r.Until, r.Reason = st.State, st.Since, st.Until, st.Reason
	if st.Calls {
		r = b.pass(ctx, r)
	}
	return r, nil
}

// pass has an event wait for its tenant, unless it waits longer for something else.
func (b *broker) pass(ctx context.Context, r events.Receipt) events.Receipt {
	now := time.Now()
	if until, why := b.gate.shut(ctx, r.Tenant, now); until.After(now) && until.After(r.Until) {
		r.State, r.Until, r.Reason = events.Waiting, until, why
	}
	return r
}

// document reads a device's, as the ledger's leader has it.
func (b *broker) document(ctx context.Context, a events.Address) (ledger.Device, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerWithin)
	defer cancel()
	l := b.ledger.Load()
	if l == nil {
		var err error
		if l, err = ledger.Attach(ctx, b.js); err != nil {
			return ledger.Device{}, err
		}
		b.ledger.Store(l)
	}
	return l.Get(ctx, a)
}
