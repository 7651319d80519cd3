package ingest

import (
	"context"
	"fmt"

	"changerelay/internal/events"
)

// getChange answers with the receipt of an event.
func (s *Server) getChange(x *exchange) (answer, error) {
	ref, err := events.ParseRef(x.Param("id"))
	if err != nil {
		return answer{}, events.ErrNotFound // an id that cannot be is one that is not
	}
	x.ids = []string{ref.String()}
	c, err := s.admit(x.from)
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
