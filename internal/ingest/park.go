package ingest

import (
	"errors"
	"fmt"

	"changerelay/internal/events"
)

// parked is the error of a body that is no event and was kept for a person.
type parked struct{ *events.InvalidError }

func (e *parked) Unwrap() error { return e.InvalidError }

// park keeps what a verified sender sent and no decoder can read, with its bytes
// as they came. Without it the change would be lost: many senders never try
// again. What cannot be parked is answered 503; what comes over ParkRate is not
// kept, and its sender is told so.
func (s *Server) park(x *exchange, body []byte, err error) error {
	var bad *events.InvalidError
	if x.sender == nil || !errors.As(err, &bad) {
		return err
	}
	x.spend()
	if take(x.sender.parks, x.now) != nil {
		return err
	}
	ctx, cancel := x.within()
	defer cancel()
	p := Parked{Source: x.source, Ticket: x.ticket, Delivery: x.delivery.ID, Reason: bad.Error(), Body: body, At: x.now}
	if failed := s.parker.Park(ctx, p); failed != nil {
		return fmt.Errorf("parking a body: %w", &brokerError{failed})
	}
	s.metrics.Parked.WithLabelValues(x.source).Inc()
	return &parked{bad}
}
