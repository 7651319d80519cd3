package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"changerelay/internal/events"
)

// runTicket is Run with --ticket.
func (s status) runTicket(ctx context.Context, out io.Writer) error {
	c, err := s.Load()
	if err != nil {
		return err
	}
	name, badge, err := reader(c, s.Source, s.Config)
	if err != nil {
		return err
	}
	var l listed
	var raw []byte
	ask := func(ctx context.Context, wait time.Duration) (bool, error) {
		h, err := badge.headers()
		if err != nil {
			return false, err
		}
		g, b, err := s.relay.ticket(ctx, s.Ticket, s.Tenant, h, wait)
		if err != nil {
			return false, s.explain(err, name)
		}
		l, raw = g, b
		return l.final(), nil
	}
	if s.Wait {
		err = s.await(ctx, s.Timeout, false, "relayctl status --ticket "+clean(s.Ticket), ask)
	} else {
		_, err = ask(ctx, 0)
	}
	if raw == nil {
		return err
	}
	if failed := l.print(out, raw, s.json()); failed != nil {
		return failed
	}
	if err == nil && s.Wait {
		err = l.dead()
	}
	return errors.Join(err, l.none())
}

// none is the error of a ticket that never came: a script that waits for one must not
// take its number, misspelt, for done.
func (l listed) none() error {
	if len(l.Changes) > 0 {
		return nil
	}
	return fmt.Errorf("no change of ticket %s is stored, of the tenants that the source may ask for", clean(l.Ticket))
}

// explain adds to an error what to do about it.
func (s status) explain(err error, name string) error {
	var e *refusal
	if errors.As(err, &e) && e.code == http.StatusMethodNotAllowed {
		return fmt.Errorf("%w; this relay is older than relayctl, and knows events by their id only", err)
	}
	return turnedDown(err, name, s.Config)
}

func (l listed) final() bool {
	for _, f := range l.Changes {
		if !f.Outcome.Final() {
			return false
		}
	}
	return true
}

// dead is the error of a ticket of which a person must look at an event.
func (l listed) dead() error {
	var n int
	for _, f := range l.Changes {
		if f.Outcome.Dead() {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("a person must look at %s of the ticket: relayctl dead list", count(n, "change"))
}

// print writes a ticket's events for people, or as they came.
func (l listed) print(out io.Writer, raw []byte, asJSON bool) error {
	if asJSON {
		_, err := fmt.Fprintln(out, strings.TrimSpace(string(raw)))
		return err
	}
	if len(l.Changes) == 0 {
		return nil
	}
	now := time.Now()
	t := newTable(out)
	t.row("STATUS", "TENANT", "DEVICE", "CHANGES", "STORED", "UNTIL", "ID", "REASON")
	for _, f := range l.Changes {
		t.row(f.Status, f.Tenant, dash(f.Device), changes(f.Changes), stamp(f.Accepted, now), dash(stamp(f.Until, now)), f.ID, clip(f.Reason))
	}
	if l.Total > len(l.Changes) {
		t.gap()
		t.row(fmt.Sprintf("%d of %s; the others have ended", len(l.Changes), count(l.Total, "change")))
	}
	return t.flush()
}

// changes says how many items an event removes and restores.
func changes(list []events.Change) string {
	n := map[events.Intent]int{}
	for _, c := range list {
		n[c.Intent]++
	}
	var parts []string
	for _, i := range []events.Intent{events.Remove, events.Restore} {
		if n[i] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", i, n[i]))
		}
	}
	return dash(strings.Join(parts, ", "))
}
