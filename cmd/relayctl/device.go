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
	"changerelay/internal/stream"
)

// device shows what the relay and Graph know of one device.
type device struct {
	boot.Flags
	Tenant  string `arg:"" help:"Tenant, as the configuration names it."`
	ID      string `arg:"" help:"Intune device id."`
	NoGraph bool   `name:"no-graph" help:"Do not ask Graph."`
}

func (device) Help() string {
	return `TOLD is the newest change that Graph has taken, PENDING what it has yet to be
told, BELIEVED what the relay takes Graph to hold, GRAPH what it shows now.

Examples:

    relayctl device acme 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
    relayctl device acme 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11 --no-graph
`
}

// A sight is all that could be read of a device.
type sight struct {
	addr    events.Address
	now     time.Time
	timing  ledger.Timing
	doc     *ledger.Device    // nil: not read
	tickets map[string]string // by an event's key, as far as known
	graph   *graph.Result     // nil: not read
}

// Run is called by the command line's parser.
func (d device) Run(ctx context.Context, out io.Writer) error {
	c, err := d.Load()
	if err != nil {
		return err
	}
	if _, ok := c.Tenants[d.Tenant]; !ok {
		return fmt.Errorf("there is no tenant %q in %s; it has %s", d.Tenant, d.Config, strings.Join(c.TenantNames(), ", "))
	}
	addr, err := events.ParseAddress(d.Tenant + "." + strings.ToLower(d.ID))
	if err != nil {
		return err
	}
	s := &sight{addr: addr, timing: c.Worker.Timing.Protocol(), tickets: map[string]string{}}
	failed := s.readLedger(ctx, c)
	if !d.NoGraph {
		failed = errors.Join(failed, s.readGraph(ctx, c))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.now = time.Now()
	if s.doc != nil || s.graph != nil {
		if err := s.print(out); err != nil {
			return err
		}
	}
	return failed
}

// readLedger reads the document, and which tickets its told words are of.
func (s *sight) readLedger(ctx context.Context, c *boot.Config) error {
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
	for _, e := range doc.Pending {
		s.tickets[e.Key] = e.Ticket
	}
	streams, err := b.streams(ctx)
	if err != nil {
		return fmt.Errorf("looking up tickets: %w", err)
	}
	return s.findTickets(ctx, streams)
}

func (s *sight) findTickets(ctx context.Context, streams *stream.Streams) error {
	for _, w := range s.doc.Told {
		if _, known := s.tickets[w.Key]; known || w.Key == "" {
			continue
		}
		r, err := streams.Find(ctx, events.Ref{Address: s.addr, Key: w.Key})
		if err != nil && !errors.Is(err, events.ErrNotFound) { // its retention is over, the word's is not
			return fmt.Errorf("looking up tickets: %w", err)
		}
		s.tickets[w.Key] = r.Ticket
	}
	return nil
}

func (s *sight) readGraph(ctx context.Context, c *boot.Config) error {
	g, err := tenants.Graph(c, s.addr.Tenant)
	if err != nil {
		return fmt.Errorf("asking Graph: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, graphWithin)
	defer cancel()
	r, err := g.ActionResult(ctx, graph.ManagedDevice(s.addr.Device))
	if err != nil {
		return fmt.Errorf("asking Graph: %w", err)
	}
	s.graph = &r
	return nil
}
