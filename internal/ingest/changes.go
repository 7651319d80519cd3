package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"changerelay/internal/events"
)

// postChange takes a CloudEvent. Its URL names no source: the signature does.
func (s *Server) postChange(x *exchange) (answer, error) {
	r := s.hold()
	defer s.drop(r)
	return s.receive(x, r, r.open, nil)
}

// postHook takes a body from the source that the URL names.
func (s *Server) postHook(x *exchange) (answer, error) {
	r := s.hold()
	defer s.drop(r)
	senders := r.named(x.Param("source"))
	if len(senders) == 0 {
		return s.receive(x, r, nil, nil)
	}
	x.source = senders[0].Name
	return s.receive(x, r, senders, senders[0])
}

// receive is the one way from a request to stored events. The URL may have
// named its sender.
func (s *Server) receive(x *exchange, r *roster, senders []*sender, named *sender) (answer, error) {
	c, err := s.admit(x.from)
	if err != nil {
		return answer{}, err
	}
	defer c.release()
	body, err := readBody(x, c, maxBody(named))
	if err != nil {
		return answer{}, err
	}
	err = r.examine(inquiry{
		Request: s.request(x, body, senders), senders: senders, peer: x.from, now: x.now, share: c,
	}, &x.finding)
	s.found(x)
	switch {
	case err != nil:
		return answer{}, s.park(x, body, err)
	case x.handshake != nil:
		return *x.handshake, nil
	}
	return s.store(x)
}

// peer is the address that the request comes from, for allow lists.
func (x *exchange) peer() netip.Addr {
	a, err := netip.ParseAddr(x.RealIP())
	if err != nil {
		return netip.IPv6Unspecified() // which is in no list, rather than anywhere
	}
	return a
}

// found says in the metrics and the log whom a request is from.
func (s *Server) found(x *exchange) {
	if x.sender == nil {
		return
	}
	x.source = x.sender.Name
	for _, u := range x.delivery.Uses {
		s.metrics.KeyUses.WithLabelValues(x.source, u.Check, u.Key).Inc()
		s.metrics.KeyLastUsed.WithLabelValues(x.source, u.Check, u.Key).Set(float64(x.now.Unix()))
	}
	x.ticket = x.decoded.Ticket
	x.linked()
	x.ids = make([]string, 0, len(x.decoded.Events))
	for _, e := range x.decoded.Events {
		x.ticket = e.Ticket
		x.ids = append(x.ids, e.Ref().String())
	}
}

// within is the time for the broker. It goes on when the sender hangs up: many
// never try again, and then this is the change's only chance.
func (x *exchange) within() (context.Context, context.CancelFunc) {
	left := min(PublishTimeout, AnswerBudget-time.Since(x.start))
	return context.WithTimeout(x.span.In(context.WithoutCancel(x.Request().Context())), left)
}

// store marks the delivery, publishes its events and answers for them.
func (s *Server) store(x *exchange) (answer, error) {
	ctx, cancel := x.within()
	defer cancel()
	m, err := s.mark(ctx, x)
	if err != nil {
		return answer{}, err
	}
	receipts, err := s.publish(ctx, x)
	if x.fresh {
		x.spend()
	}
	if err := settle(ctx, m, err); err != nil {
		return answer{}, err
	}
	return stored(receipts), nil
}

// publish stores the events, one after the other. A conflict keeps none of the
// others back: the sender would meet it again each time.
func (s *Server) publish(ctx context.Context, x *exchange) ([]accepted, error) {
	receipts := make([]accepted, 0, len(x.decoded.Events))
	conflict := -1
	for i, e := range x.decoded.Events {
		duplicate, err := s.publisher.Publish(ctx, e)
		s.count(x.source, duplicate, err)
		x.fresh = x.fresh || err == nil && !duplicate
		switch {
		case err == nil:
			receipts = append(receipts, s.accepted(x.ids[i], duplicate, x.unknown[e.Tenant]))
		case errors.Is(err, events.ErrConflict):
			conflict = i
		default:
			x.ids = x.ids[i : i+1]
			return nil, fmt.Errorf("publishing an event: %w", broker(err))
		}
	}
	if conflict >= 0 {
		x.ids = x.ids[conflict : conflict+1]
		return nil, fmt.Errorf("publishing an event: %w", events.ErrConflict)
	}
	return receipts, nil
}

// count says what the broker made of an event.
func (s *Server) count(source string, duplicate bool, err error) {
	result, outcome := "stored", events.Outcome("")
	switch {
	case errors.Is(err, events.ErrConflict):
		result = "conflict" // no outcome: the stored event has its own
	case err != nil:
		result, outcome = "unavailable", events.Unavailable
	case duplicate:
		result, outcome = "duplicate", events.Duplicate
	}
	s.metrics.Published.WithLabelValues(source, result).Inc()
	if outcome != "" {
		s.metrics.Outcomes.WithLabelValues("ingest", string(outcome)).Inc()
	}
}
