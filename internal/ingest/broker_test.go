package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"changerelay/internal/events"
)

// A broker in memory: the fake of all interfaces.
type memory struct {
	mu      sync.Mutex
	stored  map[string]events.Event
	parked  []Parked
	marks   map[string]*mark // by proof
	hold    time.Duration    // of the last mark
	endless error            // marks fail with it to end
	away    error            // Publish and Find fail with it
	panics  any              // Publish panics with it
	full    error            // Publish alone fails with it

	outcomes map[string]events.Outcome // by id
	ears     map[*func()]string        // who listens, to which subjects
	looks    int                       // at one event
	walks    int                       // for a ticket

	deadline time.Time // of the last Publish
	ended    error     // what its context said
}

func newMemory() *memory {
	return &memory{stored: map[string]events.Event{}, marks: map[string]*mark{}, outcomes: map[string]events.Outcome{}, ears: map[*func()]string{}}
}

func (b *memory) Publish(ctx context.Context, e events.Event) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deadline, _ = ctx.Deadline()
	b.ended = ctx.Err()
	if b.panics != nil {
		panic(b.panics)
	}
	if b.away != nil {
		return false, b.away
	}
	if b.full != nil {
		return false, b.full
	}
	old, had := b.stored[e.Ref().String()]
	switch {
	case had && old.Digest() != e.Digest():
		return false, events.ErrConflict
	case had:
		return true, nil
	}
	b.stored[e.Ref().String()] = e
	return false, nil
}

func (b *memory) Find(_ context.Context, r events.Ref) (events.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.looks++
	if b.away != nil {
		return events.Receipt{}, b.away
	}
	e, ok := b.stored[r.String()]
	if !ok {
		return events.Receipt{}, events.ErrNotFound
	}
	return b.receipt(e), nil
}

func (b *memory) receipt(e events.Event) events.Receipt {
	id := e.Ref().String()
	r := events.Receipt{ID: id, Ticket: e.Ticket, Tenant: e.Tenant, Device: e.Device, Changes: e.Changes, Accepted: clock, State: events.Queued}
	if o, ended := b.outcomes[id]; ended {
		r.Outcome, r.State, r.Ended = o, events.Final, clock
	}
	return r
}

func (b *memory) FindTicket(_ context.Context, ticket string, tenants []string) (found []events.Receipt, total int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.walks++
	if b.away != nil {
		return nil, 0, b.away
	}
	for _, id := range slices.Sorted(maps.Keys(b.stored)) {
		if e := b.stored[id]; e.Ticket == ticket && (slices.Contains(tenants, e.Tenant) || slices.Contains(tenants, "*")) {
			found = append(found, b.receipt(e))
		}
	}
	return found, len(found), nil
}

func (b *memory) FindParked(_ context.Context, ticket string, sources map[string]string, most int) (found []events.Receipt, total int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, p := range b.parked {
		if tenant, ok := sources[p.Source]; ok && p.Ticket == ticket {
			if total++; total <= most {
				found = append(found, events.Receipt{ID: fmt.Sprintf("dead.%d", i+1), Ticket: ticket, Tenant: tenant, Outcome: events.Invalid, Reason: p.Reason,
					Accepted: p.At, Ended: p.At, State: events.Final})
			}
		}
	}
	return found, total, nil
}

// Listen is told of the outcomes that end is told to say.
func (b *memory) Listen(subject string, f func()) (func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away != nil {
		return nil, b.away
	}
	b.ears[&f] = subject
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.ears, &f)
	}, nil
}

// end gives an event its outcome. Those who listen hear of it only if it is said.
func (b *memory) end(id string, o events.Outcome, said bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes[id] = o
	for f := range b.ears {
		if said {
			(*f)()
		}
	}
}

// say has everybody who listens hear something.
func (b *memory) say() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for f := range b.ears {
		(*f)()
	}
}

// leave has the broker away from now on.
func (b *memory) leave(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = err
}

// blink has it away for a while, after a while.
func (b *memory) blink(after, until time.Duration) {
	time.Sleep(after)
	b.leave(errors.New("nats: no responders"))
	time.Sleep(until - after)
	b.leave(nil)
}

func (b *memory) listeners() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ears)
}

// Park keeps the same bytes of a source once.
func (b *memory) Park(_ context.Context, p Parked) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away != nil {
		return b.away
	}
	same := func(q Parked) bool { return q.Source == p.Source && bytes.Equal(q.Body, p.Body) }
	if !slices.ContainsFunc(b.parked, same) {
		b.parked = append(b.parked, p)
	}
	return nil
}

// A mark is the fake of Marks' own: whose events a proof is for, and whether
// they are stored.
type mark struct {
	broker *memory
	proof  string
	refs   []events.Ref
	state  string // begun, done or undone
}

func (b *memory) Begin(_ context.Context, proof []byte, refs []events.Ref, hold time.Duration) (Mark, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hold = hold
	m := b.marks[string(proof)]
	switch {
	case b.away != nil:
		return nil, b.away
	case m == nil || m.state == "undone" && !slices.Equal(m.refs, refs):
		m = &mark{b, string(proof), refs, "begun"}
		b.marks[string(proof)] = m
	case !slices.Equal(m.refs, refs):
		return nil, ErrReplayed
	}
	return m, nil
}

func (m *mark) Done(context.Context) error { return m.end("done") }
func (m *mark) Undo(context.Context) error { return m.end("undone") }

func (m *mark) end(state string) error {
	m.broker.mu.Lock()
	defer m.broker.mu.Unlock()
	if m.broker.endless != nil {
		return m.broker.endless
	}
	if m.state != "done" {
		m.state = state
	}
	return nil
}
