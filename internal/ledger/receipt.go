package ledger

import (
	"slices"
	"time"

	"changerelay/internal/events"
)

// Receipt is what the world is told of a reported event of device a.
func (r Report) Receipt(a events.Address) events.Receipt {
	c := events.Receipt{
		ID: events.Ref{Address: a, Key: r.Key}.String(), Ticket: r.Ticket, Tenant: a.Tenant, Device: a.Device, Target: r.Target,
		Outcome: r.Outcome, Reason: r.Reason, Changes: r.Changes, Approval: r.Approval, Attempts: r.Attempts, Accepted: r.Accepted, Ended: r.Ended,
	}
	c.Folded, c.Called, c.Requests = r.Folded, r.Called, r.Requests
	if r.Request != "" && !slices.Contains(c.Requests, r.Request) { // of a call that did not carry it, or of a document of an older worker
		c.Requests = append(slices.Clone(c.Requests), r.Request)
	}
	if n := r.Winner; n.Key != "" {
		c.Reason += ": "
		if n.Ticket != "" {
			c.Reason += "ticket " + n.Ticket + ", "
		}
		c.Reason += "event " + events.Ref{Address: a, Key: n.Key}.String()
	}
	return c
}

// since is a time that the event came to, as the document keeps it: in whole
// milliseconds, and whatever the clocks say after its acceptance.
func (e Entry) since(t time.Time) time.Time {
	return e.Accepted.Add(max(t.Sub(e.Accepted).Truncate(time.Millisecond), time.Millisecond))
}

// At is the entry as one that was folded at t.
func (e Entry) At(t time.Time) Entry {
	e.Folded = e.since(t)
	return e
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
