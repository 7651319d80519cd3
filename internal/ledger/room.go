package ledger

import "changerelay/internal/events"

// Room reports whether e may be folded now. If not, the device must be told or
// reported first; the event waits in its stream.
func (d Device) Room(e Entry) bool {
	n := 1 + len(d.Pending) + len(d.Reports)
	return n == 1 || n <= MaxEvents && d.size(e) <= MaxRoom
}

// Parts of the encoded document, bytes: what they need at most, but for their
// keys and texts.
const (
	deviceSize = 500 // times, floor, attempt, blame
	entrySize  = 170 // with what calls and its report will add
	askedSize  = 40  // a request-id
	wordSize   = 90
	traceSize  = 10
	doubtSize  = 60
	itemSize   = 60
	refSize    = 5 // a place
)

// size estimates the encoded document when all its events and some more are
// reported.
func (d Device) size(more ...Entry) int {
	n, items, texts := deviceSize+MaxAsked*askedSize, map[string]bool{}, map[string]bool{}
	longest := 0 // of the names of events that others can lose to
	list := func(set []events.Item) {
		for _, it := range set {
			n, items[it.ID] = n+refSize, true
		}
	}
	entry := func(e Entry) {
		n += entrySize + len(e.Key) + len(e.Ticket) + len(e.Target) + len(e.Approval) + refSize*len(e.Changes)
		if e.Trace != "" {
			n += traceSize + len(e.Trace)
		}
		for _, c := range e.Changes {
			items[c.Item.ID] = true
		}
		longest = max(longest, len(e.Key)+len(e.Ticket), len(e.Winner.Key)+len(e.Winner.Ticket))
	}
	for _, e := range d.Pending {
		entry(e)
	}
	for _, e := range more {
		entry(e)
	}
	for _, r := range d.Reports {
		entry(r.Entry)
		texts[r.Reason], texts[r.Request], texts[r.Approval] = true, true, true
	}
	for id, w := range d.Told {
		n, items[id] = n+wordSize+len(w.Key), true
		longest = max(longest, len(w.Key))
	}
	for _, b := range d.Doubts {
		n += doubtSize
		list(b.Set)
		list(b.News)
	}
	list(d.View.Held)
	if d.Attempt != nil {
		list(d.Attempt.Set)
	}
	for id := range items { // each has one newest word, and so one winner
		n += itemSize + len(id) + refSize + longest
	}
	if d.Blame != nil {
		texts[d.Blame.Reason], texts[d.Blame.Request] = true, true
	}
	for s := range texts {
		n += len(s)
	}
	return n
}
