package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"changerelay/internal/figures"
)

// functions makes the benchmarks of all hot functions, a package at a time, and
// one table of them. What did not run is "not measured" there.
func (s *session) functions(ctx context.Context, r run) (out []byte, err error) {
	lines := map[string]map[string]map[string]float64{}
	p := figures.New(strings.ToLower(functions))
	for _, h := range hots {
		if lines[h.pkg] != nil {
			continue
		}
		text, _, failed := s.exec(ctx, r.fail(), h.pkg, pattern(h.pkg), s.benchtime)
		out = append(out, text...)
		lines[h.pkg] = parse(string(text))
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", h.pkg, failed))
		}
	}
	t := p.Table("function", "ns:", "B:", "allocations:")
	for _, h := range hots {
		l, ok := lines[h.pkg][h.bench]
		if !ok {
			err = errors.Join(err, fmt.Errorf("%s: %s did not run", h.pkg, h.bench))
			t.Row(h.does, "not measured")
			continue
		}
		t.Row(h.does, figures.Number(l["ns/op"]), figures.Number(l["B/op"]), figures.Number(l["allocs/op"]))
	}
	p.Commit, p.On.Versions = s.commit, s.versions
	return out, errors.Join(err, p.Write(s.parts()))
}

// pattern is the regular expression of a package's hot functions.
func pattern(pkg string) string {
	var names []string
	for _, h := range hots {
		name, _, _ := strings.Cut(h.bench, "/")
		if h.pkg == pkg && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// procs is what go test adds to a benchmark's name.
var procs = regexp.MustCompile(`-\d+$`)

// parse reads go test's lines: by a benchmark's name, its values by their unit.
func parse(out string) map[string]map[string]float64 {
	lines := map[string]map[string]float64{}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		values := map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				values[fields[i+1]] = v
			}
		}
		lines[procs.ReplaceAllString(fields[0], "")] = values
	}
	return lines
}
