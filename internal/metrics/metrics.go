// Package metrics holds every collector of changerelay, the values that their
// labels may take, and the admin handler that serves them. docs/metrics.md is
// what users are told of them; a test compares the two, help texts included.
//
// All label sets are closed: New is given the names of sources and tenants and
// the vocabularies, makes every series at once, and counts a value outside its
// set as "unknown". So no stranger can make series by inventing names, and a rate
// over a series that has not happened yet is 0, not absent. Sources, their keys
// and tenants change while the program runs: SetSources and SetTenants replace
// their sets. Everything else is for ever.
//
//	Ingesting   requests, senders, keys                  the ingest service's
//	Eventful    outcomes, dead letters, panics           both services'
//	Working     fold, reconcile, webhook to Graph        the worker's
//	Calling     Graph, tokens, quotas, tenants           the worker's
//	Broking     connection, streams, what is unfolded    both services'
//	Processing  build, configuration, certificates, Go   both services'
//
// Nothing is global: the registry is the caller's, so that a test, or two
// services in one process, can have their own. The package does not know what
// its labels mean.
package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Unknown is the label value of whatever is outside a label's closed set.
const Unknown = "unknown"

// A Service is one that a process is.
type Service int

// The services; a process may be both.
const (
	Ingest Service = 1 << iota
	Worker
)

// Labels are the closed sets of label values that only the caller knows, and
// which families there are.
type Labels struct {
	Of       Service  // whose families are shown; 0: all
	Sources  []string // configured webhook sources, by name; SetSources knows more of them
	Tenants  []string // configured tenants, by name; SetTenants replaces them
	Outcomes []string // the vocabulary of outcomes
	Reasons  []string // those of them that have a dead letter
	Refusals []string // reason words of refused signatures
	Streams  []string // names of streams and buckets
}

// Metrics are the collectors. All are safe for concurrent use.
type Metrics struct {
	Ingesting
	Eventful
	Working
	Calling
	Broking
	Processing

	registry *prometheus.Registry
	refusals []string

	setting sync.Mutex      // one SetSources or SetTenants at a time, or families would differ
	tenants map[string]bool // in force; guarded by setting
}

// New registers every collector with reg, the Go runtime's and the process's
// included. It panics if one is registered already: that is a programming
// error, met at start.
func New(reg *prometheus.Registry, version string, l Labels) *Metrics {
	f := factory{reg}
	has := func(s Service) bool { return l.Of == 0 || l.Of&s != 0 }
	m := &Metrics{
		Ingesting: ingesting(f.of(has(Ingest))), Eventful: eventful(f, l), Working: working(f.of(has(Worker))),
		Calling: calling(f.of(has(Worker))), Broking: broking(f, l), Processing: processing(f, version),
		registry: reg, refusals: l.Refusals,
	}
	m.SetSources(named(l.Sources))
	m.SetTenants(l.Tenants)
	return m
}
