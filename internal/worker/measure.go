package worker

import (
	"context"
	"time"

	"changerelay/internal/graph"
	"changerelay/internal/metrics"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
)

// measure keeps tenants' gauges, which a scraper reads.
func (w *Worker) measure(ctx context.Context) {
	every(ctx, MeasureEvery, func() {
		ts := w.serving.all()
		for _, t := range ts {
			w.measureTenant(t)
		}
		due, err := w.c.Streams.Wakeups(ctx)
		if err != nil {
			return // readiness says so
		}
		for _, t := range ts {
			w.measureDue(t, due[t.name])
		}
	})
}

// measureTenant shows what this process knows of a tenant.
func (w *Worker) measureTenant(t *tenant) {
	m := w.c.Metrics
	t.paused()
	for _, b := range []*quota.Bucket{t.write, t.read} {
		class, limit := string(t.class(b)), t.Write
		if b == t.read {
			limit = t.Read
		}
		m.QuotaLimit.Set(limit.Rate, t.name, class)
		m.QuotaRate.Set(b.Rate(), t.name, class)
		m.QuotaPausedUntil.Set(metrics.Seconds(t.pause.ends()), t.name, class)
	}
	for _, reason := range metrics.PauseReasons {
		m.PausedSince.Set(metrics.Seconds(t.pause.since(reason)), t.name, reason)
	}
	w.measureCredential(t)
}

func (w *Worker) measureCredential(t *tenant) {
	usable, ends := 0.0, time.Time{} // of one that is offline
	if t.Graph != nil {
		ends = t.Graph.CredentialEnds()
		if !t.denied.Load() && t.Graph.CredentialError() == nil {
			usable = 1
		}
	}
	w.c.Metrics.CredentialUsable.Set(usable, t.name)
	w.c.Metrics.CredentialExpiry.Set(metrics.Seconds(ends), t.name)
}

// measureDue tells devices that somebody could take now from those that wait. All
// of a paused tenant's do: they are not pulled.
func (w *Worker) measureDue(t *tenant, due stream.Wakeups) {
	runnable, waiting := due.Pending, due.Held
	if t.pause.wait() != nil {
		runnable, waiting = 0, due.Pending+due.Held
	}
	w.c.Metrics.DueDevices.Set(float64(runnable), t.name, metrics.Runnable)
	w.c.Metrics.DueDevices.Set(float64(waiting), t.name, metrics.Waiting)
}

// asked counts a request for a token of the tenant.
func (w *Worker) asked(t *tenant, failed graph.Kind, took time.Duration) {
	result := string(failed)
	switch failed {
	case "":
		result = "ok"
		t.denied.Store(false)
	case graph.Denied:
		t.denied.Store(true)
	case graph.Throttled:
	default:
		result = whyUnavailable
	}
	w.c.Metrics.TokenRequests.WithLabelValues(result).Inc()
	w.c.Metrics.TokenSeconds.Observe(took.Seconds())
	w.measureCredential(t)
}

// counted counts one request to Graph.
func (w *Worker) counted(t *tenant, op, kind string, err error) {
	status, class := 200, quota.Read
	if op == "post" {
		class = quota.Write
	}
	if err != nil {
		e := asError(err)
		if status = e.Status; e.OfToken() {
			status = 0
		}
		switch e.Kind {
		case graph.Throttled, graph.Unavailable, graph.InDoubt, graph.Denied:
			t.pause.ail()
		}
	}
	w.c.Metrics.GraphCalls.WithLabelValues(op, kind).Inc()
	w.c.Metrics.GraphResponses.WithLabelValues(op, metrics.Response(status)).Inc()
	w.c.Metrics.QuotaCalls.WithLabelValues(t.name, string(class)).Inc()
}

// delayed measures how long events lay before they were folded. What was folded
// before, and is delivered once more, is none.
func (w *Worker) delayed(as []*arrival) {
	now := w.c.Now()
	for _, a := range as {
		if a.fresh {
			metrics.Observe(w.c.Metrics.FoldDelay, max(now.Sub(a.Time).Seconds(), 0), tracing.IDOf(a.trace))
		}
	}
}
