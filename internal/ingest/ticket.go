package ingest

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"changerelay/internal/events"
)

// getTicket answers with the receipts of a ticket's events, in the tenants of
// whoever asks: a source of /v1/changes, which passes its checks with no body.
func (s *Server) getTicket(x *exchange) (answer, error) {
	to, err := s.admitTicket(x)
	if err != nil {
		return answer{}, err
	}
	ticket, err := one(x.QueryParams(), "ticket")
	if err != nil {
		return answer{}, err
	}
	if ticket == "" || len(ticket) > events.MaxTicket {
		return answer{}, &badQuery{"ticket", fmt.Sprintf("want the ticket's number, such as CHG0031337, of at most %d bytes", events.MaxTicket)}
	}
	x.ticket = ticket
	wait, err := waitOf(x)
	if err != nil {
		return answer{}, err
	}
	tenant := "*"
	if len(to.tenants) == 1 {
		tenant = to.tenants[0]
	}
	l := &listing{finder: s.finder, ticket: ticket, reach: to}
	return s.wait(x, events.FilterTicket(tenant, ticket).Outcomes, wait, l.look)
}

// admitTicket verifies the request, counts it in its source's rate of look-ups,
// and returns what it may ask for.
func (s *Server) admitTicket(x *exchange) (reach, error) {
	r := s.hold()
	defer s.drop(r)
	if err := s.admitReader(x, r); err != nil {
		return reach{}, err
	}
	if err := take(x.sender.tickets, x.now); err != nil {
		return reach{}, err
	}
	tenant, err := one(x.QueryParams(), "tenant")
	if err != nil {
		return reach{}, err
	}
	return r.reach(x.sender, tenant)
}

// admitOwner verifies the request, and that its source may ask for the tenant.
func (s *Server) admitOwner(x *exchange, tenant string) error {
	r := s.hold()
	defer s.drop(r)
	if err := s.admitReader(x, r); err != nil {
		return err
	}
	_, err := r.reach(x.sender, tenant)
	return err
}

// admitReader verifies a request that asks. The rate of its source's changes is
// neither looked at nor spent: whoever has captured a question could keep the
// source's changes out with it.
func (s *Server) admitReader(x *exchange, r *roster) error {
	c, err := s.admit(x.from)
	if err != nil {
		return err
	}
	defer c.release()
	x.sender, x.delivery, err = r.identify(inquiry{Request: s.request(x, nil, r.open), senders: r.open, peer: x.from, now: x.now})
	s.found(x)
	switch {
	case err != nil:
		return err
	case x.sender.verifier.BodyAlone():
		return &forbidden{x.sender.Name, "signature", "ask what became of changes: its signature covers the body alone, " +
			"and whoever captures such a request could ask for ever; sign a time too, or ask as another source", ""}
	}
	return nil
}

// A reach is what a source may see: the events of tenants, "*" is all, and the
// parked bodies of the sources that speak for no others, by name, each with the
// tenant that it speaks for, "" if that is not one alone.
type reach struct {
	tenants []string
	sources map[string]string
}

// reach is the source's own, or that within one tenant.
func (r *roster) reach(snd *sender, tenant string) (reach, error) {
	all := slices.Contains(snd.Tenants, "*")
	switch {
	case tenant == "":
		return r.within(slices.Sorted(slices.Values(snd.Tenants))), nil
	case !isName(tenant):
		return reach{}, &badQuery{"tenant", "want the name of a tenant"}
	case !all && !slices.Contains(snd.Tenants, tenant):
		return reach{}, &forbidden{snd.Name, "tenant", "ask for tenant " + tenant, ""}
	}
	return r.within([]string{tenant}), nil
}

func (r *roster) within(tenants []string) reach {
	if slices.Contains(tenants, "*") {
		tenants = []string{"*"}
	}
	to := reach{tenants, map[string]string{}}
	for name, snd := range r.byName {
		beyond := slices.ContainsFunc(snd.Tenants, func(t string) bool { return !slices.Contains(tenants, t) })
		if !beyond || tenants[0] == "*" {
			to.sources[name] = snd.tenant()
		}
	}
	return to
}

// one is the value of a parameter, "" if it is not there. Of two, one reader would
// take the first, and another the last.
func one(q url.Values, name string) (string, error) {
	if len(q[name]) > 1 {
		return "", &badQuery{name, "is there twice; give it once"}
	}
	return q.Get(name), nil
}

// A listing is a ticket's events as they were last seen. The ticket is looked for
// once; from then on its events are, which costs the broker less.
type listing struct {
	finder Finder
	ticket string
	reach  reach

	listed bool
	found  []events.Receipt
	total  int
}

// look is a glance.
func (l *listing) look(ctx context.Context) (answer, bool, error) {
	if err := l.refresh(ctx); err != nil {
		return answer{}, false, fmt.Errorf("finding a ticket: %w", broker(err))
	}
	body := statuses{Ticket: l.ticket, Total: l.total, Changes: make([]status, 0, len(l.found))}
	final := true
	for _, r := range l.found {
		body.Changes = append(body.Changes, status{r.Status(), r})
		final = final && r.State == events.Final
	}
	return found(body), final, nil
}

func (l *listing) refresh(ctx context.Context) (err error) {
	if !l.listed {
		l.found, l.total, err = l.finder.FindTicket(ctx, l.ticket, l.reach.tenants)
		if err != nil {
			return err
		}
		parked, more, err := l.finder.FindParked(ctx, l.ticket, l.reach.sources, MaxParkedFound)
		l.found, l.total, l.listed = append(l.found, parked...), l.total+more, err == nil
		return err
	}
	for i, r := range l.found {
		if r.State == events.Final {
			continue
		}
		ref, err := events.ParseRef(r.ID)
		if err == nil {
			l.found[i], err = l.finder.Find(ctx, ref)
		}
		if err != nil {
			l.found[i] = r
			return err
		}
	}
	return nil
}
