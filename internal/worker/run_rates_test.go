package worker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

// A run measures itself, so b.N does not count: -benchtime 1x. Broker, worker and
// the rest, which is the simulator and the publishers, are processes of their own
// on this machine's processors. `make bench` runs all of them and prints a table.

// newRun is a crowd with a broker of its own.
func newRun(b *testing.B, k brokerKind, tenants, devices int) (*bulk, *process) {
	b.Helper()
	broker := start(b, "broker", k)
	c := newCrowd(b, broker.hear(), k.Replicas, 45*time.Second, tenants, devices)
	c.patience = 15 * time.Minute
	b.ReportMetric(0, "ns/op") // there is no op
	return c, broker
}

func atOnceGraph(o *crewOrder) { o.Graph, o.CA = "", nil }

// BenchmarkRunRates is how many events a second one worker folds, reconciles, and
// carries from the publish to the outcome, each for a device of its own, which is
// the dear case. Graph is in the worker's process and answers at once, or it is the
// simulator over TLS.
func BenchmarkRunRates(b *testing.B) {
	for _, k := range []struct {
		broker brokerKind
		tls    bool
		n      int
	}{
		{lazyR1, false, 20_000},
		{lazyR1, true, 10_000},
		{syncR1, false, 4000},
		{lazyR3, false, 4000},
	} {
		name := k.broker.Name + ", Graph at 0 ms"
		if k.tls {
			name = k.broker.Name + ", Graph over TLS"
		}
		b.Run(name, func(b *testing.B) { runRates(b, name, k.broker, k.tls, smaller(k.n)) })
	}
}

func runRates(b *testing.B, name string, kind brokerKind, tls bool, n int) {
	foldAim, tellAim := "", ""
	if kind == lazyR1 && !tls {
		foldAim, tellAim = "10 000/s", "6 000/s"
	}
	k, broker := newRun(b, kind, 1, 2*n)
	change := []func(*crewOrder){}
	if !tls {
		change = append(change, atOnceGraph)
	}
	w := k.fork(change...)
	measured := func(stage, aim string, work func()) {
		dir := profilesTo(b, name+" "+stage)
		ofWorker, ofBroker := filepath.Join(dir, "worker"), filepath.Join(dir, "broker")
		w.ask("profile", ofWorker)
		broker.ask("profile", ofBroker)
		c := clocked(broker, w)
		work()
		rate, cost := c.end(n)
		workers, brokers := c.each("worker", n), c.each("broker", n)
		w.ask("profiled")
		broker.ask("profiled")
		figures.add(name+": "+stage, aim, "%.0f/s; µs of CPU each, worker + broker + rest: %s", rate, cost)
		b.ReportMetric(rate, strings.ReplaceAll(stage, " ", "-")+"/s")
		if kind == lazyR1 && !tls {
			figures.worker.add(stage, workers, parts(b, ofWorker, workerLayers))
			figures.broker.add(stage, brokers, parts(b, ofBroker, brokerLayers))
		}
	}
	k.add(n, events.Remove)
	k.publishAll(nil)
	w.ask("hold")
	measured("fold", foldAim, func() { w.ask("run"); k.until("everything to be folded", k.folded) })
	measured("reconcile", tellAim, func() { w.ask("lift"); k.until("all outcomes", func() bool { return k.outcomes() == n }) })
	k.add(n, events.Remove)
	measured("publish to outcome", "", func() {
		k.publishAll(nil)
		k.until("all outcomes", func() bool { return k.outcomes() == 2*n })
	})
	if tls {
		k.ended()
	}
	figures.add(name+": worker's memory, most", "", "%.0f MiB", w.most())
}

// profilesTo is where a run leaves its CPU profiles: below RUN_PROFILES if that is
// set, so that they can be looked at.
func profilesTo(b *testing.B, run string) string {
	below := os.Getenv("RUN_PROFILES")
	if below == "" {
		return b.TempDir()
	}
	dir := filepath.Join(below, strings.NewReplacer(" ", "-", ",", "").Replace(run))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	return dir
}
