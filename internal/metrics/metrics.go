// Package metrics holds every collector of changerelay, the values that their
// labels may take, and the admin handler that serves them.
//
// All label sets are closed: New is given the names of sources and tenants and
// the vocabulary of outcomes, makes every series at once, and counts a value
// outside its set as "unknown". So no stranger can make series by inventing
// names, and a rate over a series that has not happened yet is 0, not absent.
//
//	ingest ──► Requests, RequestSeconds, Refusals, Published
//	fold ────► FoldSeconds, FoldBatch, Outcomes, Wakeups
//	reconcile► ReconcileSeconds, OpenAttempts, DueDevices, Outcomes, WebhookToGraphSeconds
//	graph ───► GraphSeconds, GraphCalls
//	broker ──► BrokerConnected, BrokerReconnects
//
// Nothing is global: the registry is the caller's, so that a test, or two
// services in one process, can have their own. The package does not know what
// its labels mean.
package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Unknown is the label value of whatever is outside a label's closed set.
const Unknown = "unknown"

// Labels are the closed sets of label values that only the caller knows.
type Labels struct {
	Sources  []string // configured webhook sources, by name
	Tenants  []string // configured tenants, by name
	Outcomes []string // the vocabulary of outcomes
	Refusals []string // reason words of refused signatures
}

// Metrics are the collectors. All are safe for concurrent use.
type Metrics struct {
	// Ingest: requests by strangers and senders.
	Requests       *Counters   // source, code
	RequestSeconds *Histograms // source
	Refusals       *Counters   // source, reason
	Published      *Counters   // source, result: stored, duplicate, conflict, unavailable

	// What became of events, wherever that was decided.
	Outcomes *Counters // stage: ingest, fold, reconcile; outcome

	// Worker.
	FoldSeconds           prometheus.Histogram
	FoldBatch             prometheus.Histogram
	ReconcileSeconds      prometheus.Histogram
	WebhookToGraphSeconds prometheus.Histogram
	Wakeups               prometheus.Counter
	OpenAttempts          prometheus.Gauge
	DueDevices            *Gauges // tenant

	// Microsoft Graph.
	GraphSeconds *Histograms // op: post, get; kind: ok or the kind of error
	GraphCalls   *Counters   // op, kind

	// The broker, as this process sees it.
	BrokerConnected  prometheus.Gauge
	BrokerReconnects prometheus.Counter

	registry *prometheus.Registry
}

// New registers every collector with reg, the Go runtime's and the process's
// included. It panics if one is registered already: that is a programming
// error, met at start.
func New(reg *prometheus.Registry, version string, l Labels) *Metrics {
	f := factory{reg}
	f.runtime(version)
	m := &Metrics{registry: reg}
	m.ingest(f, l)
	m.worker(f, l)
	m.graph(f)
	m.broker(f)
	return m
}

// runtime registers what is the same in every Go service.
func (f factory) runtime(version string) {
	f.reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	info := f.gauges("changerelay_build_info", "Always 1; its labels say which build runs.",
		label{"version", []string{version}}, label{"goversion", []string{runtime.Version()}})
	info.WithLabelValues(version, runtime.Version()).Set(1)
}
