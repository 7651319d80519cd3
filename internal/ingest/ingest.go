// Package ingest takes approved changes in over HTTP: verified bytes in, events
// stored by the broker out.
//
//	POST    /v1/changes         CloudEvents, from any source of kind cloudevents
//	POST    /v1/hooks/{source}  a ticket system's own body, from that source
//	OPTIONS /v1/hooks/{source}  may I send here? of CloudEvents senders
//	GET     /v1/changes/{id}    what became of an event; {id} is from the 202 answer; signed if it has no device
//	GET     /v1/changes?ticket= what became of a ticket's events; signed as POST is
//	GET     /v1/openapi.json    all this, for programs
//
// A request goes one way, and each step sees only what the one before let through:
//
//	rates of the ─► raw body ─► verify ─► rate of source ─► handshake? ─┐
//	peer, of all    413, 400,   401,      429               200        │
//	429             408         503                                    ▼
//	 answer ◄─ publish ◄─ mark ◄── scope ◄── decode ◄── media type ◄─ unpack
//	 202, 200  503, 409   503, 401 403, 422  422,       415           413, 415, 422
//	                                         200 ignored
//
// The steps from verify to scope are examine, which changes nothing; Examine is
// the same as a dry run. A body that is answered 422 is parked as it came, if
// its source has not had too many parked, and if it cannot be parked the answer
// is 503.
//
// What it promises:
//
//   - 202 is sent after the broker's acknowledgement, never before. Without one
//     the answer is 503 with Retry-After, and a sender may repeat everything:
//     what was stored already is a duplicate, answered 200.
//   - No body is parsed before it is verified; where the proof itself is inside,
//     that is looked for without building anything. Whatever is wrong with a
//     request that is not verified, its sender gets the same 401, or 503 while
//     the keys of its issuer are away. A verified one is told the field and what
//     would be right. Of a body that is signed in part, no decoder sees the rest.
//   - A source asks for its tenants, intents and item types only, from its
//     addresses only: a leaked secret moves no other tenant's phones.
//   - A captured request asks for nothing new: mark.go says why. Sent again, one
//     that was stored uses up nothing of its sender's rate.
//   - No URL in a request is ever fetched; the package has no HTTP client.
//   - Requests are bounded in number, size, time and memory: limits.go has all
//     bounds.
//   - No body, secret, signature or query reaches a log. Each request has one
//     line, with the body's SHA-256 to find it again at the sender's.
//
// Sources are replaced as a whole while requests go on: reload.go.
//
// Receipts need no credential: an id holds the device's, which is random, and a
// hash of what the sender chose; a receipt holds names of tickets, devices and
// items, no secret. Put the route behind the cluster's gateway where that is too
// much. A ticket's number can be guessed, and so can the id of an event whose
// device is not known yet: who asks by one is verified like who sends, as if with
// an empty body, and is shown its own tenants alone. A signature over the body
// alone is none for that: it would be the same for ever.
//
// With ?wait= both answer when the outcome is there: wait.go.
//
// A source's name is no secret. Its own body limit, which shows before a
// request is verified, can tell that the name exists, and so can the time of
// its checks.
//
// The package knows no broker. It owns four interfaces for what it needs of one.
package ingest

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/metrics"
	"changerelay/internal/tracing"
)

// A Publisher stores events. A nil error means that the broker has acknowledged
// the event, or has had the same one before. An error that is
// events.ErrConflict means that it has another one of that id; any other error
// means that nobody knows whether it is stored, and that trying again is safe.
type Publisher interface {
	Publish(ctx context.Context, e events.Event) (duplicate bool, err error)
}

// A Finder knows what became of events.
type Finder interface {
	// Find returns an event's receipt with its state. An event that was never
	// stored, or too long ago, is events.ErrNotFound.
	Find(ctx context.Context, r events.Ref) (events.Receipt, error)

	// FindParked returns those of a ticket's bodies that were parked, at most most
	// of them, and how many there are. sources are those whose bodies are meant, by
	// name, each with the tenant that it speaks for, "" if that is not one alone.
	FindParked(ctx context.Context, ticket string, sources map[string]string, most int) (found []events.Receipt, total int, err error)
	// FindTicket returns the receipts of a ticket's events in the tenants, "*" is all, the
	// first stored first, and how many there are: some may be left out.
	FindTicket(ctx context.Context, ticket string, tenants []string) (found []events.Receipt, total int, err error)

	// Listen calls f whenever an outcome comes under a subject that matches, until
	// stop, as far as it hears of it. What f then asks for may not be there yet.
	Listen(subject string, f func()) (stop func(), err error)
}

