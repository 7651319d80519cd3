package ingest_test

import (
	"fmt"
	"os"
	"testing"
	"text/tabwriter"
	"time"
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
	cpu := func(t turn) float64 { return float64(t.server) / 1e3 }
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%d connections\trequests/s\tof without\tp50\tp99\tµs CPU: server\tof without\t\n", loadConns)
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\t%.0f\t%.3f\t%.2fms\t%.2fms\t%.1f\t%.3f\t\n", k.name,
			k.of(rate), k.against(kinds[0], rate), k.of(p50)/1e6, k.of(p99)/1e6, k.of(cpu), k.against(kinds[0], cpu))
	}
	w.Flush()
	b.ReportMetric(0, "ns/op") // there is no op
	b.ReportMetric(kinds[1].against(kinds[0], rate), "of-throughput")
	b.ReportMetric(kinds[1].against(kinds[0], cpu), "of-CPU")
}
