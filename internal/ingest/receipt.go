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
	wait, err := waitOf(x)
	if err != nil {
		return answer{}, err
	}
	return s.wait(x, ref.OutcomesFilter(), wait, func(ctx context.Context) (answer, bool, error) {
		r, err := s.finder.Find(ctx, ref)
		if err != nil {
			return answer{}, false, fmt.Errorf("finding an event: %w", broker(err))
		}
		x.ticket = r.Ticket
		return found(status{r.Status(), r}), r.State == events.Final, nil
	})
}
