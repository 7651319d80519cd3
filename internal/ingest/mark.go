package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
)

// A captured request can be sent again as it is: it asks for the same events,
// and these are its mark. Their identity is in what was signed, CHANGES keeps
// them for its whole retention, and they appear with the broker's
// acknowledgement, neither before nor after.
//
// It would not be so if the identity came from a delivery id that is not signed,
// such as Zendesk's: under a new id the same signed bytes would be another
// event. Decoders take no such id; so that nothing hangs on that alone, what was
// signed is marked as used for its events:
//
//	Begin ──► publish all ──► 2xx, 409: Done      used: other events are refused
//	  │                  └──► 503:      Undo      the sender may try again, as it likes
//	  └─ ErrReplayed ──► 401
//
// Equal deliveries at the same time have equal events, and pass each other by.
//
// The nonce of RFC 9421 is not remembered: it is signed together with the
// content digest, and so with the events' ids. Whoever sends it again asks for
// the same events, which are duplicates.

// needsMark reports whether a captured request could be made to ask for other
// events. Without a signature over the body there is nothing to mark.
func needsMark(d verify.Delivery, list []events.Event) bool {
	if d.ID == "" || d.SignsID || !d.SignsBody || d.Proof == nil {
		return false
	}
	return d.SignsTime || slices.ContainsFunc(list, func(e events.Event) bool { return strings.Contains(e.ID, d.ID) })
}

// mark begins the delivery's mark; it is nil if the delivery needs none.
func (s *Server) mark(ctx context.Context, x *exchange) (Mark, error) {
	if !needsMark(x.delivery, x.decoded.Events) {
		return nil, nil
	}
	refs := make([]events.Ref, 0, len(x.decoded.Events))
	for _, e := range x.decoded.Events {
		refs = append(refs, e.Ref())
	}
	m, err := s.marks.Begin(ctx, bound(x.sender.Name, x.delivery.Proof), refs, MarkHold)
	switch {
	case errors.Is(err, ErrReplayed):
		return nil, &verify.Refusal{Reason: replayed}
	case err != nil:
		return nil, fmt.Errorf("marking a delivery: %w", &brokerError{err})
	}
	return m, nil
}

// bound is a proof that is the source's own: another source may be sent the same
// text at the same second.
func bound(source string, proof []byte) []byte {
	sum := sha256.Sum256(append([]byte(source+"\x00"), proof...)) // no name holds a zero
	return sum[:]
}

// settle ends a mark after publishing, and returns the error to answer with.
func settle(ctx context.Context, m Mark, err error) error {
	switch {
	case m == nil:
		return err
	case as[*brokerError](err): // 503
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), UndoTimeout) // publishing may have taken all the time
		defer cancel()
		_ = m.Undo(ctx) // if it fails, the mark lapses after MarkHold
		return err
	}
	// Without Done the delivery could be replayed after MarkHold. 503 has the
	// sender repeat it, which stores nothing twice.
	if failed := m.Done(ctx); failed != nil {
		return fmt.Errorf("settling a mark: %w", &brokerError{failed})
	}
	return err
}
