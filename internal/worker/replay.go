package worker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"changerelay/internal/events"
)

// memory is how long told words stay as tombstones.
func (w *Worker) memory() time.Duration { return w.c.Retention + memorySlack }

// replayed gives the replay of a dead letter the order that its event had when
// it was first stored: an old word must not undo a newer one. The letter is
// looked up because a header could be forged.
//
// The newer word is known by its tombstone. It was told after the event was
// decided, but for clocks that differ, so an event decided within memory cannot
// have outlived it. An older one, such as the replay of a replay's letter, might.
func (w *Worker) replayed(ctx context.Context, a *arrival) error {
	_, number, ok := strings.Cut(a.ref.Key, "-r")
	if !ok {
		return nil
	}
	n, _ := strconv.ParseUint(number, 10, 64) // the subject was parsed
	l, err := w.c.Streams.Letter(ctx, n)
	switch {
	case errors.Is(err, events.ErrNotFound), err == nil && !replays(l.ReplayRef(), a.ref):
		return w.unlessKnown(ctx, a, &events.InvalidError{Field: "subject", Reason: "it replays dead letter " + number + ", which is not there or not of this event; use relayctl to replay"})
	case err != nil:
		return err
	}
	a.code = l.Approval
	if l.Sequence > 0 { // else it never was in CHANGES: its device was not known
		a.first = l.Sequence
	}
	if age := w.c.Now().Sub(a.event.Time); age > w.memory()-events.FutureSlack {
		return w.unlessKnown(ctx, a, &events.InvalidError{Field: "time", Reason: fmt.Sprintf(
			"it was decided %s ago, and a newer change of the same items may be forgotten; send it again with a new id and time, if it is still wanted", age.Round(time.Hour))})
	}
	return nil
}

// replays reports whether an event is the one that the replay of a letter makes.
// The letter of one whose device was not known names no device.
func replays(letter, r events.Ref) bool {
	return letter == r || letter.Unresolved() && letter.Tenant == r.Tenant && letter.Key == r.Key
}

// unlessKnown returns the refusal of a replay, unless it was folded before: it
// comes again when an ack was lost or the consumer is made anew, and by then its
// letter may be dropped. The document is asked first, for an event leaves it
// only after its outcome is stored.
func (w *Worker) unlessKnown(ctx context.Context, a *arrival, refusal error) error {
	d, err := w.c.Ledger.Get(ctx, a.ref.Address)
	if err != nil {
		return err
	}
	if a.known = d.Knows(a.ref.Key); a.known {
		return nil
	}
	_, err = w.c.Streams.FinalAt(ctx, a.ref, events.TicketToken(a.event.Ticket))
	if errors.Is(err, events.ErrNotFound) {
		return refusal
	}
	a.known = err == nil
	return err
}
