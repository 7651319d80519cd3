package proof

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// A Device is a managed device of a tenant, by the tenant's name in the relay.
type Device struct{ Tenant, ID string }

func (d Device) String() string { return d.Tenant + "." + d.ID }

// Limits are the bounds that the run was made with.
type Limits struct {
	Calls  int           // POSTs of a tenant that any window may have
	Window time.Duration // of these
	MaxAge time.Duration // an event older than this may expire
	Budget time.Duration // of one call: what Graph still has after it is out of the relay's hands; 0 is no end
	Fresh  time.Duration // how old the read may be that a call is based on when it arrives, and what it shows
}

// Sent is one try of a sender: an HTTP request, or a publish.
type Sent struct {
	At, Answered time.Time
	Event        string // the id that the relay gives it
	Device       Device
	Ack          bool // the answer says that it is stored
	Answer       string
}

// An Event is a message that the broker stored in CHANGES. Items are named in any
// way that is the same in calls.
type Event struct {
	ID, Ticket, Key string
	Device          Device
	Seq             uint64 // of a replay, the first one's: it is of the order
	Time, Stored    time.Time
	Remove, Restore []string
	All             bool // it restores everything
}

// A Call is one request to Graph for a device.
type Call struct {
	N         int // order of arrival
	At, Done  time.Time
	Device    Device
	Post      bool
	Set       []string // of a POST
	Status    int
	Applied   bool
	AppliedAt time.Time
	Order     int  // among those that were applied
	Late      bool // applied after its answer, or without one
}

// An Edit is an admin's, in the portal.
type Edit struct {
	At      time.Time
	Device  Device
	Item    string
	Removed bool
	Order   int // among the calls that were applied
}

// An Outcome is a message in OUTCOMES.
type Outcome struct {
	Event    string
	Device   Device
	Word     string
	Reason   string
	Accepted time.Time
	Ended    time.Time
}

// A Letter is a message in DEAD that is of an event.
type Letter struct{ Event, Reason string }

// A Holding is what Graph holds for a device at the end.
type Holding struct {
	Device  Device
	Removed []string
}

// A Fault is one thing that the nemesis did.
type Fault struct {
	At, Over time.Time
	Class    int // row of the list of fault classes; 0 if it has none
	What     string
}

// A History is everything about one run.
type History struct {
	Seed         int64
	Began, Ended time.Time
	Limits       Limits
	Cut          bool // it was read while all was going on: what may still come is not missed

	Sent     []Sent
	Stored   []Event
	Calls    []Call
	Edits    []Edit
	Outcomes []Outcome
	Letters  []Letter
	Final    []Holding
	Faults   []Fault
}

// Write writes the history as JSON.
func (h History) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	e.SetIndent("", " ")
	if err := e.Encode(h); err != nil {
		return fmt.Errorf("writing the history: %w", err)
	}
	return b.Flush()
}

// Read reads what Write wrote.
func Read(r io.Reader) (h History, err error) {
	if err = json.NewDecoder(bufio.NewReader(r)).Decode(&h); err != nil {
		return h, fmt.Errorf("reading the history: %w", err)
	}
	return h, nil
}
