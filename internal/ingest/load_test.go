package ingest_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"
)

// Bounds of the load. Kinds take turns, so that what else the machine does
// falls on all of them.
const (
	loadConns  = 64
	loadWarm   = time.Second
	loadTurn   = 3 * time.Second // of one kind
	loadRounds = 4
)

// BenchmarkLoad runs the ingest program under load beside an empty Echo handler,
// and prints requests a second, latencies and CPU time a request. The client,
// the program, the handler and the broker are processes of their own on this
// machine's processors, over loopback. It takes about a minute and measures
// itself, so b.N does not count.
//
// The client is net/http's. For each request it makes and signs a new event, and
// it reads and checks the answer, as a sender does.
func BenchmarkLoad(b *testing.B) {
	r := newRig(b)
	echo := r.helper("echo")
	broker := r.helper("broker")
	ingest := r.program(broker.address)
	kinds := []*kind{
		{name: "empty Echo handler", url: echo.address + "/v1/changes", request: changeRequest, server: echo},
		{name: "POST /v1/changes", url: ingest.address + "/v1/changes", request: changeRequest, server: ingest, broker: broker},
		{name: "ServiceNow hook", url: ingest.address + "/v1/hooks/snow", request: hookRequest, server: ingest, broker: broker},
	}
	for _, k := range kinds {
		k.run(b, loadWarm)
		k.turns = nil
	}
	memory := watchMemory(ingest.pid())
	for range loadRounds {
		for _, k := range kinds {
			k.run(b, loadTurn)
		}
	}
	rss := memory.end()
	ingest.stop()
	broker.stop()
	kinds = append(kinds, syncAlways(b, r))
	printLoad(b, kinds, rss)
}

// syncAlways is /v1/changes with a broker that writes through to the disk
// before it acknowledges.
func syncAlways(b *testing.B, r *rig) *kind {
	broker := r.helper("broker-sync")
	ingest := r.program(broker.address)
	k := &kind{name: "the same, sync_always", url: ingest.address + "/v1/changes", request: changeRequest, server: ingest, broker: broker}
	k.run(b, loadWarm)
	k.turns = nil
	k.run(b, loadTurn)
	return k
}

// A kind is a kind of request, and what it came to.
type kind struct {
	name    string
	url     string
	request func(url string, n int64) (*request, error)
	server  *process
	broker  *process // nil: none is behind it
	turns   []turn
}

// A turn is one measurement.
type turn struct {
	rate                   float64 // answers a second
	p50, p99               time.Duration
	client, server, broker time.Duration // of CPU time a request
}

// of is the median of the turns.
func (k *kind) of(what func(turn) float64) float64 {
	var all []float64
	for _, t := range k.turns {
		all = append(all, what(t))
	}
	return median(all)
}

// against is the median of the ratios to the turn of another kind just before.
func (k *kind) against(other *kind, what func(turn) float64) float64 {
	var all []float64
	for i, t := range k.turns {
		all = append(all, what(t)/what(other.turns[min(i, len(other.turns)-1)]))
	}
	return median(all)
}

func median(all []float64) float64 {
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}

func rate(t turn) float64 { return t.rate }
func p50(t turn) float64  { return float64(t.p50) }
func p99(t turn) float64  { return float64(t.p99) }

func printLoad(b *testing.B, kinds []*kind, rss memory) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%d connections\trequests/s\tof Echo\tp50\tp99\tof Echo\tµs CPU: server\tbroker\tclient\t\n", loadConns)
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2fms\t%.2fms\t%.2f\t%.1f\t%.1f\t%.1f\t\n", k.name,
			k.of(rate), k.against(kinds[0], rate), k.of(p50)/1e6, k.of(p99)/1e6, k.against(kinds[0], p99),
			k.of(func(t turn) float64 { return float64(t.server) / 1e3 }),
			k.of(func(t turn) float64 { return float64(t.broker) / 1e3 }),
			k.of(func(t turn) float64 { return float64(t.client) / 1e3 }))
	}
	w.Flush()
	fmt.Printf("memory of the ingest process, most: %s\n\n", rss)
	b.ReportMetric(0, "ns/op") // there is no op
	b.ReportMetric(kinds[1].of(rate), "changes/s")
	b.ReportMetric(kinds[1].against(kinds[0], rate), "of-Echo")
	b.ReportMetric(kinds[1].against(kinds[0], p99), "p99-of-Echo")
	b.ReportMetric(float64(rss.rss)/(1<<20), "MiB-RSS")
}
