package tracing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// A queue holds ended spans until they are sent. It is a sdk.SpanProcessor: the
// SDK's own drops spans without a word.
//
//	OnEnd ──► spans ──► run ──► batch ──► exporter
//	   └─ full: lost ◄────────────┘ not taken
type queue struct {
	exporter *otlptrace.Exporter
	log      *slog.Logger
	spans    chan sdk.ReadOnlySpan
	lost     atomic.Int64 // since the log was told

	stop, done chan struct{}
	closed     sync.Once

	why  error     // of the last batch that was lost; run's alone, as told
	told time.Time // when the log was
}

func newQueue(e *otlptrace.Exporter, log *slog.Logger) *queue {
	return &queue{exporter: e, log: log, spans: make(chan sdk.ReadOnlySpan, queueRoom), stop: make(chan struct{}), done: make(chan struct{})}
}

// OnStart is of no interest.
func (q *queue) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd never waits.
func (q *queue) OnEnd(s sdk.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	select {
	case q.spans <- s:
	default:
		q.lost.Add(1)
	}
}

// ForceFlush and Shutdown are the provider's, which nobody asks: Close is.
func (q *queue) ForceFlush(context.Context) error { return nil }
func (q *queue) Shutdown(context.Context) error   { return nil }

// run sends until close.
func (q *queue) run() {
	defer close(q.done)
	tick := time.NewTicker(flushAt)
	defer tick.Stop()
	var batch []sdk.ReadOnlySpan
	for {
		select {
		case s := <-q.spans:
			if batch = append(batch, s); len(batch) < batchMost {
				continue
			}
		case <-tick.C:
		case <-q.stop:
			q.last(batch)
			return
		}
		q.send(batch)
		batch = nil
		q.tell(false)
	}
}

// last sends what is there when the process ends, once.
func (q *queue) last(batch []sdk.ReadOnlySpan) {
	for len(q.spans) > 0 {
		batch = append(batch, <-q.spans)
	}
	q.send(batch)
	q.tell(true)
}

// send tries until the collector has taken the batch, or will not, or the process
// ends.
func (q *queue) send(batch []sdk.ReadOnlySpan) {
	if len(batch) == 0 {
		return
	}
	pause := tryPause
	for n := 1; ; n++ {
		err := q.try(batch)
		var part *partialError
		var no *refusedError
		switch {
		case err == nil:
			return
		case errors.As(err, &part):
			q.lose(min(part.rejected, len(batch)), err)
			return
		case errors.As(err, &no), n == tries, !q.wait(pause):
			q.lose(len(batch), err)
			return
		}
		pause *= 2
	}
}

func (q *queue) try(batch []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithTimeout(context.Background(), tryFor)
	defer cancel()
	return q.exporter.ExportSpans(ctx, batch)
}

// wait reports whether the process goes on.
func (q *queue) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-q.stop:
		return false
	}
}

func (q *queue) lose(n int, why error) {
	q.lost.Add(int64(n))
	q.why = why
}

// tell has the log say what was lost, now and then.
func (q *queue) tell(last bool) {
	if q.lost.Load() == 0 || !last && time.Since(q.told) < tellEvery {
		return
	}
	why := q.why
	if why == nil {
		why = errFull
	}
	q.log.Warn("spans were dropped; no work waits for them", "spans", q.lost.Swap(0), "err", why)
	q.told, q.why = time.Now(), nil
}

// errFull is that spans came faster than they could be sent.
var errFull = errors.New("more spans than the queue has room for; lower tracing.sample")

// close ends run and waits for it, within its bound.
func (q *queue) close() {
	q.closed.Do(func() { close(q.stop) })
	select {
	case <-q.done:
	case <-time.After(CloseFor):
	}
}
