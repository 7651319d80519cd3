package ingest

import "time"

// Every bound of the service, with its unit and reason. A test asserts their order.
const (
	// DefaultMaxBody is the largest body, in bytes, of a source that is given no
	// limit of its own. The largest event has 64 KiB; ticket systems wrap theirs
	// in more.
	DefaultMaxBody = 256 << 10

	// MaxBody is the largest limit of a source, in bytes. GitHub's and Alemba's
	// bodies hold more than anybody needs; a dozen of them fit MaxInFlight.
	MaxBody = 10 << 20

	// MaxRatio bounds what a compressed body unpacks to, in times its size, once
	// that is more than ratioFrom bytes: repetitive JSON reaches 30, a bomb 1000.
	MaxRatio  = 100
	ratioFrom = 64 << 10

	// unpackCost is what unpacking claims beside its result: gzip's window and
	// tables, in bytes.
	unpackCost = 48 << 10

	// MaxEcho is the longest text, in bytes, that a handshake has us send back.
	MaxEcho = 1 << 10

	// MaxInFlight is the most memory that requests in progress may claim, in
	// bytes: while the broker fails over they pile up for seconds. Beyond it
	// the answer is 503.
	MaxInFlight = 64 << 20

	// MaxUnverified is the most of it, in bytes, that requests from one address
	// may claim before they are verified: who sends slowly holds no more.
	MaxUnverified = MaxInFlight / 4

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

	// MaxWait is the longest that a reader may wait for an outcome: proxies end
	// what is silent for a minute. The write timeout is put off by as much.
	MaxWait = 60 * time.Second

	// LookEvery is how often a waiting reader's event is looked at though nothing
	// is heard of it; lookSoon the first pause after something was, for its outcome
	// is heard before it is stored. Each pause after it is twice as long.
	LookEvery = 10 * time.Second
	lookSoon  = 20 * time.Millisecond

	// MaxWaits is how many readers may wait, of MaxConnections that there are: each
	// has one. MaxPeerWaits is how many of one address. Beyond either, the answer
	// is what is known now.
	MaxWaits     = MaxConnections / 4
	MaxPeerWaits = 128

	// AnswerBudget is the time from a request's head to its answer, whatever
	// the body took. Past WriteTimeout the answer would not arrive.
	AnswerBudget = 14 * time.Second
	WriteTimeout = 15 * time.Second

	// IdleTimeout keeps connections for the bursts of an approval meeting.
	IdleTimeout = 60 * time.Second

	// MaxHeaderBytes is the size of a request's head; signatures need 4 kB.
	MaxHeaderBytes = 32 << 10

	// MaxConnections is how many connections there may be, for whoever listens; more
	// wait to be accepted. An idle one costs 20 KiB (measured), and one that
	// trickles its head up to MaxHeaderBytes more.
	MaxConnections = 4096

	// MaxPeers is how many addresses a rate by address remembers, of 300 bytes.
	MaxPeers = 4096

	// MaxStreams is requests at once on one HTTP/2 connection.
	MaxStreams = 100

	// RetryAfter, in seconds, goes with 503. Some senders honour less than 60 only.
	RetryAfter = "30"

	// MaxRetryAfter is the most that a sender over its rate is told to wait.
	MaxRetryAfter = 59 * time.Second

	// MarkHold is how long a delivery's mark counts as in use when nothing is
	// heard of it: longer than its request can last.
	MarkHold = WriteTimeout + 5*time.Second

	// MaxParkedFound is how many parked bodies of a ticket are listed: a person
	// corrects the template before there are so many.
	MaxParkedFound = 20

	// UndoTimeout bounds taking a mark back, after the broker has used up the time.
	UndoTimeout = 500 * time.Millisecond
)

// Rates of one replica. They bound what a sender gone wild costs the others; an
// approval meeting's burst passes.
var (
	DefaultRate      = Rate{PerSecond: 1000, Burst: 10000} // of a source's verified requests that are no repetition
	DefaultPeerRate  = Rate{PerSecond: 1000, Burst: 5000}  // of one address: a fifth of all, so that one stranger does not shut the door
	DefaultTotalRate = Rate{PerSecond: 5000, Burst: 20000} // of all requests but for reading, before they are read
	HandshakeRate    = Rate{PerSecond: 1, Burst: 10}       // of a source's handshakes with one address: strangers may ask for one
	TicketRate       = Rate{PerSecond: 1, Burst: 10}       // of a source's look-ups by ticket: each is a walk of the broker over the tenant's subjects
	ParkRate         = Rate{PerSecond: 0.1, Burst: 50}     // of a source's bodies that are kept: a person reads them, and a leaked secret must not fill DEAD
)
