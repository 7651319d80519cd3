package ledger

import (
	"cmp"
	"time"

	"changerelay/internal/events"
)

// Order ranks words: by the time the event was decided, then by its first
// sequence in CHANGES, then by key.
type Order struct {
	Time time.Time
	Seq  uint64
	Key  string
}

// Compare is above 0 if o outranks p, and below if p outranks o.
func (o Order) Compare(p Order) int {
	return cmp.Or(o.Time.Compare(p.Time), cmp.Compare(o.Seq, p.Seq), cmp.Compare(o.Key, p.Key))
}

// Newer reports whether o outranks p.
func (o Order) Newer(p Order) bool { return o.Compare(p) > 0 }

// An Entry is an event as the ledger keeps it until its outcome is reported.
type Entry struct {
	Order
	Message  uint64    // sequence of its message in CHANGES; not Order.Seq for a replay
	Accepted time.Time // the broker's timestamp of that message; age counts from it
	Ticket   string
	Target   events.Target // the route by which its sender names the device; "" is the device's own id
	Changes  []events.Change
	Approval string // code of the approval that a replay is to be told with
	Attempts int    // calls to Graph that carried it

	// For people; nothing is decided by it, and an older worker drops it.
	Folded   time.Time // when it came into the document, in milliseconds after Accepted; zero: not known
	Called   time.Time // when the first call that carried it began, likewise; zero: none did
	Requests []string  // Graph's request-ids of the newest MaxRequests calls that carried it and were answered
	Winner   Winner    // of a superseded event

	Trace string // where its trace goes on, as package tracing writes it; decides nothing
}

// A Winner is the event whose words outrank another's.
type Winner struct{ Key, Ticket string } // the ticket only if the document has it still

// RestoresAll reports whether e is one word on every item of the device.
func (e Entry) RestoresAll() bool { return events.RestoresAll(e.Changes) }

// A Word is the tombstone of a told word: the newest word on an item that
// Graph is known to have taken.
type Word struct {
	Order
	Item    events.Item
	Intent  events.Intent
	At      time.Time // when it was told
	Yielded bool      // a later read showed otherwise: the view counts, its Order stays
}

// A View is what Graph is believed to hold.
type View struct {
	At   time.Time     // when Graph was last read; only See sets it
	Held []events.Item // the removal set, sorted by item id
	Own  bool          // of Held only what a told word of ours removes is told again: Sight.Own of the last read
}

// An Attempt is written before Graph is called and cleared when the outcome is
// known. While it is open no other worker calls Graph for the device.
type Attempt struct {
	ID    string
	Keys  []string      // the events it carries
	Set   []events.Item // the whole set it declares
	Begun time.Time
	Until time.Time // from then on a read shows whether it was taken
}

// A Doubt is a set that an attempt without an answer may still bring upon
// Graph, late.
type Doubt struct {
	Set   []events.Item
	News  []events.Item // what the set was to change, either way
	Until time.Time     // read again then
}

// A Report is an entry whose final outcome is known and not yet published.
type Report struct {
	Entry
	Outcome  events.Outcome
	Reason   string
	Request  string // Graph's request-id of the deciding call
	Approval string // code of the approval that Graph asks for
	Ended    time.Time
}

// A Device is everything the relay knows about one managed device.
type Device struct {
	View    View
	Pending []Entry         // untold events in Order
	Told    map[string]Word // tombstones by item id
	Floor   Order           // the newest word on items without a tombstone: one dropped for want of room, or one that restored everything
	Attempt *Attempt        // the call that may be in flight
	Doubts  []Doubt
	Retell  bool      // a late call undid what was told: tell it again
	Called  time.Time // when Graph last took a set of ours
	Blame   *Blame    // set while a refused set is taken apart
	Reports []Report
}

// Timing bounds what the protocol believes of Graph and of other workers'
// clocks. DefaultTiming has the reasons.
type Timing struct {
	Fresh, Lag, Hold, Settle, Skew, Budget time.Duration
}

// DefaultTiming suits the real service.
var DefaultTiming = Timing{
	Fresh:  time.Minute,      // a Post is built on a read no older: a removal that Graph has restored by itself must not be repeated
	Lag:    30 * time.Second, // Graph may take so long to show what it has taken
	Hold:   8 * time.Hour,    // a told removal is believed so long though no read shows it: Graph restores by itself after 8 to 24 hours
	Settle: 5 * time.Minute,  // a call without an answer may still be applied so late
	Skew:   5 * time.Second,  // workers' clocks may differ so much
	Budget: 30 * time.Second, // an attempt's bytes are written within, or never
}

// Bounds of a document.
const (
	MaxEvents   = 512      // pending and unreported together; beyond, Fold waits for them to be told and reported
	MaxRoom     = 60 << 10 // estimated encoded size with all of them reported, bytes; keeps a document below 64 KiB
	MaxWords    = 128      // tombstones; beyond, the oldest leaves and raises Floor
	MaxRequests = 5        // request-ids of an event: those of the calls that decided, and what led there
	MaxAsked    = 24       // different request-ids of pending events: beyond, those that the last call did not carry lose theirs
	MaxTraces   = 64       // events whose trace is remembered; beyond, a further one's is not
	MaxDoubts   = 8        // beyond, no new attempt before the oldest doubt is settled
)
