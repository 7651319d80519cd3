package main

import (
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// heavy is what makes a test's binary slow to link: it brings a broker.
const heavy = "/internal/natstest"

// brokers lists the test files of a directory that bring a broker, by base name.
func brokers(dir string) (files []string, err error) {
	tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, fmt.Errorf("listing tests: %w", err)
	}
	for _, test := range tests {
		f, err := parser.ParseFile(token.NewFileSet(), test, nil, parser.ImportsOnly)
		if err != nil {
			return nil, fmt.Errorf("reading tests: %w", err)
		}
		for _, i := range f.Imports {
			if strings.HasSuffix(strings.Trim(i.Path.Value, `"`), heavy) {
				files = append(files, filepath.Base(test))
			}
		}
	}
	return files, nil
}

var complaint = regexp.MustCompile(`(?m)^\./(\w+_test\.go):\d+:\d+: undefined: `)

// lighten leaves out the test files that bring a broker, and then those that
// the compiler says need what was in these.
func (b *bench) lighten(ctx context.Context) (err error) {
	if b.needless, err = brokers(filepath.Dir(b.file)); err != nil {
		return err
	}
	src, err := os.ReadFile(b.file)
	if err != nil {
		return fmt.Errorf("reading what to mutate: %w", err)
	}
	for {
		bin, said, err := b.build(ctx, "light", string(src))
		if err != nil || bin != "" {
			return err
		}
		found := complaint.FindAllStringSubmatch(said, -1)
		if found == nil {
			return fmt.Errorf("building the tests without a broker:\n%s", said)
		}
		for _, f := range found {
			if !slices.Contains(b.needless, f[1]) {
				b.needless = append(b.needless, f[1])
			}
		}
	}
}

// firstError is the first thing that the compiler said.
func firstError(said string) string {
	for line := range strings.Lines(said) {
		if _, what, ok := strings.Cut(line, ".go:"); ok {
			return strings.TrimSpace(what)
		}
	}
	return ""
}
