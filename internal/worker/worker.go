// Package worker turns stored events into calls to Graph, in two stages that
// share nothing but the ledger:
//
//	CHANGES ──► fold ──► ledger ──► DEVICES ──► reconcile ──► Graph
//	             │                                 │
//	             └───► DEAD, OUTCOMES ◄────────────┘
//
// An event whose device only Graph knows comes by way of TARGETS: resolve reads
// which device it is and passes it on to CHANGES.
//
// Fold never calls Graph: it puts events into their device's document and wakes
// the device. Reconcile looks at a device's document, not at a message, and
// obeys it until it is settled or must wait. Any number of workers may run;
// they meet only in the ledger's compare-and-swap.
//
// Order of writes, so that a crash between any two is repaired by whoever comes
// next: document before wake-up before ack; attempt before call; answer before
// outcome; DEAD, OUTCOMES, clear, ack.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
)

// Config is what a worker needs. Streams, Ledger, Quota, Metrics and Log are
// required.
type Config struct {
	Streams *stream.Streams
	Ledger  *ledger.Store
	Quota   *quota.Store
	Tenants map[string]Tenant // by name; SetTenants replaces them
	Metrics *metrics.Metrics
	Log     *slog.Logger
	Tracer  *tracing.Tracer // nil traces nothing

	Timing    ledger.Timing // zero is ledger.DefaultTiming
	MaxAge    time.Duration // an event untold so long after acceptance expires; zero is 4 h
	Retention time.Duration // of CHANGES and DEAD: tombstones stay as long; zero is 30 days

	FoldSlots      int // batches folded at once; zero is 4
	FoldBatch      int // events a batch; zero is 48
	ReconcileSlots int // devices reconciled at once, a tenant; zero is 80

	// Pace is the least time from one call that Graph took to the device's next.
	// Events that come meanwhile are told together. Zero is DefaultPace.
	Pace time.Duration

	// Unknown is how long an event waits for a tenant that the configuration does
	// not have, before it is invalid: a reload reaches workers one after the other.
	// Zero is DefaultUnknown.
	Unknown time.Duration

	Now func() time.Time // zero is time.Now
	At  func(Point)      // called at each crash point; for tests
}

// A Worker runs both stages.
type Worker struct {
	c       Config
	serving roster
	running context.Context // of Run; set before anything else runs
	loops   sync.WaitGroup  // what Run waits for
	inHand  sync.Map        // events.Address of devices being reconciled by this worker
	inFold  sync.Map        // events.Address of devices being folded by this worker
	graves  chan struct{}   // has a token of each dead letter that is on its way
}

// New returns a worker that Run starts.
func New(c Config) *Worker {
	if c.Timing == (ledger.Timing{}) {
		c.Timing = ledger.DefaultTiming
	}
	setDefault(&c.MaxAge, DefaultMaxAge)
	setDefault(&c.Retention, stream.DefaultRetention)
	setDefault(&c.FoldSlots, DefaultFoldSlots)
	setDefault(&c.FoldBatch, DefaultFoldBatch)
	setDefault(&c.ReconcileSlots, DefaultReconcileSlots)
	setDefault(&c.Pace, DefaultPace)
	setDefault(&c.Unknown, DefaultUnknown)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.At == nil {
		c.At = func(Point) {}
	}
	return &Worker{c: c, graves: make(chan struct{}, buriesAtOnce)}
}

func setDefault[T comparable](v *T, d T) {
	if *v == *new(T) {
		*v = d
	}
}

// Run works until ctx ends, and returns when what was begun is finished.
func (w *Worker) Run(ctx context.Context) error {
	defer w.finish()
	w.serve(ctx)
	w.loops.Go(func() { w.discover(ctx) })
	w.loops.Go(func() { w.measure(ctx) })
	w.loops.Go(func() { w.resume(ctx) })
	w.loops.Go(func() { _ = w.c.Streams.Resolves(ctx, resolvesAtOnce, w.resolve) })
	err := w.c.Streams.Folds(ctx, w.c.FoldBatch, w.c.FoldSlots, w.fold)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// started begins to reconcile a tenant's devices.
func (w *Worker) started(name string) {
	if t := w.serving.of(name); t != nil {
		t.start()
	}
}

// discover starts the loops of tenants that another worker, or an earlier run,
// has woken.
func (w *Worker) discover(ctx context.Context) {
	every(ctx, DiscoverEvery, func() {
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			w.c.Log.Warn("looking for tenants with work", "err", err)
		}
	})
}

// look starts the loops that have work: those with a consumer, and those whose
// worker died before it made one.
func (w *Worker) look(ctx context.Context) error {
	tenants, err := w.c.Streams.Tenants(ctx)
	for _, name := range tenants {
		w.started(name)
	}
	for _, t := range w.serving.all() {
		if err != nil || t.begun.Load() {
			continue
		}
		var due int
		if due, err = w.c.Streams.DueOf(ctx, t.name); due > 0 {
			t.start()
		}
	}
	return err
}

// every calls f now and then each d until ctx ends.
func every(ctx context.Context, d time.Duration, f func()) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		f()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// greet gets a tenant's first token and says what is wrong with it. Work does
// not wait for it: Graph's own word counts.
func (w *Worker) greet(ctx context.Context, t *tenant) {
	log, g := w.c.Log.With("tenant", t.name), t.Graph
	lacks, err := g.Lacking(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		log.Error("no token for the tenant: check tenant_id, client_id and its credential in the configuration", "err", err)
	case lacks != nil:
		log.Error(lacks.Remedy, "permissions", lacks.Roles)
	}
	if err := g.CredentialError(); err != nil {
		log.Error("the tenant's credential cannot be read again; the last one is in use", "err", err)
	}
	if ends := g.CredentialEnds(); !ends.IsZero() && time.Until(ends) < graph.CertificateWarning {
		log.Warn("the tenant's certificate ends soon; put a new one in its place", "ends", ends)
	}
}

// end counts and logs one unit of work, at its single exit.
func (w *Worker) end(ctx context.Context, stage string, o events.Outcome, began time.Time, attrs ...any) {
	w.c.Metrics.Outcomes.WithLabelValues(stage, string(o)).Inc()
	level := slog.LevelInfo
	switch {
	case o.Dead():
		level = slog.LevelWarn
	case o == events.Busy:
		level = slog.LevelDebug
	}
	attrs = append([]any{"stage", stage, "outcome", o, "took", time.Since(began).Round(time.Microsecond)}, attrs...)
	w.c.Log.Log(ctx, level, stage, attrs...)
}
