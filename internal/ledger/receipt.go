package ledger

import (
	"time"

	"changerelay/internal/events"
)

// Receipt is what the world is told of a reported event of device a.
func (r Report) Receipt(a events.Address) events.Receipt {
	c := events.Receipt{
		ID: events.Ref{Address: a, Key: r.Key}.String(), Ticket: r.Ticket, Tenant: a.Tenant, Device: a.Device, Target: r.Target,
		Outcome: r.Outcome, Reason: r.Reason, Changes: r.Changes, Approval: r.Approval, Attempts: r.Attempts, Accepted: r.Accepted, Ended: r.Ended,
	}
	if r.Request != "" {
		c.Requests = []string{r.Request}
	}
	return c
}

// NewEntry is the entry of an event whose message has sequence seq in CHANGES
// and was stored at accepted. The broker's nanoseconds are cut to
// milliseconds: the document is short of room.
func NewEntry(e events.Event, ref events.Ref, seq uint64, accepted time.Time) Entry {
	return Entry{
		Order: Order{e.Time, seq, ref.Key}, Message: seq, Accepted: accepted.Truncate(time.Millisecond).UTC(),
		Ticket: e.Ticket, Target: e.Target, Changes: e.Changes,
	}
}
