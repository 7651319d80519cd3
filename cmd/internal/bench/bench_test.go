package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"changerelay/internal/figures"
)

const root = "../../.."

// The document says what the figures' file says: nobody has changed one alone.
func TestTheDocumentHasTheFigures(t *testing.T) {
	b, err := figures.Open(filepath.Join(root, book))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.Fill(string(doc))
	if err != nil {
		t.Fatal(err)
	}
	if text != string(doc) {
		t.Errorf("%s is not what %s makes of it", document, book)
	}
}

// Each benchmark that hands figures over is a run, and each hot function exists.
func TestRunsAreThere(t *testing.T) {
	known := map[string]bool{}
	for _, r := range runs {
		known[r.pkg+" "+r.name] = true
	}
	measures := regexp.MustCompile(`(?m)^func (Benchmark(?:Load|Run)\w*)\(`)
	found := 0
	for _, pkg := range []string{"internal/ingest", "internal/worker", "internal/standalone"} {
		for _, m := range measures.FindAllStringSubmatch(source(t, pkg), -1) {
			if found++; !known[pkg+" "+m[1]] {
				t.Errorf("%s of %s is no run", m[1], pkg)
			}
		}
	}
	if found != len(runs)-1 {
		t.Errorf("%d benchmarks for %d runs", found, len(runs)-1)
	}
	for _, h := range hots {
		name, _, _ := strings.Cut(h.bench, "/")
		if !strings.Contains(source(t, h.pkg), "\nfunc "+name+"(") {
			t.Errorf("%s has no %s", h.pkg, name)
		}
	}
}

// source is all of a package's tests.
func source(t *testing.T, pkg string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

func TestParse(t *testing.T) {
	got := parse("goos: linux\nBenchmarkParse/changes=1-2         \t  100\t     6132 ns/op\t  72.90 MB/s\t    1656 B/op\t      29 allocs/op\nBenchmarkNext \t 10\t 3 ns/op\nPASS\n")
	if p := got["BenchmarkParse/changes=1"]; p["ns/op"] != 6132 || p["B/op"] != 1656 || p["allocs/op"] != 29 {
		t.Errorf("got %v", got)
	}
	if got["BenchmarkNext"]["ns/op"] != 3 || len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestChoose(t *testing.T) {
	if got, err := choose("Burst"); err != nil || len(got) != 1 || got[0].name != "BenchmarkRunBurst" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := choose(""); err != nil || len(got) != len(runs) || total(got) > 20*time.Minute {
		t.Errorf("got %d runs of %v, %v", len(got), total(got), err)
	}
	if got, err := choose("Nothing"); err == nil {
		t.Errorf("got %v", got)
	}
}

// A run that fails keeps what it has handed over, and those after it are made.
func TestARunThatFails(t *testing.T) {
	s := session{out: t.TempDir()}
	if err := os.Mkdir(s.parts(), 0o750); err != nil {
		t.Fatal(err)
	}
	for pkg, script := range map[string]string{
		"bad":  `echo '{"part":"idle"}' > "$` + figures.DirEnv + `/idle.json"; echo a word; exit 1`,
		"good": `echo '{"part":"hot"}' > "$` + figures.DirEnv + `/hot.json"`,
		"mute": `true`,
	} {
		if err := os.WriteFile(s.binary(pkg), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(s.out)
	for _, pkg := range []string{"bad", "mute", "good", "gone"} {
		if err := os.Mkdir(pkg, 0o750); err != nil {
			t.Fatal(err)
		}
		s.one(context.Background(), run{name: pkg, pkg: pkg, takes: time.Second}, "1/4")
	}
	parts, err := figures.Read(s.parts())
	if err != nil || len(parts) != 2 || parts[0].Name != "hot" || parts[1].Name != "idle" {
		t.Errorf("kept %+v, %v", parts, err)
	}
	if got := strings.Join(s.failed, " "); got != "bad mute gone" {
		t.Errorf("failed: %s", got)
	}
}
