package trial

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/proof"
)

// A mistake is one in the relay that somebody would make, and the promise that it
// breaks. Options are the trial that shows it.
type mistake struct {
	name    string
	promise proof.Promise
	file    string
	old     string
	new     string
	options Options
}

// mistakes has one for each promise. Those of the protocol alone, more than
// seventy, are in internal/ledger.
var mistakes = []mistake{
	{"202 before the broker has stored it", proof.Lost, "internal/stream/publish.go",
		"return s.putNew(ctx, msg, func() error { return s.compare(ctx, e, ref) })", "return false, s.nc.PublishMsg(msg)",
		Options{Only: "all brokers killed", Events: 3000, Faults: 12}},
	{"each call has its ticket's items alone", proof.Partial, "internal/ledger/set.go",
		"return d.changed(d.base(), d.carried())", "return d.changed(nil, d.carried())",
		Options{Only: "worker killed", Events: 100, Faults: 2}},
	{"an older word is told after a newer one", proof.Stale, "internal/ledger/set.go",
		"case !d.outranks(e, c):", "case false:",
		Options{Only: "worker killed", Events: 200, Faults: 3, Devices: 4}},
	{"an open attempt is no hindrance", proof.Overlap, "internal/ledger/device.go",
		"case d.Attempt != nil && now.Before(d.Attempt.Until):\n\t\treturn Wait\n\tcase d.Attempt != nil:\n\t\treturn Observe\n", "",
		Options{Only: "Graph is slower", Events: 200, Faults: 6, Devices: 4}},
	{"every call may go at once", proof.Quota, "internal/quota/cell.go",
		"t := d.first(now, l)", "t := now",
		Options{Only: "a configuration", Events: 500, Faults: 1, Devices: 400, Tenants: 1}},
	{"one outcome is forgotten", proof.Silent, "internal/worker/outcome.go",
		"v.c.Streams.ReportAll(ctx, receipts)", "v.c.Streams.ReportAll(ctx, receipts[:len(receipts)-1+len(receipts)%2])",
		Options{Only: "all workers killed", Events: 200, Faults: 2, Devices: 4}},
	{"no answer is taken for yes", proof.Untrue, "internal/worker/outcome.go",
		"return v.record(ctx, &end{events.InDoubt, v.c.Timing.Lag + v.c.Timing.Skew, e}, inDoubt, nil)",
		"return v.record(ctx, nil, func(d ledger.Device) (ledger.Device, error) { return d.Accepted(id, e.RequestID, now) }, nil)",
		Options{Only: "Graph says 5xx", Events: 150, Faults: 5}},
	{"no letter is written", proof.Unlettered, "internal/worker/outcome.go",
		"if !r.Outcome.Dead() {", "if v != nil {",
		Options{Only: "worker killed", Events: 300, Faults: 2}},
	{"a restore restores nothing", proof.Wrong, "internal/ledger/set.go",
		"default:\n\t\t\t\tdelete(set, c.Item.ID)", "default:",
		Options{Only: "worker killed", Events: 100, Faults: 2}},
}

// TestMistakes: a relay with a mistake in it is convicted of the promise that it
// breaks, in a trial as short as TestTrial. PROVE_BROKEN=all tries each mistake;
// otherwise only the simple relay is, which forwards each ticket's items alone.
func TestMistakes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the programs anew")
	}
	t.Parallel()
	for _, m := range mistakes {
		if os.Getenv("PROVE_BROKEN") != "all" && m.promise != proof.Partial {
			continue
		}
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			o := m.trial(t)
			h, err := Run(t.Context(), o)
			if len(h.Stored) == 0 {
				t.Fatalf("nothing was recorded: %v", err)
			}
			found := slices.SortedStableFunc(slices.Values(proof.Check(h)), func(a, b proof.Violation) int {
				return cmp.Compare(btoi(a.Promise != m.promise), btoi(b.Promise != m.promise)) // its own first
			})
			if !slices.ContainsFunc(found, func(v proof.Violation) bool { return v.Promise == m.promise }) {
				t.Errorf("not convicted of %q; %v; found %v\n%s", m.promise, err, found, Table(h, found))
			}
			t.Logf("convicted after %v, with %d violations", h.Ended.Sub(h.Began).Round(time.Second), len(found))
			dir := t.ArtifactDir() // kept with -artifacts
			if err := Leave(dir, o, h, found); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "timeline.txt"))
			if err != nil || !strings.Contains(string(text), "seed 1, device ") || strings.Count(string(text), "\n") > 200 {
				t.Errorf("the timeline is unfit: %v\n%s", err, text)
			}
			t.Logf("\n%s", text)
		})
	}
}

func (m mistake) trial(t *testing.T) Options {
	o := m.options
	o.Seed, o.Single, o.Settle, o.Dir, o.Say = 1, true, 30*time.Second, t.TempDir(), t.Output()
	o.Until, o.Still = m.promise, 8*time.Second
	if o.Tenants == 0 {
		o.Tenants = 2
	}
	if o.Devices == 0 {
		o.Devices = 8
	}
	o.Broken = []Breakage{{m.file, m.old, m.new}}
	return o
}

// TestMistakesAreThere: each can still be made, and each promise has one.
func TestMistakesAreThere(t *testing.T) {
	for _, m := range mistakes {
		text, err := os.ReadFile("../../" + m.file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.old); n != 1 {
			t.Errorf("%s: its old text is in %s %d times, want once", m.name, m.file, n)
		}
		if !slices.ContainsFunc(faults, func(f fault) bool { return strings.HasPrefix(f.name, m.options.Only) }) {
			t.Errorf("%s: there is no fault %q", m.name, m.options.Only)
		}
	}
	for _, p := range proof.Promises {
		if !slices.ContainsFunc(mistakes, func(m mistake) bool { return m.promise == p }) {
			t.Errorf("no build breaks %q", p)
		}
	}
}
