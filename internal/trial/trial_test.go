package trial

import (
	"os"
	"path/filepath"
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
	o := Options{
		Seed: int64(number(t, "PROVE_SEED", 1)), Events: 300, Faults: 8, Tenants: 3, Devices: 12,
		Settle: 5 * time.Minute, Dir: t.TempDir(), Say: t.Output(), Only: os.Getenv("PROVE_ONLY"),
	}
	if text := os.Getenv("PROVE_DURATION"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Minute {
			t.Fatalf("PROVE_DURATION=%s: want a minute or more, as 30m", text)
		}
		o.Faults, o.Events = int(d/takes), int(d/perEvent)
		o.Tenants, o.Devices = 10, 40
	}
	if dir := os.Getenv("PROVE_DIR"); dir != "" {
		o.Dir = dir
	}
	h, err := Run(t.Context(), o)
	if err != nil {
		keep(t, o, h)
		t.Fatal(err)
	}
	found := proof.Check(h)
	t.Log("\n" + Table(h, found))
	for _, v := range found {
		t.Error(v)
	}
	if len(found) > 0 {
		t.Log("\n" + h.Timeline(found[0].Device))
		keep(t, o, h)
	}
}

// keep leaves the history where the test's files would be removed.
func keep(t *testing.T, o Options, h proof.History) {
	t.Helper()
	dir, err := os.MkdirTemp("", "trial-")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "history.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := h.Write(f); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(o.Dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		if err := os.Rename(l, filepath.Join(dir, filepath.Base(l))); err != nil {
			t.Error(err)
		}
	}
	t.Logf("the history and the programs' logs are in %s; PROVE_SEED=%d is the same trial", dir, o.Seed)
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
