package worker

import (
	"cmp"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// A layer is a part that a worker's CPU time is split by, and what the names of its
// functions contain.
type layer struct {
	name  string
	words []string
}

// layers, of which a sample is the innermost's that one of its functions is in. A
// profile spells the dot in a package's name %2e.
var layers = []layer{
	{"garbage collector", []string{"runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcAssistAlloc"}},
	{"log", []string{"log/slog."}},
	{"metrics", []string{"prometheus/client_golang"}},
	{"HTTP, TLS", []string{"net/http.", "crypto/tls.", "internal/graph."}},
	{"broker's client", []string{"nats-io/nats%2ego", "internal/stream."}},
	{ledgerLayer, []string{"internal/ledger."}},
	{"events", []string{"internal/events."}},
	{"quota", []string{"internal/quota."}},
	{"worker", []string{"internal/worker."}},
}

const (
	ledgerLayer = "rest of the ledger"
	jsonLayer   = "ledger's JSON"        // the ledger's, within encoding/json
	otherLayer  = "scheduler and system" // nothing of ours is on the stack
)

// parts says what share of a CPU profile each layer has, largest first.
func parts(t testing.TB, profile string) string {
	t.Helper()
	out, err := exec.Command("go", "tool", "pprof", "-traces", "-unit=us", profile).Output()
	if err != nil {
		t.Fatalf("reading the profile: %v", err)
	}
	took, all := map[string]time.Duration{}, time.Duration(0)
	for block := range strings.SplitSeq(string(out), "-----------+-------------------------------------------------------\n") {
		fields := strings.Fields(block)
		if len(fields) == 0 {
			continue
		}
		d, err := time.ParseDuration(fields[0])
		if err != nil {
			continue // the head
		}
		took[layerOf(block)] += d
		all += d
	}
	if all == 0 {
		return "too short to say"
	}
	shares := append(slices.Clone(layers), layer{name: jsonLayer}, layer{name: otherLayer})
	slices.SortStableFunc(shares, func(a, b layer) int { return cmp.Compare(took[b.name], took[a.name]) })
	var words []string
	for _, l := range shares {
		if took[l.name]*100 >= all {
			words = append(words, fmt.Sprintf("%d %% %s", took[l.name]*100/all, l.name))
		}
	}
	return strings.Join(words, ", ")
}

func layerOf(stack string) string {
	inJSON := false
	for function := range strings.Lines(stack) {
		inJSON = inJSON || strings.Contains(function, "encoding/json.")
		for _, l := range layers {
			switch is := slices.ContainsFunc(l.words, func(w string) bool { return strings.Contains(function, w) }); {
			case is && l.name == ledgerLayer && inJSON:
				return jsonLayer
			case is:
				return l.name
			}
		}
	}
	return otherLayer
}