// A Parker keeps what a verified sender sent and no decoder can read, for a
// person to look at. It keeps the same bytes of a source once.
type Parker interface {
	Park(ctx context.Context, p Parked) error
}

// Parked is a body that is no event.
type Parked struct {
	Source   string // that sent it
	Ticket   string // whose it is, if that much could be read
	Delivery string // its delivery id, if it has one
	Reason   string // what is wrong with it, in one line
	Body     []byte // as it was received
	At       time.Time
}

// Marks remember deliveries that could be sent again under another id, because
// their id is not signed. All replicas share them.
type Marks interface {
	// Begin marks a delivery: proof names what was signed, and refs the events
	// that it asks for. The mark is provisional until Done.
	//
	// It returns ErrReplayed if the same proof was marked for other events. If
	// those are stored, or their fate is not known yet, nothing else can be
	// done with the proof; if their mark was taken back, or is older than
	// hold, refs take it over.
	Begin(ctx context.Context, proof []byte, refs []events.Ref, hold time.Duration) (Mark, error)
}

// A Mark is a delivery's.
type Mark interface {
	Done(ctx context.Context) error // its events are stored
	Undo(ctx context.Context) error // they are not, and the sender was told so
}

// ErrReplayed reports that what was signed is used again, for other events.
var ErrReplayed = errors.New("the delivery was sent before, for other events")

// A Source is one sender: a ticket system, or a service that speaks CloudEvents.
type Source struct {
	Name   string        // in URLs, logs and metrics: 1 to 63 of a-z, 0-9 and -
	Kind   string        // one of source.Kinds
	Checks verify.Config // what its requests must pass

	// Offline says that its secrets cannot be read: Checks is not looked at, and
	// whoever asks for the source is told to come again.
	Offline bool

	// What it may ask for. A leaked secret reaches no further.
	Tenants   []string          // whom it may speak for; "*" is every tenant
	Intents   []events.Intent   // nil: remove and restore; restore_all must be named
	ItemTypes []events.ItemType // nil: all
	AllowFrom []netip.Prefix    // addresses that it sends from; nil: any

	Rate    Rate // of verified requests that are no repetition; zero: DefaultRate
	MaxBody int  // bytes; 0: DefaultMaxBody
	Gzip    bool // bodies may be compressed with gzip

	Fields    map[string]string // as source.Config's
	Approved  []string
	Map       map[string]string
	Handshake Handshake
}

// A Rate bounds requests. Each replica has its own. A negative PerSecond is no
// limit; a Burst of 0 is one second's worth.
type Rate struct {
	PerSecond float64
	Burst     int
}

// A Handshake is how a kind of sender makes sure of an address before it sends
// there. It is answered for this source only, and no URL that it holds is ever
// fetched.
type Handshake struct {
	Kind  string   // "", cloudevents, eventgrid, graph or slack
	Allow []string // cloudevents: origins; eventgrid: subscription names
}

// A Config is all that a Server needs.
type Config struct {
	Sources   []Source
	Tenants   []string       // every configured tenant
	PeerRate  Rate           // of requests from one address, or IPv6 network of 64 bits; zero: DefaultPeerRate
	Rate      Rate           // of all requests but for reading, before they are verified; zero: DefaultTotalRate
	Proxies   []netip.Prefix // whose X-Forwarded-For is believed; nil: nobody's
	Publisher Publisher
	Finder    Finder
	Parker    Parker
	Marks     Marks
	Metrics   *metrics.Metrics
	Log       *slog.Logger     // nil discards
	Tracer    *tracing.Tracer  // nil traces nothing
	Now       func() time.Time // nil is time.Now; judges signatures and events
	BaseURL   string           // put before the path of status URLs; "" leaves them relative

	// ClientCAs are those in force for certificates of TLS clients; a nil pool is
	// none. For a source that checks certificates, each request's is verified
	// with them again. Nil leaves it at what the TLS handshake has verified.
	ClientCAs func() *x509.CertPool
}
