package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/cmd/internal/tenants"
	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/ledger"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
)

// device shows what the relay and Graph know of one device.
type device struct {
	boot.Flags
	form
	watch
	Tenant  string `arg:"" help:"Tenant, as the configuration names it."`
	ID      string `arg:"" help:"Intune device id."`
	NoGraph bool   `name:"no-graph" help:"Do not ask Graph."`
}

func (device) Help() string {
	return `TOLD is the newest change that Graph has taken, PENDING what it has yet to be
told, BELIEVED what the relay takes Graph to hold, GRAPH what it shows now. The
next call is what a worker would tell Graph if it looked now: + is removed by it,
- is restored. The exit code is 1 if the broker or Graph could not be asked; what could
be read is printed all the same.

Examples:

    relayctl device acme 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
    relayctl device acme 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11 --no-graph --watch
    relayctl device acme 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11 --output json | jq .next
`
}

// Validate is called by the command line's parser.
func (d *device) Validate() error { return d.watch.check() }

// A sight is all that could be read of a device.
type sight struct {
	addr    events.Address
	now     time.Time
	timing  ledger.Timing
	maxAge  time.Duration
	pace    time.Duration
	own     bool              // only the relay's removals are kept
	doc     *ledger.Device    // nil: not read
	tickets map[string]string // by an event's key, as far as known
	asked   time.Time         // before Graph was read
	graph   *graph.Result     // nil: not read

	budgets     bool // write, read and notice are read
	write, read budget
	notice      quota.Notice
}

// Run is called by the command line's parser.
func (d *device) Run(ctx context.Context, out io.Writer) error {
	c, err := d.Load()
	if err != nil {
		return err
	}
	if err := known(c, d.Config, d.Tenant); err != nil {
		return err
	}
	addr, err := events.ParseAddress(d.Tenant + "." + strings.ToLower(d.ID))
	if err != nil {
		return fmt.Errorf("<id>: %q is not an Intune device id; want one such as 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11, without braces", clean(d.ID))
	}
	return d.look(ctx, out, d.form, func(ctx context.Context) (view, error) {
		s := &sight{addr: addr, timing: c.Worker.Timing.Protocol(), maxAge: c.Worker.Timing.MaxAge, pace: c.Worker.Pace,
			own: c.Tenants[d.Tenant].OwnSet, tickets: map[string]string{}}
		failed := s.readBroker(ctx, c)
		if !d.NoGraph {
			failed = errors.Join(failed, s.readGraph(ctx, c))
		}
		s.now = time.Now()
		if s.doc == nil && s.graph == nil {
			return nil, failed
		}
		return s, failed
	})
}

// readBroker reads the document, which tickets its told words are of, and the
// tenant's quota.
func (s *sight) readBroker(ctx context.Context, c *boot.Config) error {
	b, err := connect(ctx, c)
	if err != nil {
		return fmt.Errorf("reading the ledger: %w", err)
	}
	defer b.close()
	ctx, cancel := asking(ctx)
	defer cancel()
	l, err := b.ledger(ctx)
	if err != nil {
		return fmt.Errorf("reading the ledger: %w", err)
	}
	doc, err := l.Get(ctx, s.addr)
	if err != nil {
		return err
	}
	s.doc = &doc
	return errors.Join(s.readQuota(ctx, b, c.Tenants[s.addr.Tenant]), s.findTickets(ctx, b))
}

func (s *sight) readQuota(ctx context.Context, b *broker, t boot.Tenant) error {
	q, err := b.quotas(ctx)
	if err != nil {
		return err
	}
	s.write, s.read, err = budgetsOf(ctx, q, t)
	if err == nil && q != nil {
		s.notice, err = q.Notice(ctx, keyOf(t))
	}
	s.budgets = err == nil
	return err
}

func (s *sight) findTickets(ctx context.Context, b *broker) error {
	for _, e := range s.doc.Pending {
		s.tickets[e.Key] = e.Ticket
	}
	streams, err := b.streams(ctx)
	if err != nil {
		return fmt.Errorf("looking up tickets: %w", err)
	}
	for _, w := range s.doc.Told {
		if err := s.findTicket(ctx, streams, w.Key); err != nil {
			return fmt.Errorf("looking up tickets: %w", err)
		}
	}
	return nil
}

func (s *sight) findTicket(ctx context.Context, streams *stream.Streams, key string) error {
	if _, known := s.tickets[key]; known || key == "" {
		return nil
	}
	r, err := streams.Find(ctx, events.Ref{Address: s.addr, Key: key})
	if err != nil && !errors.Is(err, events.ErrNotFound) { // its retention is over, the word's is not
		return err
	}
	s.tickets[key] = r.Ticket
	return nil
}

func (s *sight) readGraph(ctx context.Context, c *boot.Config) error {
	g, err := tenants.Graph(c, s.addr.Tenant)
	if err != nil {
		return fmt.Errorf("asking Graph: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, graphWithin)
	defer cancel()
	asked := time.Now()
	r, err := g.ActionResult(ctx, graph.ManagedDevice(s.addr.Device))
	if err != nil {
		return fmt.Errorf("asking Graph: %w", err)
	}
	s.asked, s.graph = asked, &r
	return nil
}
