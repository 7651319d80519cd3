// Package metrics holds every collector of changerelay, the values that their
// labels may take, and the admin handler that serves them.
//
// All label sets are closed: New is given the names of sources and tenants and
// the vocabulary of outcomes, makes every series at once, and counts a value
// outside its set as "unknown". So no stranger can make series by inventing
// names, and a rate over a series that has not happened yet is 0, not absent.
// Sources, their keys and tenants change while the program runs: SetSources and
// SetTenants replace their sets. Everything else is for ever.
//
//	ingest ──► Requests, RequestSeconds, Refusals, RateLimited, Published, Parked
//	keys ────► KeyUses, KeyLastUsed, ReplayProtection
//	fold ────► FoldSeconds, FoldBatch, Outcomes, Wakeups
//	reconcile► ReconcileSeconds, OpenAttempts, DueDevices, Outcomes, WebhookToGraphSeconds
//	graph ───► GraphSeconds, GraphCalls
//	broker ──► BrokerConnected, BrokerReconnects
//	config ──► ConfigReloads, ConfigLastReload, ConfigLastReloadTime
//
// Nothing is global: the registry is the caller's, so that a test, or two
// services in one process, can have their own. The package does not know what
// its labels mean.
package metrics

import (
	"runtime"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Unknown is the label value of whatever is outside a label's closed set.
const Unknown = "unknown"

// Labels are the closed sets of label values that only the caller knows.
type Labels struct {
	Sources  []string // configured webhook sources, by name; SetSources knows more of them
	Tenants  []string // configured tenants, by name; SetTenants replaces them
	Outcomes []string // the vocabulary of outcomes
	Refusals []string // reason words of refused signatures
}

// Metrics are the collectors. All are safe for concurrent use.
type Metrics struct {
	// Ingest: requests by strangers and senders.
	Requests       *Counters   // source, code
	RequestSeconds *Histograms // source
	Refusals       *Counters   // source, reason
	RateLimited    *Counters   // source; Unknown is the limit of all requests
	Published      *Counters   // source, result: stored, duplicate, conflict, unavailable
	Parked         *Counters   // source

	// What let requests in.
	KeyUses          *Counters // source, check, key
	KeyLastUsed      *Gauges   // source, check, key; seconds since 1970
	ReplayProtection *Gauges   // source; SetSources sets it

	// What became of events, wherever that was decided.
	Outcomes *Counters // stage: ingest, resolve, fold, reconcile; outcome

	// Worker.
	FoldSeconds           prometheus.Histogram
	FoldBatch             prometheus.Histogram
	ReconcileSeconds      prometheus.Histogram
	WebhookToGraphSeconds prometheus.Histogram
	Wakeups               prometheus.Counter
	OpenAttempts          prometheus.Gauge
	DueDevices            *Gauges // tenant

	// Microsoft Graph.
	GraphSeconds *Histograms // op: post, get, find; kind: ok or the kind of error
	GraphCalls   *Counters   // op, kind

	// The broker, as this process sees it.
	BrokerConnected  prometheus.Gauge
	BrokerReconnects prometheus.Counter

	// The configuration file.
	ConfigReloads        *Counters        // result: ok, failed
	ConfigLastReload     prometheus.Gauge // 1 or 0
	ConfigLastReloadTime prometheus.Gauge // seconds since 1970

	registry *prometheus.Registry
	refusals []string
	setting  sync.Mutex // one SetSources or SetTenants at a time, or families would differ
}

// New registers every collector with reg, the Go runtime's and the process's
// included. It panics if one is registered already: that is a programming
// error, met at start.
func New(reg *prometheus.Registry, version string, l Labels) *Metrics {
	f := factory{reg}
	f.runtime(version)
	m := &Metrics{registry: reg, refusals: l.Refusals}
	m.ingest(f, l)
	m.worker(f, l)
	m.graph(f)
	m.broker(f)
	m.config(f)
	m.SetSources(named(l.Sources))
	m.SetTenants(l.Tenants)
	return m
}

// runtime registers what is the same in every Go service.
func (f factory) runtime(version string) {
	f.reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	info := f.gauges("changerelay_build_info", "Always 1; its labels say which build runs.",
		label("version", version), label("goversion", runtime.Version()))
	info.WithLabelValues(version, runtime.Version()).Set(1)
}
