package events

// An Outcome is the one word for what became of an event, the same in the log,
// the metric label, the receipt, the dead letter and the docs.
type Outcome string

// Final outcomes that are fine.
const (
	Accepted   Outcome = "accepted"   // Graph took it
	Unchanged  Outcome = "unchanged"  // the device was already so
	Superseded Outcome = "superseded" // a newer word on each of its items won
	Duplicate  Outcome = "duplicate"  // the same event was stored before
)

// Final outcomes that a person must look at: each has a dead letter.
const (
	Invalid          Outcome = "invalid"           // it may not exist: malformed, or its subject disagrees
	Refused          Outcome = "refused"           // Graph said no for good
	ApprovalRequired Outcome = "approval_required" // Graph wants a second admin's approval
	Expired          Outcome = "expired"           // older than its retry age
)

// Outcomes that are not final: it is tried again.
const (
	Busy        Outcome = "busy"        // another call for the device may be in flight
	Throttled   Outcome = "throttled"   // Graph said 429: the tenant pauses
	Unavailable Outcome = "unavailable" // certainly not done: no token, no connection, broker away
	InDoubt     Outcome = "in_doubt"    // perhaps done: looked up before anything else
)

// Outcomes lists the whole vocabulary, for metrics and docs.
var Outcomes = []Outcome{
	Accepted, Unchanged, Superseded, Duplicate,
	Invalid, Refused, ApprovalRequired, Expired,
	Busy, Throttled, Unavailable, InDoubt,
}

// Final reports whether the outcome is an event's last. The empty outcome of a
// queued event is not.
func (o Outcome) Final() bool {
	switch o {
	case "", Busy, Throttled, Unavailable, InDoubt:
		return false
	}
	return true
}

// Dead reports whether the outcome makes a dead letter.
func (o Outcome) Dead() bool {
	switch o {
	case Invalid, Refused, ApprovalRequired, Expired:
		return true
	}
	return false
}
