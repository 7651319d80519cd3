package worker

import (
	"cmp"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/figures"
)

// Where the time goes: of a run's worker and broker, what an event costs in each
// part. It is read from their CPU profiles, which RUN_PROFILES=<directory> keeps.
//
//	make bench BENCH=Rates

// A layer is a part that a process's CPU time is split by, and what the names of
// its functions contain.
type layer struct {
	name  string
	words []string
}

// Layers, of which a sample is the innermost's that one of its functions is in. A
// profile spells the dot in a package's name %2e.
var (
	workerLayers = []layer{
		collector,
		{"log", []string{"log/slog."}},
		{"metrics", []string{"prometheus/client_golang"}},
		{"Graph's client: HTTP, JSON, texts", []string{"net/http.", "crypto/tls.", "internal/graph."}},
		{"broker's client", []string{"nats-io/nats%2ego", "internal/broker.", "internal/stream."}},
		{"ledger's documents, read and written", []string{"ledger.(*pen)", "ledger.storedDevice", "ledger.Device.stored", "ledger.Device.encode", "ledger.decode", "ledger.(*reader)"}},
		{"rest of the ledger", []string{"internal/ledger."}},
		{"events and receipts", []string{"internal/events."}},
		{"quota", []string{"internal/quota."}},
		{"worker", []string{"internal/worker."}},
	}
	brokerLayers = []layer{
		collector,
		{"store", []string{"server.(*fileStore)", "server.(*msgBlock)", "server.(*consumerFileStore)", "server/stree."}},
		{"consumers and acknowledgements", []string{"server.(*consumer)", "server.(*stream).ackMsg"}},
		{"API: reads, information", []string{"server.(*Server).js", "server.(*Server).processJSAPI"}},
		{"rest of the streams", []string{"server.(*stream)"}},
		{"connections and subjects", []string{"server.(*client)", "server.(*Server)", "server.(*Sublist)"}},
	}
	collector = layer{"garbage collector", []string{"runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcAssistAlloc"}}
)

const otherLayer = "scheduler and system" // nothing of ours is on the stack

// parts says what share of a CPU profile each layer has.
func parts(t testing.TB, profile string, layers []layer) map[string]float64 {
	t.Helper()
	out, err := exec.Command("go", "tool", "pprof", "-traces", "-unit=us", profile).Output()
	if err != nil {
		t.Fatalf("reading the profile: %v", err)
	}
	shares, all := map[string]float64{}, 0.0
	for block := range strings.SplitSeq(string(out), "-----------+-------------------------------------------------------\n") {
		took := sampled(block)
		shares[layerOf(block, layers)] += took.Seconds()
		all += took.Seconds()
	}
	for name := range shares {
		shares[name] /= all
	}
	return shares
}

// sampled is the time of a stack: in its first line but for labels.
func sampled(stack string) time.Duration {
	for line := range strings.Lines(stack) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasSuffix(fields[0], ":") {
			continue
		}
		d, _ := time.ParseDuration(fields[0]) // the head has none
		return d
	}
	return 0
}

func layerOf(stack string, layers []layer) string {
	for function := range strings.Lines(stack) {
		for _, l := range layers {
			if slices.ContainsFunc(l.words, func(w string) bool { return strings.Contains(function, w) }) {
				return l.name
			}
		}
	}
	return otherLayer
}

// A breakdown is a table: what an event costs of a process's CPU time in each
// stage and part.
type breakdown struct {
	who    string
	stages []string
	each   map[string]map[string]float64 // µs, by stage and part
}

// add takes the shares of what an event of a stage costs, µs.
func (b *breakdown) add(stage string, cost float64, shares map[string]float64) {
	if b.each == nil {
		b.each = map[string]map[string]float64{}
	}
	b.stages, b.each[stage] = append(b.stages, stage), map[string]float64{}
	for part, share := range shares {
		b.each[stage][part] = share * cost
	}
}

// table has the dearest part of the last stage first, and leaves out what is less
// than a microsecond everywhere.
func (b *breakdown) table(p *figures.Part) {
	if len(b.stages) == 0 {
		return
	}
	parts := map[string]bool{}
	for _, costs := range b.each {
		for part, cost := range costs {
			parts[part] = parts[part] || cost >= 1
		}
	}
	last := b.each[b.stages[len(b.stages)-1]]
	columns := []string{b.who + ", µs an event"}
	for _, stage := range b.stages {
		columns = append(columns, stage+":")
	}
	t := p.Table(columns...)
	for _, part := range slices.SortedFunc(maps.Keys(parts), func(p, q string) int { return cmp.Compare(last[q], last[p]) }) {
		if !parts[part] {
			continue
		}
		row := []string{part}
		for _, stage := range b.stages {
			row = append(row, fmt.Sprintf("%.0f (%.0f %%)", b.each[stage][part], 100*b.each[stage][part]/b.sum(stage)))
		}
		t.Row(row...)
	}
}

func (b *breakdown) sum(stage string) (all float64) {
	for _, cost := range b.each[stage] {
		all += cost
	}
	return all
}
