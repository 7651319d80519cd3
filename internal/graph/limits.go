package graph

import "time"

// CallTimeout is the longest that one exported call takes, token, a second
// try after a 401 and reply together; the caller's context may end it sooner.
// Whoever budgets an attempt has to allow more than this.
const CallTimeout = 60 * time.Second

// CertificateWarning is how long before its end a certificate should be
// warned of: time for a new one to be made, approved and rolled out.
const CertificateWarning = 30 * 24 * time.Hour

const (
	tokenTimeout = 10 * time.Second // for one token request; nobody's context, so it needs its own end
	tokenRefresh = 5 * time.Minute  // before expiry: a new token is fetched in the background
	tokenMargin  = 30 * time.Second // before expiry: not used any more; clocks differ, and a call takes its time
	backoffFirst = 1 * time.Second  // after a failed token request; doubles with each further one
	backoffMost  = 30 * time.Second // and ends here: a mended secret should be noticed within half a minute

	idleConnections = 16               // kept for a host that speaks no HTTP/2; the usual 2 is below a worker's parallel calls
	pingAfter       = 15 * time.Second // of silence on an HTTP/2 connection
	pingTimeout     = 10 * time.Second // for its answer; both together are well below CallTimeout

	minRSA    = 2048     // bits of a certificate's key; Entra takes no shorter one
	maxClaims = 4 << 10  // bytes of a challenge's claims, in base64; they are about 100
	maxHeader = 64 << 10 // bytes of a reply's headers; Graph's are about 1 kB

	maxRetryAfter = 10 * time.Minute // believed of a Retry-After; a longer pause is for a person to decide
	maxReply      = 1 << 20          // bytes of a reply; a device with 30 items is about 20 kB
	maxMessage    = 200              // characters of Graph's message in an error
	maxWord       = 64               // characters of a code or a request id
	maxNesting    = 4                // messages inside messages; Intune has been seen to nest two
	maxItemID     = 40               // characters, from the deviceAssignmentItem resource
	maxWhy        = 1024             // characters of a justification, as Graph takes them
)
