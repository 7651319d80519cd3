package ingest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"changerelay/internal/figures"
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
// and measures requests a second, latencies and CPU time a request. The client,
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
	for range loadRounds {
		for _, k := range kinds {
			k.run(b, loadTurn)
		}
	}
	ingest.stop()
	broker.stop()
	kinds = append(kinds, syncAlways(b, r))
	handLoad(b, kinds)
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

// serving is the CPU time of a request, µs.
func serving(t turn) float64 { return float64(t.server) / 1e3 }

func handLoad(b *testing.B, kinds []*kind) {
	if b.Failed() {
		return // its figures are of something else
	}
	p := figures.New("ingest")
	echo, changes := kinds[0], kinds[1]
	p.Meet("ingest-rate", changes.against(echo, rate), "%s of %s a second", figures.Number(changes.of(rate)), figures.Number(echo.of(rate)))
	p.Meet("ingest-p99", changes.against(echo, p99), "%.1f ms and %.1f ms", changes.of(p99)/1e6, echo.of(p99)/1e6)
	t := p.Table(fmt.Sprintf("%d connections", loadConns), "requests/s:", "of Echo:", "p50:", "p99:", "of Echo:", "µs CPU, server:", "broker:", "client:")
	for _, k := range kinds {
		t.Row(k.name, figures.Number(k.of(rate)), fmt.Sprintf("%.2f", k.against(echo, rate)),
			fmt.Sprintf("%.1f ms", k.of(p50)/1e6), fmt.Sprintf("%.1f ms", k.of(p99)/1e6), fmt.Sprintf("%.2f", k.against(echo, p99)),
			fmt.Sprintf("%.1f", k.of(serving)), fmt.Sprintf("%.1f", k.of(func(t turn) float64 { return float64(t.broker) / 1e3 })),
			fmt.Sprintf("%.1f", k.of(func(t turn) float64 { return float64(t.client) / 1e3 })))
	}
	if err := p.Hand(); err != nil {
		b.Error(err)
	}
	b.ReportMetric(0, "ns/op") // there is no op
	b.ReportMetric(changes.of(rate), "changes/s")
	b.ReportMetric(changes.against(echo, rate), "of-Echo")
	b.ReportMetric(changes.against(echo, p99), "p99-of-Echo")
}
