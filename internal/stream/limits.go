package stream

import (
	"time"

	"changerelay/internal/events"
)

// Bounds of everything that waits. AckWait is longer than any single step of a
// handler; Progress renews it, so it bounds how long a crashed worker's
// messages lie still, not how long a handler may take.
const (
	// Consuming.
	AckWait        = 45 * time.Second       // a delivery whose worker is silent for so long is given to another
	ProgressEvery  = 15 * time.Second       // a third of AckWait: two signs of life may be lost
	DrainFor       = 40 * time.Second       // handlers that run when a worker is told to stop; below a pod's grace of 60 s
	PullFor        = 30 * time.Second       // an idle long poll; each is two raft entries on R3, so not shorter
	GateRecheck    = 5 * time.Second        // most that passes before a closed gate is asked again
	UndecidedPause = 5 * time.Second        // before a delivery comes again that its handler left undecided
	PanicPause     = 5 * time.Minute        // before a delivery comes again whose handler panicked: it will again, until a worker is mended
	UnusedPause    = 100 * time.Millisecond // before a delivery comes again that arrived while its puller stopped
	AckTry         = 5 * time.Second        // one acknowledgement, with the broker's answer
	MoreSlots      = 2 * time.Millisecond   // while there is a queue, a pull waits so long for a quarter of the slots
	IdleHand       = 100 * time.Millisecond // a handler's goroutine is kept for the next one

	// Publishing and reading.
	PublishTry       = 2 * time.Second       // one publish; fsync on a busy R3 takes tens of milliseconds
	PublishFor       = 30 * time.Second      // all tries of a publish whose caller gave no deadline
	ReadTry          = 2 * time.Second       // one question to a stream's leader
	ReadFor          = 10 * time.Second      // all tries of a read whose caller gave no deadline
	FindsAtOnce      = 8                     // events of a ticket looked up at once
	MaxTicketEvents  = 100                   // events of a ticket that are looked up; a ticket has a handful
	DeclareTry       = 10 * time.Second      // one declaration; a new R3 stream elects a leader first
	PublishesAtOnce  = 128                   // of one ReportAll or WakeAll
	InFlightPause    = 10 * time.Millisecond // about; another publisher of the same event is before the broker
	PauseMin         = 50 * time.Millisecond // about; after a first failure, doubled by each further one
	PauseMax         = 2 * time.Second       // about; longest pause between tries
	MaxChangeHeaders = 4 << 10               // bytes of headers and subject that a direct publisher may add
	ReceivedHeaders  = events.MaxHeader + 64 // bytes of a message's headers that its dead letter keeps: all of an event, and of more so many that it is refused again
	ParkHeaders      = 8 << 10               // bytes of headers that a parked body gets, at most
	MaxAudit         = 64 << 10              // bytes of an audit record with its headers; a person's texts have 1000 characters each

	// Doctor.
	DoctorFor = 15 * time.Second       // all questions; a leader's failover stalls for 5.3 s (measured)
	askTries  = 2                      // of a question without an answer; each takes ReadTry
	pingQuiet = 700 * time.Millisecond // after the last server's answer; servers of other regions are 300 ms away
	ClockSkew = 5 * time.Second        // by which clocks may differ; as the ledger's timing has it
	foldLate  = 15 * time.Minute       // an event is not folded: longer than one waits for its tenant to be configured
	wakeLate  = time.Hour              // a wake-up outlives its events' max_age by so long, no worker has it

	// The connection.
	DialTimeout   = 5 * time.Second        // one server
	ReconnectWait = 500 * time.Millisecond // and jitter: a restarted broker is not met by everybody at once
	ReconnectTLS  = 2 * time.Second        // jitter with TLS, which costs the broker more
	PingEvery     = 10 * time.Second       // a silent broker is given up after two pings without an answer
	PingsLost     = 2                      // pings

	// DefaultRetention is how long CHANGES, OUTCOMES and DEAD remember. Within
	// it an event happens once.
	DefaultRetention = 30 * 24 * time.Hour

	// MarksFor is how long marks of deliveries are kept. One that signs a time is
	// good for as long before it as after it, 15 minutes each at most; the rest
	// is for clocks that differ.
	MarksFor = 35 * time.Minute

	// AuditFor is how long records of what people did by hand are kept: a yearly
	// audit finds the whole year, and has a month to look at it.
	AuditFor = 400 * 24 * time.Hour

	// DuplicateWindow is the broker's own by message id. Nothing relies on it.
	DuplicateWindow = 2 * time.Minute
)
