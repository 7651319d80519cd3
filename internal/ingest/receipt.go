package ingest

import (
	"context"
	"fmt"

	"changerelay/internal/events"
)

// getChange answers with the receipt of an event. An id without a device is made of
// what can be guessed, a ticket's number and the form of the sender's ids: it is
// answered to a source of /v1/changes that has the tenant.
func (s *Server) getChange(x *exchange) (answer, error) {
	ref, err := events.ParseRef(x.Param("id"))
	if err != nil {
		return answer{}, events.ErrNotFound // an id that cannot be is one that is not
	}
	x.ids = []string{ref.String()}
	if ref.Unresolved() {
		if err := s.admitOwner(x, ref.Tenant); err != nil {
			return answer{}, err
		}
		x.ids = []string{ref.String()} // found has forgotten it
	}
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
