package graphsim

import "time"

const (
	defaultJournal    = 100_000            // calls kept
	maxBody           = 1 << 20            // bytes of a request; a full set is about 4 KiB
	maxHeader         = 64 << 10           // bytes of a request's headers; a token is about 2 KiB
	maxItemID         = 40                 // characters; the documented length of itemId
	maxKeptItems      = 64                 // items of a call that the journal remembers; twice a full set
	maxKeptText       = 200                // bytes of a path or an id that the journal remembers
	keptVersions      = 4                  // sets kept per device when ShowLag needs fewer, for one that is set later
	maxVersions       = 1000               // sets kept per device however long ShowLag is
	maxPage           = 1000               // devices in a page of the list
	maxBatch          = 20                 // requests in a $batch, as documented
	maxLate           = 10_000             // sets on their way at once; the next are lost
	maxGrants         = 50_000             // tokens known; the oldest of more is forgotten
	maxApprovals      = 1000               // approval requests kept per tenant
	maxFates          = 100                // items per device whose end is decided
	maxAssertion      = 16 << 10           // bytes of a client assertion; one with three certificates has about 6 KiB
	maxJustification  = 1024               // characters, as documented
	maxSkew           = 24 * time.Hour     // of Graph's clock; more is another day, and another fault
	approvalLife      = 3 * 24 * time.Hour // documented
	readHeaderTimeout = 10 * time.Second   // of a connection that says nothing
	idleTimeout       = 2 * time.Minute    // like Graph's front ends
	defaultWindow     = 20 * time.Second   // documented throttling window
	defaultTokenLife  = time.Hour          // documented: 60 to 90 minutes
	hugeRetryAfter    = 100_000            // seconds; a day and more, to see whether a client caps it
)

// clip keeps what the journal remembers of a caller's text short.
func clip(s string) string { return s[:min(len(s), maxKeptText)] }
