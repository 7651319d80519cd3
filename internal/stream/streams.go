// Package stream is changerelay's use of NATS JetStream. It declares the
// streams, publishes to them so that each event is stored once, gives workers
// what they have free hands for, and finds what is stored.
//
//	CHANGES   changes.v1.>   limits      every accepted event: intake, audit trail, memory of duplicates
//	TARGETS   targets.v1.>   work queue  events whose device is not known yet
//	DEVICES   devices.v1.*.* work queue  a wake-up a device that is due; the newest replaces the others
//	OUTCOMES  outcomes.v1.>  limits      one final outcome an event
//	DEAD      dead.v1.>      limits      what a person must look at
//	AUDIT     audit.v1.>     limits      what people did by hand: who, when and why
//	KV_marks  $KV.marks.>    bucket      deliveries that must not be used again for other events
//
// What the package promises:
//
//   - Publish returns nil only after the broker has stored the event, and an
//     event is stored once for the stream's whole retention, whoever races. The
//     subject is the idempotency key: a publish expects that nothing is stored
//     under it. "Something is" (10071) means duplicate or conflict, which the
//     content decides; "another is in flight" (10164) means ask again, for that
//     other one may yet fail.
//   - A publish is repeated without fear, because of the above. A caller gets
//     ErrUnavailable when the event may be lost, and resends.
//   - Nothing is dropped: streams refuse new messages rather than forget old
//     ones, and no delivery count ends a message's life.
//   - What is read back is read from the stream's leader. Other replicas answer
//     direct gets with yesterday's truth, so direct gets are off.
//   - A worker pulls as many messages as it has free slots, says that it is
//     alive while it works, and is left alone with broker restarts, leader
//     changes and deleted consumers: Folds, Resolves and Wakes survive them.
//
// The package knows the broker and the events, not Graph, HTTP or the ledger.
package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/broker"
)

// Names of the streams.
const (
	Changes  = "CHANGES"
	Targets  = "TARGETS"
	Devices  = "DEVICES"
	Outcomes = "OUTCOMES"
	Dead     = "DEAD"
	AuditLog = "AUDIT"
	Marks    = "KV_marks" // the key-value bucket "marks"
)

// ErrUnavailable reports that the broker has not stored or not answered, as far
// as is known: the caller resends, now or later.
var ErrUnavailable = errors.New("the message broker is not available")

// ErrFull is ErrUnavailable because a stream has reached its limit.
var ErrFull = fmt.Errorf("%w: the stream is full", ErrUnavailable)

// Options say how the streams are kept.
type Options struct {
	Replicas  int           // 1, 3 or 5; 0 is 1
	Retention time.Duration // of CHANGES, OUTCOMES and DEAD; 0 is DefaultRetention
	MaxBytes  int64         // on disk, of CHANGES, OUTCOMES and DEAD each; 0 leaves it to the broker's operator
	AckWait   time.Duration // 0 is AckWait; tests shorten it
	Log       *slog.Logger  // nil discards

	// What metrics count; nil is nobody. Buried is called for each letter that DEAD
	// takes, Panicked for each handler that was caught.
	Buried   func(reason string)
	Panicked func()
}

// Streams are the streams of one broker. Its methods may be called from
// any goroutine.
type Streams struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	acks    *broker.Requests
	o       Options
	log     *slog.Logger
	streams map[string]jetstream.Stream // by name; only Open writes
	crew    crew
	walk    chan struct{} // of one: who has it may look for a ticket in CHANGES
}

// Connect opens a connection that is kept for ever. It does not need the broker
// to be up: connecting and reconnecting go on in the background. Publishing
// while the broker is away fails at once, for a buffer would send an event long
// after its sender was told that it failed. What it is answered comes to subjects
// below _INBOX.<name>, so that a program's broker user need see no other's.
func Connect(servers, name string, log *slog.Logger, opts ...nats.Option) (*nats.Conn, error) {
	log = orDiscard(log)
	all := []nats.Option{
		nats.Name(name), nats.CustomInboxPrefix("_INBOX." + name), nats.Timeout(DialTimeout), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(ReconnectWait), nats.ReconnectJitter(ReconnectWait, ReconnectTLS), nats.ReconnectBufSize(-1),
		nats.IgnoreAuthErrorAbort(), // a broker that restarts may refuse for a while
		nats.PingInterval(PingEvery), nats.MaxPingsOutstanding(PingsLost),
		nats.ConnectHandler(func(nc *nats.Conn) { log.Info("broker connected", "server", nc.ConnectedUrlRedacted()) }),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() {
				log.Warn("broker lost", "err", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("broker is back", "server", nc.ConnectedUrlRedacted()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Error("broker reports", "err", err) }),
	}
	nc, err := nats.Connect(servers, append(all, opts...)...)
	if bad := (*url.Error)(nil); errors.As(err, &bad) {
		err = bad.Err // the rest of it quotes the URL, which may hold a password
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to the broker: %w", err)
	}
	return nc, nil
}

// Open declares the streams, and brings those that exist into agreement with o.
// It waits for a broker that is away or forming until ctx ends.
func Open(ctx context.Context, nc *nats.Conn, o Options) (*Streams, error) {
	s, err := newStreams(nc, o)
	if err != nil {
		return nil, err
	}
	for _, d := range s.declarations() {
		if s.streams[d.name], err = s.declare(ctx, d); err != nil {
			return nil, fmt.Errorf("declaring stream %s: %w", d.name, err)
		}
	}
	return s, nil
}

// Attach opens the streams as they are and declares nothing: whoever looks at a
// broker with another configuration at hand must not change what the services
// keep there.
func Attach(ctx context.Context, nc *nats.Conn, o Options) (*Streams, error) {
	s, err := newStreams(nc, o)
	if err != nil {
		return nil, err
	}
	for _, d := range s.declarations() {
		s.streams[d.name], err = s.stream(ctx, d.name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			return nil, fmt.Errorf("the broker has no stream %s; has the relay run with this broker, and as this user?", d.name)
		case err != nil:
			return nil, fmt.Errorf("%w: asking for stream %s: %w", ErrUnavailable, d.name, err)
		}
	}
	return s, nil
}

func newStreams(nc *nats.Conn, o Options) (*Streams, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("opening streams: %w", err)
	}
	a, err := broker.NewRequests(nc)
	if err != nil {
		return nil, fmt.Errorf("opening streams: %w", err)
	}
	o = o.orDefaults()
	return &Streams{nc: nc, js: js, acks: a, o: o, log: orDiscard(o.Log), streams: map[string]jetstream.Stream{}, crew: make(crew), walk: make(chan struct{}, 1)}, nil
}

func (o Options) orDefaults() Options {
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.AckWait == 0 {
		o.AckWait = AckWait
	}
	if o.Buried == nil {
		o.Buried = func(string) {}
	}
	if o.Panicked == nil {
		o.Panicked = func() {}
	}
	o.Replicas = max(o.Replicas, 1)
	return o
}

// Ready returns nil if the broker answers and has the streams, each with a
// leader.
func (s *Streams) Ready(ctx context.Context) error {
	if st := s.nc.Status(); st != nats.CONNECTED {
		return fmt.Errorf("%w: the connection is %s", ErrUnavailable, st)
	}
	for _, name := range []string{Changes, Targets, Devices, Outcomes, Dead, AuditLog, Marks} {
		if _, err := s.stream(ctx, name); err != nil {
			return fmt.Errorf("%w: asking for stream %s: %w", ErrUnavailable, name, err)
		}
	}
	return nil
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
