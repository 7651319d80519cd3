package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"changerelay/internal/figures"
)

// Short turns and many: what else the machine does falls on all of them.
const (
	metricsRounds = 24 // each has a turn in each; they take turns at going first
	metricsTurn   = time.Second
)

// BenchmarkLoadMetrics is what the metrics cost ingest: the program as it is beside
// one that is built without them (package metrics' tag unmeasured), with the same
// broker, in turns. A second process without says how far two that are equal
// differ. It takes about a minute and a half.
func BenchmarkLoadMetrics(b *testing.B) {
	r, bare := newRig(b), tagged(b, "unmeasured")
	broker := r.helper("broker")
	var kinds []*kind
	for _, k := range []struct {
		name string
		of   *rig
	}{{"without metrics", bare}, {"with metrics", r}, {"without, another process", bare}} {
		p := k.of.program(broker.address)
		kinds = append(kinds, &kind{name: k.name, url: p.address + "/v1/changes", request: changeRequest, server: p, broker: broker})
	}
	for _, k := range kinds {
		k.run(b, loadWarm)
		k.turns = nil
	}
	for round := range metricsRounds {
		for i := range kinds {
			kinds[(i+round)%len(kinds)].run(b, metricsTurn)
		}
	}
	if b.Failed() {
		return // its figures are of something else
	}
	p := figures.New("metrics")
	t := p.Table(fmt.Sprintf("%d connections", loadConns), "requests/s:", "of without:", "p50:", "p99:", "µs CPU, server:", "of without:")
	for _, k := range kinds {
		t.Row(k.name, figures.Number(k.of(rate)), fmt.Sprintf("%.3f", k.against(kinds[0], rate)),
			fmt.Sprintf("%.1f ms", k.of(p50)/1e6), fmt.Sprintf("%.1f ms", k.of(p99)/1e6), fmt.Sprintf("%.1f", k.of(serving)), fmt.Sprintf("%.3f", k.against(kinds[0], serving)))
	}
	if err := p.Hand(); err != nil {
		b.Error(err)
	}
	b.ReportMetric(0, "ns/op") // there is no op
	b.ReportMetric(kinds[1].against(kinds[0], rate), "of-throughput")
	b.ReportMetric(kinds[1].against(kinds[0], serving), "of-CPU")
}
