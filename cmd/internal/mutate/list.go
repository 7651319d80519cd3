package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A survivor is a mutant that does the same as the code, and why.
type survivor struct{ mutant, why string }

type survivors []survivor

// listOf is where the survivors of a file are listed, with those of its package.
func listOf(file string) string {
	return filepath.Join(filepath.Dir(file), "testdata", "survivors.txt")
}

// readList reads lines of a mutant, " # " and the reason. Lines that begin with
// # are for people. No file is an empty list.
func readList(file string) (l survivors, err error) {
	b, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading survivors: %w", err)
	}
	seen := map[string]bool{}
	for n, line := range strings.Split(string(b), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		m, why, _ := strings.Cut(line, " # ")
		if why = strings.TrimSpace(why); why == "" || seen[m] {
			return nil, fmt.Errorf("reading survivors: %s:%d: want a mutant once, and why it survives", file, n+1)
		}
		seen[m] = true
		l = append(l, survivor{m, why})
	}
	return l, nil
}

// of is the part of the list that is about one file.
func (l survivors) of(file string) (part survivors) {
	for _, s := range l {
		if strings.HasPrefix(s.mutant, filepath.Base(file)+" ") {
			part = append(part, s)
		}
	}
	return part
}

// problems is what the list and the results do not agree on. Unless all mutants
// were tried, a listed one may be missing.
func problems(l survivors, rs []result, all bool) (ps []string) {
	listed, made := map[string]bool{}, map[string]bool{}
	for _, s := range l {
		listed[s.mutant] = true
	}
	for _, r := range rs {
		m := r.mutant.String()
		made[m] = true
		switch {
		case r.end == survived && !listed[m]:
			ps = append(ps, "nobody notices, and it is not listed: "+m)
		case r.end != survived && listed[m]:
			ps = append(ps, fmt.Sprintf("it is listed, and %s: %s", r.end, m))
		}
	}
	for _, s := range l {
		if all && !made[s.mutant] {
			ps = append(ps, "it is listed, and not made any more: "+s.mutant)
		}
	}
	return ps
}
