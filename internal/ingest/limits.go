package ingest

import "time"

// Every bound of the service, with its unit and reason. A test asserts their order.
const (
	// MaxBody is the largest body, in bytes. The largest event has 64 KiB;
	// ticket systems wrap theirs in more.
	MaxBody = 256 << 10

	// MaxInFlight is the most memory that requests in progress may claim, in
	// bytes: while the broker fails over they pile up for seconds. Beyond it
	// the answer is 503.
	MaxInFlight = 64 << 20

	// requestCost is what a request claims beside its body: buffers and stacks.
	requestCost = 8 << 10

	// ReadHeaderTimeout and ReadTimeout end senders that trickle their request.
	ReadHeaderTimeout = 5 * time.Second
	ReadTimeout       = 10 * time.Second

	// PublishTimeout bounds the wait for the broker's acknowledgement. A leader's
	// failover stalls for 5.3 s (measured); giving up earlier would lose the
	// changes of senders that never retry, such as ServiceNow scripts.
	PublishTimeout = 8 * time.Second

	// FindTimeout bounds the look-up of a receipt; its reader can ask again.
	FindTimeout = 5 * time.Second

	// AnswerBudget is the time from a request's head to its answer, whatever
	// the body took. Past WriteTimeout the answer would not arrive.
	AnswerBudget = 14 * time.Second
	WriteTimeout = 15 * time.Second

	// IdleTimeout keeps connections for the bursts of an approval meeting.
	IdleTimeout = 60 * time.Second

	// MaxHeaderBytes is the size of a request's head; signatures need 4 kB.
	MaxHeaderBytes = 32 << 10

	// MaxStreams is requests at once on one HTTP/2 connection.
	MaxStreams = 100

	// RetryAfter, in seconds, goes with 503. Some senders honour less than 60 only.
	RetryAfter = "30"
)
