package main

import "time"

// A run is a benchmark that measures itself and hands its figures over, or all the
// hot functions.
type run struct {
	name  string // what -match is compared with
	pkg   string // below the module's root
	takes time.Duration
}

// runs are all, in the order in which they are made.
var runs = []run{
	{"BenchmarkRunIdle", "internal/standalone", 15 * time.Second},
	{"BenchmarkRunStart", "internal/standalone", 40 * time.Second},
	{"BenchmarkRunMemory", "internal/standalone", 40 * time.Second},
	{"BenchmarkLoad", "internal/ingest", 70 * time.Second},
	{"BenchmarkLoadMetrics", "internal/ingest", 100 * time.Second},
	{"BenchmarkRunRates", "internal/worker", 90 * time.Second},
	{"BenchmarkRunBurst", "internal/worker", 60 * time.Second},
	{"BenchmarkRunThrottled", "internal/worker", 170 * time.Second},
	{"BenchmarkRunTenants", "internal/worker", 60 * time.Second},
	{"BenchmarkRunDevices", "internal/worker", 120 * time.Second},
	{"BenchmarkRunOneDevice", "internal/worker", 50 * time.Second},
	{functions, "", 60 * time.Second},
}

// functions is the run of all hot functions.
const functions = "Functions"

// A hot function is called for each event, request or call.
type hot struct{ pkg, bench, does string }

var hots = []hot{
	{"internal/ingest", "BenchmarkChanges", "ingest: a request from its bytes to its 202, with a broker that costs nothing"},
	{"internal/ingest", "BenchmarkEcho", "… an empty Echo handler"},
	{"internal/ingest/verify", "BenchmarkVerify", "verify a signature, as Standard Webhooks has it"},
	{"internal/ingest/source", "BenchmarkMapped", "decode the body of a mapped source"},
	{"internal/events", "BenchmarkParse/changes=1", "parse an event"},
	{"internal/events", "BenchmarkParse/changes=30", "… with 30 changes"},
	{"internal/events", "BenchmarkEncode", "write an event"},
	{"internal/ledger", "BenchmarkDecode", "read a device's document, full"},
	{"internal/ledger", "BenchmarkEncode/full", "write it"},
	{"internal/ledger", "BenchmarkEncode/rich", "… a small one"},
	{"internal/ledger", "BenchmarkFold/empty", "fold an event into an empty document"},
	{"internal/ledger", "BenchmarkFold/full", "… into a full one"},
	{"internal/ledger", "BenchmarkNext", "say what is next for a full one"},
	{"internal/quota", "BenchmarkLease", "take a lease of the quota, without its store"},
	{"internal/quota", "BenchmarkStored", "write the quota's cell, and read it"},
	{"internal/graph", "BenchmarkEncode", "write Graph's request, 30 items"},
	{"internal/graph", "BenchmarkDecode", "read Graph's answer, 30 items"},
	{"internal/metrics", "BenchmarkRequest", "count an accepted request, on all processors at once"},
	{"internal/tracing", "BenchmarkOff", "a span, tracing off"},
}

// fail is how long a run may take before it is given up: on a machine in use it
// takes several times as long.
func (r run) fail() time.Duration { return 2*time.Minute + 5*r.takes }
