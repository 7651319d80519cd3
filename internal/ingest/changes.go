package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
)

// postChange takes a CloudEvent. Its URL names no source: the signature does.
func (s *Server) postChange(x *exchange) (answer, error) { return s.receive(x, s.open) }

// postHook takes a body from the source that the URL names.
func (s *Server) postHook(x *exchange) (answer, error) {
	snd := s.sources[x.Param("source")]
	if snd == nil {
		return s.receive(x, nil)
	}
	x.source = snd.name
	return s.receive(x, []*sender{snd})
}

// receive is the one way from a request to stored events.
func (s *Server) receive(x *exchange, senders []*sender) (answer, error) {
	c, err := s.admit(x.Request())
	if err != nil {
		return answer{}, err
	}
	defer c.release()
	body, err := readBody(x, c)
	if err != nil {
		return answer{}, err
	}
	header := x.Request().Header
	snd, delivery, err := s.identify(senders, header, body, x.now)
	if err != nil {
		return answer{}, err
	}
	x.verified(snd.name, delivery)
	if err := readable(snd.decoder, header); err != nil {
		return answer{}, err
	}
	list, err := snd.decoder.Decode(source.Delivery{ID: delivery.ID, Header: header, Body: body, Now: x.now})
	if err != nil {
		return answer{}, err
	}
	x.decoded(list)
	for _, e := range list {
		if err := s.speaksFor(snd, e); err != nil {
			return answer{}, err
		}
	}
	return s.publish(x, list)
}

// publish stores the events and answers for them. It goes on when the sender
// hangs up: many never try again, and then this is the change's only chance.
func (s *Server) publish(x *exchange, list []events.Event) (answer, error) {
	within := min(PublishTimeout, AnswerBudget-time.Since(x.start))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.Request().Context()), within)
	defer cancel()
	receipts := make([]accepted, 0, len(list))
	for _, e := range list {
		duplicate, err := s.publisher.Publish(ctx, e)
		s.count(x.source, duplicate, err)
		if err != nil {
			x.ids = []string{e.Ref().String()}
			return answer{}, fmt.Errorf("publishing an event: %w", broker(err))
		}
		receipts = append(receipts, s.accepted(e, duplicate))
	}
	return stored(receipts), nil
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

// getChange answers with the receipt of an event.
func (s *Server) getChange(x *exchange) (answer, error) {
	ref, err := events.ParseRef(x.Param("id"))
	if err != nil {
		return answer{}, events.ErrNotFound // an id that cannot be is one that is not
	}
	x.ids = []string{ref.String()}
	c, err := s.admit(x.Request())
	if err != nil {
		return answer{}, err
	}
	defer c.release()
	ctx, cancel := context.WithTimeout(x.Request().Context(), FindTimeout)
	defer cancel()
	r, err := s.finder.Find(ctx, ref)
	if err != nil {
		return answer{}, fmt.Errorf("finding an event: %w", broker(err))
	}
	x.ticket = r.Ticket
	return found(r), nil
}
