package ledger

import (
	"encoding/json"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A mutant is a deliberate mistake that the tests must find.
type mutant struct {
	name   string // as docs/protocol.md has it
	law    string
	sloppy string // the simulated workers make it, or
	file   string // in this file the only occurrence of
	old    string // becomes
	new    string
	by     string // the tests that find it, instead of the simulation
	why    string // and why not the simulation
}

// mutantSeeds is how many seeds the simulation gets to find a mutant.
const mutantSeeds = 20_000

// TestMutations makes each mistake of the table and wants it found: most by the
// simulation. What it finds is a measure of the tests, not of the protocol.
//
//	LEDGER_MUTANTS=all|some  go test ./internal/ledger -run TestMutations -v
//
// Under -short and the race detector only some are made, other ones whenever
// the protocol changes.
func TestMutations(t *testing.T) {
	ms := mutants
	if some(t) {
		ms = chosen(t, 4)
	}
	for _, m := range ms {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			bin, args := m.build(t)
			out, err := m.run(t, bin, args)
			if err == nil {
				t.Fatalf("nobody noticed: %s", m.name)
			}
			if !strings.Contains(out, "--- FAIL") {
				t.Fatalf("it does not run: %v\n%s", err, out)
			}
			t.Log(verdict(out))
		})
	}
}

// TestMutantsAreMistakes keeps the table honest: each old text is there, once.
func TestMutantsAreMistakes(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range mutants {
		if seen[m.name] || m.name == "" || m.law == "" || (m.by == "") != (m.why == "") {
			t.Errorf("%q: want a name of its own, a law, and a reason when the simulation does not find it", m.name)
		}
		seen[m.name] = true
		if (m.file == "") == (m.sloppy == "") {
			t.Errorf("%q: want a file or a sloppy worker", m.name)
		}
		if m.file == "" {
			continue
		}
		if n := strings.Count(source(t, m.file), m.old); n != 1 || m.old == m.new {
			t.Errorf("%q: its old text is in %s %d times, want once:\n%s", m.name, m.file, n, m.old)
		}
	}
}

// some reports whether only a few mutants are to be made.
func some(t *testing.T) bool {
	switch v := os.Getenv("LEDGER_MUTANTS"); v {
	case "all":
		return false
	case "some":
		return true
	case "":
		return testing.Short() || raced()
	default:
		t.Fatalf("LEDGER_MUTANTS=%s: want all or some", v)
		return false
	}
}

// chosen is n mutants that follow from the protocol's source.
func chosen(t *testing.T, n int) (ms []mutant) {
	sum := crc32.NewIEEE()
	for _, f := range []string{"device.go", "answer.go", "set.go", "blame.go", "see.go", "close.go", "held.go", "stored.go", "table.go", "../broker/bucket.go", "../broker/swap.go"} {
		_, _ = sum.Write([]byte(source(t, f)))
	}
	first := int(sum.Sum32() % uint32(len(mutants)))
	for i := range n {
		ms = append(ms, mutants[(first+i*len(mutants)/n)%len(mutants)])
	}
	return ms
}

// build compiles the tests with the mistake in them.
func (m mutant) build(t *testing.T) (bin string, args []string) {
	t.Helper()
	pattern := "^TestSimulation$"
	if m.by != "" {
		pattern = "^(" + m.by + ")$"
	}
	args = []string{"-test.run", pattern, "-test.failfast", "-test.timeout", "5m"}
	if m.sloppy != "" {
		bin, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		return bin, append(args, "-sloppy", m.sloppy)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	patched := filepath.Join(tmp, filepath.Base(m.file))
	write(t, patched, []byte(strings.Replace(source(t, m.file), m.old, m.new, 1)))
	overlay := map[string]string{filepath.Join(dir, m.file): patched}
	for _, f := range m.needless(t, dir) {
		overlay[f] = "" // not compiled
	}
	b, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(tmp, "overlay.json"), b)
	bin = filepath.Join(tmp, "mutant.test")
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", filepath.Join(tmp, "overlay.json"), "-o", bin, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compiling: %v\n%s", err, out)
	}
	return bin, args
}

// needless lists the test files that the mutant's binary can do without. Those
// with a broker in them take long to link.
func (m mutant) needless(t *testing.T, dir string) (files []string) {
	tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tests {
		name := filepath.Base(f)
		if !strings.HasPrefix(name, "sim") && !strings.HasPrefix(name, "laws_") && (name != "store_test.go" || !strings.HasPrefix(m.file, "../broker/")) {
			files = append(files, f)
		}
	}
	return files
}

func (m mutant) run(t *testing.T, bin string, args []string) (string, error) {
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Env = append(os.Environ(), "LEDGER_SEEDS="+strconv.Itoa(mutantSeeds), "LEDGER_SEED=", "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var where = regexp.MustCompile(`(?m)^ +(\w+_test\.go:\d+: .*)$`)

// verdict is the first thing that a test said.
func verdict(out string) string {
	if found := where.FindStringSubmatch(out); found != nil {
		return found[1]
	}
	return out
}

func source(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
