package ingest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
)

// identify returns the one of the senders that signed the request. It asks them
// all, and somebody even when there are none, so that the time of a refusal
// does not tell which names exist.
func (s *Server) identify(senders []*sender, h http.Header, body []byte, now time.Time) (*sender, verify.Delivery, error) {
	var found *sender
	var delivery verify.Delivery
	var refusal error
	for _, snd := range senders {
		d, err := snd.verifier.Verify(h, body, now)
		var r *verify.Refusal
		switch {
		case err == nil:
			found, delivery = snd, d
		case refusal == nil, errors.As(err, &r) && r.Reason == verify.OutsideTolerance: // rightly signed: the most telling
			refusal = err
		}
	}
	if len(senders) == 0 {
		_, _ = s.nobody.Verify(h, body, now) // only for its time
		refusal = &verify.Refusal{Reason: unknownSource}
	}
	if found == nil {
		return nil, delivery, refusal
	}
	return found, delivery, nil
}

// speaksFor checks that the sender may move the event's tenant, and that we can.
func (s *Server) speaksFor(snd *sender, e events.Event) error {
	switch {
	case !slices.Contains(snd.tenants, e.Tenant) && !slices.Contains(snd.tenants, "*"):
		return &forbidden{source: snd.name, tenant: e.Tenant}
	case !s.tenants[e.Tenant]:
		return &events.InvalidError{Field: "data.tenant", Reason: fmt.Sprintf(
			"%q is not a configured tenant; correct its name, or have it added to the relay's configuration", e.Tenant)}
	}
	return nil
}

// newNobody verifies for sources that do not exist; no request fits its secret.
func newNobody() *verify.Verifier {
	v, err := verify.New(verify.ServiceNow(), []string{rand.Text()})
	if err != nil {
		panic("ingest: the usual scheme and a random secret are valid: " + err.Error())
	}
	return v
}
