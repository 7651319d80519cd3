package main

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

func TestMutants(t *testing.T) {
	cases, err := txtar.ParseFile("testdata/mutants.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for c := range slices.Chunk(cases.Files, 2) {
		t.Run(c[0].Name, func(t *testing.T) {
			ms := made(t, "package p\n\n"+string(c[0].Data))
			var got []string
			for _, m := range ms {
				_, what, _ := strings.Cut(m.String(), ": ")
				got = append(got, what)
			}
			if want := strings.Split(strings.TrimSpace(string(c[1].Data)), "\n"); !slices.Equal(got, want) {
				t.Errorf("the mutants are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// made makes the mutants of a source, each of which must be Go.
func made(t *testing.T, src string) []mutant {
	t.Helper()
	ms, err := mutants("p.go", src)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range ms {
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, m.source, 0); err != nil {
			t.Errorf("%v is no Go: %v\n%s", m, err, m.source)
		}
	}
	return ms
}

// What says the same of a function is told apart by its number, and a line more
// elsewhere changes nobody's name.
func TestNamesOutliveChanges(t *testing.T) {
	const src = "package p\n\nfunc (d *doc) f(n int) { d.n = n + 1; d.m = n + 1 }\n"
	names := func(src string) (names []string) {
		for _, m := range made(t, src) {
			names = append(names, m.String())
		}
		return names
	}
	got := names(src)
	for _, want := range []string{"p.go doc.f: n + 1 → n - 1", "p.go doc.f: n + 1 → n - 1 (2)"} {
		if !slices.Contains(got, want) {
			t.Errorf("there is no %s in %q", want, got)
		}
	}
	if moved := names(strings.Replace(src, "\n\n", "\n\nvar more = 7 // and a comment\n\n", 1)); !slices.Equal(moved, got) {
		t.Errorf("they are called %q now, and were %q", moved, got)
	}
}

// TestSurvivors holds the lists of the project against the files that they are
// about. That each survives is for make mutate to find out.
func TestSurvivors(t *testing.T) {
	lists, err := filepath.Glob("../../../internal/*/testdata/survivors.txt")
	if err != nil || len(lists) < 2 {
		t.Fatalf("the lists are %v, %v", lists, err)
	}
	for _, list := range lists {
		l, err := readList(list)
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]map[string]bool{} // of each file
		for _, s := range l {
			name, _, _ := strings.Cut(s.mutant, " ")
			if made[name] == nil {
				made[name] = map[string]bool{}
				ms, err := read(filepath.Join(filepath.Dir(list), "..", name))
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range ms {
					made[name][m.String()] = true
				}
			}
			if !made[name][s.mutant] {
				t.Errorf("%s: it is not made any more: %s", list, s.mutant)
			}
		}
	}
}
