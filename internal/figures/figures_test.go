package figures

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is a book of two parts, one aim of which is not met.
func sample() (b Book) {
	on := Machine{CPU: "Some CPU", Processors: 2, System: "linux 6", Go: "go1", Versions: []string{"Echo 4"}}
	ingest := Part{Name: "ingest", On: on, Commit: "abc", Others: "3 %"}
	ingest.Meet("ingest-rate", 0.32, "%d of %d", 32, 100)
	ingest.Meet("ingest-p99", 1.8, "")
	ingest.Table("kind", "requests/s:").Row("changes", "10 856")
	ingest.Note("a note")
	idle := Part{Name: "idle", On: on, Commit: "abc"}
	idle.Meet("idle-p50", 2.5, "")
	b.Put(ingest)
	b.Put(idle)
	return b
}

func TestSummaryTellsEachAim(t *testing.T) {
	got := sample().Summary()
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if len(lines) != len(Aims)+2 {
		t.Fatalf("%d lines for %d aims:\n%s", len(lines), len(Aims), got)
	}
	for i, want := range map[int][]string{2: {"0.32", "≥ 0.55", "0.58", "**no**", "32 of 100"}, 3: {"1.8 ", "≤ 2", "0.90", "yes"}, 4: {"not measured", "≤ 32 MiB"}} {
		for _, w := range want {
			if !strings.Contains(lines[i], w) {
				t.Errorf("line %d has no %q: %s", i, w, lines[i])
			}
		}
	}
}

func TestFillWritesBetweenMarkers(t *testing.T) {
	doc := "before\n<!-- measured: ingest -->\nold\n<!-- end -->\nbetween\n<!-- measured: idle --><!-- end -->\n<!-- measured: never -->\nold\n<!-- end -->\n" +
		"<!-- measured: aims --><!-- end --><!-- measured: machine --><!-- end -->after\n"
	got, err := sample().Fill(doc)
	if err != nil {
		t.Fatal(err)
	}
	again, err := sample().Fill(got)
	if err != nil || again != got {
		t.Errorf("filling it again: %v\n%s", err, again)
	}
	for _, want := range []string{"before\n<!-- measured: ingest -->\n| kind ", "a note\n", "*others used 3 % of the processors meanwhile.*\n<!-- end -->\nbetween\n",
		"<!-- measured: never -->\nNot measured.\n<!-- end -->\n", "2 × Some CPU, linux 6, go1, Echo 4, commit abc.\n<!-- end -->after\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the document has no %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "\nold\n") {
		t.Errorf("what was there before stays:\n%s", got)
	}
}

func TestFillRefuses(t *testing.T) {
	all := "<!-- measured: aims --><!-- end --><!-- measured: machine --><!-- end --><!-- measured: ingest --><!-- end -->"
	for name, doc := range map[string]string{
		"no place for idle": all,
		"no end":            all + "<!-- measured: idle -->",
		"the next's end":    "<!-- measured: idle -->" + all,
	} {
		if got, err := sample().Fill(doc); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestPartsOnTheirWay(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(DirEnv, dir)
	p := New("idle")
	p.Meet("idle-p99", 21, "")
	p.Table("a", "b:").Row("x", "1")
	if err := p.Hand(); err != nil {
		t.Fatal(err)
	}
	b := sample()
	if err := b.Gather(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "book.json")
	if err := b.Write(file); err != nil {
		t.Fatal(err)
	}
	back, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if back.Summary() != b.Summary() || len(back.Parts) != 2 || back.Parts[0].Name != "idle" || back.Parts[1].Name != "ingest" {
		t.Errorf("came back as %+v", back)
	}
	if f := back.Parts[0].Figures; len(f) != 1 || f[0].Name != "idle-p99" || f[0].Holds {
		t.Errorf("the new part is %+v", f)
	}
	if back.Parts[1].Commit != "abc" {
		t.Error("a part that was not run does not stay as it was")
	}
	if err := os.WriteFile(filepath.Join(dir, "bad.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Gather(dir); err == nil {
		t.Error("a broken part is not an error")
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 32: "32", 0.55: "0.55", 1.0496: "1.05", 0.984: "0.984", 7.7482: "7.75", 1.2: "1.2", 30.62: "30.6", 123.4: "123", 999: "999", 9999.6: "10 000", 1234567: "1 234 567"} {
		if got := Number(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

func TestAimsAreOfOneName(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range Aims {
		if seen[a.Name] || a.What == "" {
			t.Errorf("%+v", a)
		}
		seen[a.Name] = true
	}
}

func TestMemoryOfThisProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("there is no /proc")
	}
	end := WatchMemory(os.Getpid())
	m := end()
	if m.Peak < m.Anonymous || m.Anonymous < 1<<20 || m.File == 0 {
		t.Errorf("%+v", m)
	}
}
