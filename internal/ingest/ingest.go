// Package ingest takes approved changes in over HTTP: signed bytes in, an event
// stored by the broker out.
//
//	POST /v1/changes         a CloudEvent, from any source of kind cloudevents
//	POST /v1/hooks/{source}  a ticket system's own body, from that source
//	GET  /v1/changes/{id}    what became of an event; {id} is from the 202 answer
//
// A request goes one way, and each step sees only what the one before let through:
//
//	bounded bytes, read once ─► verify ─► media type ─► decode ─► tenant ─► publish ─► answer
//	        413, 400, 408        401          415        422,       403,      503,      202, 200
//	                                                 200 ignored    422       409
//
// What it promises:
//
//   - 202 is sent after the broker's acknowledgement, never before. Without one
//     the answer is 503 with Retry-After, and a sender may repeat everything:
//     what was stored already is a duplicate, answered 200.
//   - Nothing is parsed before its signature is verified, and nothing is said to
//     an unverified sender but one 401 body, the same for every cause. A verified
//     one is told the field and what would be right.
//   - A source speaks for its tenants only: a leaked secret moves no other
//     tenant's phones.
//   - No body, secret, signature or query reaches a log. Each request has one
//     line, with the body's SHA-256 to find it again at the sender's.
//
// Receipts need no credential: an id holds a hash of what the sender chose, and
// is as hard to guess; a receipt holds names of tickets, devices and items, no
// secret. Put the route behind the cluster's gateway where that is too much.
//
// The package knows no broker. It owns two interfaces for what it needs of one.
package ingest

import (
	"context"
	"log/slog"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/metrics"
)

// A Publisher stores events. A nil error means that the broker has acknowledged
// the event, or has had the same one before. An error that is
// events.ErrConflict means that it has another one of that id; any other error
// means that nobody knows whether it is stored, and that trying again is safe.
type Publisher interface {
	Publish(ctx context.Context, e events.Event) (duplicate bool, err error)
}

// A Finder knows what became of events. An event that was never stored, or too
// long ago, is events.ErrNotFound.
type Finder interface {
	Find(ctx context.Context, r events.Ref) (events.Receipt, error)
}

// A Source is one sender: a ticket system, or a service that speaks CloudEvents.
type Source struct {
	Name    string        // in URLs, logs and metrics: 1 to 63 of a-z, 0-9 and -
	Kind    string        // one of source.Kinds
	Scheme  verify.Scheme // how it signs; zero is the kind's usual scheme
	Secrets []string      // all active ones: two while a secret is rotated
	Tenants []string      // whom it may speak for; "*" is every tenant; exactly one for servicenow
	Fields  source.Fields // column names, for servicenow
}

// A Config is all that a Server needs.
type Config struct {
	Sources   []Source
	Tenants   []string // every configured tenant
	Publisher Publisher
	Finder    Finder
	Metrics   *metrics.Metrics
	Log       *slog.Logger     // nil discards
	Now       func() time.Time // nil is time.Now; judges signatures and events
	BaseURL   string           // put before the path of status URLs; "" leaves them relative
}
