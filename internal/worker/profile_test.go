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

type layer struct {
	name  string
	words [][]string
}

// layers are the parts that a worker's CPU time is split by. A sample is of the
// first whose words all stand in its stack; each word is one of several.
var layers = []layer{
	{"garbage collector", [][]string{{"runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcAssistAlloc"}}},
	{"log", [][]string{{"log/slog."}}},
	{"metrics", [][]string{{"prometheus/client_golang"}}},
	{"ledger's JSON", [][]string{{"internal/ledger."}, {"encoding/json.", "ledger.Device.encode", "ledger.decode", "ledger.(*table)"}}},
	{"HTTP, TLS", [][]string{{"net/http.", "crypto/tls.", "internal/graph.", "net/http/internal"}}},
	{"broker's client", [][]string{{"nats-io/nats.go", "internal/stream."}}},
	{"protocol", [][]string{{"internal/ledger."}}},
	{"events", [][]string{{"internal/events."}}},
	{"quota", [][]string{{"internal/quota."}}},
	{"worker", [][]string{{"internal/worker."}}},
	{"scheduler", [][]string{{"runtime."}}},
}

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
	shares := slices.Clone(layers)
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
	for _, l := range layers {
		if !slices.ContainsFunc(l.words, func(either []string) bool {
			return !slices.ContainsFunc(either, func(w string) bool { return strings.Contains(stack, w) })
		}) {
			return l.name
		}
	}
	return ""
}
