package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/figures"
)

// A run measures itself, so b.N does not count: -benchtime 1x. Broker, worker and
// the rest, which is the simulator and the publishers, are processes of their own
// on this machine's processors. `make bench` runs all of them.

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
	r := &rates{Part: figures.New("rates"), worker: breakdown{who: "worker"}, broker: breakdown{who: "broker"}}
	t := r.Table("broker, Graph", "fold:", "reconcile:", "publish to outcome:", "worker's memory:")
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
		row := []string{name, "not measured", "not measured", "not measured", ""}
		b.Run(name, func(b *testing.B) { r.run(b, row, k.broker, k.tls, smaller(k.n)) })
		t.Row(row...)
	}
	r.Note("One worker, one event a device. µs of CPU an event: worker + broker + the rest.")
	hand(b, r.Part)
	where := figures.New("where")
	r.worker.table(where)
	r.broker.table(where)
	hand(b, where)
}

// rates are the figures of all brokers, and where the time goes with the first.
type rates struct {
	*figures.Part
	worker, broker breakdown
}

// run fills the row as it goes, so that what was measured before a failure is told.
func (r *rates) run(b *testing.B, row []string, kind brokerKind, tls bool, n int) {
	name, first := row[0], kind == lazyR1 && !tls
	k, broker := newRun(b, kind, 1, 2*n)
	change := []func(*crewOrder){}
	if !tls {
		change = append(change, atOnceGraph)
	}
	w := k.fork(change...)
	measured := func(i int, stage string, work func()) {
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
		row[i] = fmt.Sprintf("%s/s, %s", figures.Number(rate), cost)
		b.ReportMetric(rate, strings.ReplaceAll(stage, " ", "-")+"/s")
		if first && stage != "publish to outcome" {
			r.Meet(stage, rate, "")
		}
		if first {
			r.worker.add(stage, workers, parts(b, ofWorker, workerLayers))
			r.broker.add(stage, brokers, parts(b, ofBroker, brokerLayers))
		}
	}
	k.add(n, events.Remove)
	k.publishAll(nil)
	w.ask("hold")
	measured(1, "fold", func() { w.ask("run"); k.until("everything to be folded", k.folded) })
	measured(2, "reconcile", func() { w.ask("lift"); k.until("all outcomes", func() bool { return k.outcomes() == n }) })
	k.add(n, events.Remove)
	measured(3, "publish to outcome", func() {
		k.publishAll(nil)
		k.until("all outcomes", func() bool { return k.outcomes() == 2*n })
	})
	if tls {
		k.ended()
	}
	row[4] = fmt.Sprintf("%.0f MiB", w.most())
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
