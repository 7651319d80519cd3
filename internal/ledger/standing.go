package ledger

import (
	"slices"
	"time"

	"changerelay/internal/events"
)

// A Standing is how far an event has come, as far as its device's document says.
type Standing struct {
	State  events.State // never Final: an outcome is that once it is published
	Since  time.Time    // of Called: when the call began
	Until  time.Time    // of Waiting: when a worker looks again at the latest; zero: that is not known
	Reason string       // what it waits for, in one line for a person
	Calls  bool         // a request to Graph comes next, and may have to wait for its tenant
}

// Standing judges an event that has no published outcome. Of e, its key counts,
// and what it takes of the document's room. Queued means that the document does
// not have it: it was not folded yet, or has ended since the outcome was
// looked for.
func (d Device) Standing(e Entry, now time.Time, t Timing) Standing {
	for _, r := range d.Reports {
		if r.Key == e.Key {
			return Standing{State: events.Waiting, Reason: "it has ended as " + string(r.Outcome) + ", which is being reported"}
		}
	}
	i := slices.IndexFunc(d.Pending, func(p Entry) bool { return p.Key == e.Key })
	switch {
	case i < 0 && !d.Knows(e.Key) && !d.Room(e):
		return waiting(time.Time{}, "its device's document is full: other changes of the device must be told first")
	case i < 0:
		return Standing{State: events.Queued}
	case d.Attempt != nil:
		return d.standingUnder(d.Attempt, e.Key, now, t)
	case d.Blame.probing():
		return waiting(time.Time{}, d.Blame.search(e.Key))
	case !slices.Contains(d.carried(), i):
		return waiting(time.Time{}, "Graph refused several changes of the device together: they are told one at a time, and it is another one's turn")
	case len(d.Doubts) >= MaxDoubts:
		return waiting(d.WaitUntil(), "too many calls for the device had no answer: whether they were applied is looked up first")
	}
	return Standing{State: events.Folded, Calls: true}
}

// standingUnder is Standing while attempt a is open.
func (d Device) standingUnder(a *Attempt, key string, now time.Time, t Timing) Standing {
	carried := slices.Contains(a.Keys, key)
	unheard := a.Until.Before(a.Begun.Add(t.Budget+t.Skew+t.Lag)) || !now.Before(a.Begun.Add(t.Budget))
	switch {
	case carried && unheard:
		return waiting(a.Until, "Graph's answer to its call was lost, or unclear (a 429, a 5xx): the device is read to see whether it was taken")
	case unheard:
		return waiting(a.Until, "Graph's answer to a call for the device was lost, or unclear (a 429, a 5xx): the device is read first to see whether that was taken")
	case carried:
		return Standing{State: events.Called, Since: a.Begun}
	case d.Blame.probing():
		return waiting(a.Until, d.Blame.search(key))
	}
	return waiting(a.Until, "another call for the device is under way")
}

// search says what a search for what Graph refuses means for an event.
func (b *Blame) search(key string) string {
	switch b.Suspect {
	case key:
		return "Graph refused it: whether it is to blame, or something that the device holds, is being found out"
	case "":
		return "Graph refused what the device is to hold: which item it refuses is being found out"
	}
	return "Graph refused another change of the device: whether that is to blame, or something that the device holds, is being found out"
}

func waiting(until time.Time, reason string) Standing {
	return Standing{State: events.Waiting, Until: until, Reason: reason, Calls: true}
}
