package trial

import (
	"os"
	"strconv"
	"testing"
	"time"

	"changerelay/internal/proof"
)

// TestTrial is a trial in small. PROVE_DURATION makes it as long as one wants (make
// prove), PROVE_SEED another; PROVE_ONLY has only faults whose name begins so.
func TestTrial(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	t.Parallel()
	o := Options{
		Seed: int64(number(t, "PROVE_SEED", 6)), Events: 300, Faults: 8, Tenants: 3, Devices: 12,
		Settle: 5 * time.Minute, Dir: t.TempDir(), Say: t.Output(), Only: os.Getenv("PROVE_ONLY"),
	}
	if text := os.Getenv("PROVE_DURATION"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Minute {
			t.Fatalf("PROVE_DURATION=%s: want a minute or more, as 30m", text)
		}
		o.Faults, o.Events = int(d/takes), int(d/perEvent)
		o.Tenants, o.Devices, o.Settle = 10, 40, 12*time.Minute // longer than the relay believes a Retry-After
	}
	if dir := os.Getenv("PROVE_DIR"); dir != "" {
		o.Dir = dir
	}
	h, err := Run(t.Context(), o)
	if err != nil {
		t.Error(err)
	}
	found := proof.Check(h)
	t.Log("\n" + Table(h, found))
	for _, v := range found[:min(len(found), 20)] {
		t.Error(v)
	}
	if t.Failed() {
		keep(t, o, h, found)
	}
}

// keep leaves everything where the test's own files would be removed.
func keep(t *testing.T, o Options, h proof.History, found []proof.Violation) {
	t.Helper()
	dir, err := os.MkdirTemp("", "trial-")
	if err != nil {
		t.Fatal(err)
	}
	if err := Leave(dir, o, h, found); err != nil {
		t.Error(err)
	}
	if len(found) > 0 {
		t.Log("\n" + h.Timeline(found[0]))
	}
	t.Logf("the history, the timeline and the programs' logs are in %s; PROVE_SEED=%d is the same trial", dir, o.Seed)
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s: want a whole number", name, text)
	}
	return n
}
