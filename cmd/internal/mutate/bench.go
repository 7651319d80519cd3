package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A bench is where the mutants of one file are built and run.
type bench struct {
	file     string // absolute
	tmp      string
	skip     string
	needless []string // test files that are not compiled, base names
	slow     []string // tests that are run last
	limit    time.Duration
}

func newBench(ctx context.Context, file, tmp, skip string) (*bench, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", file, err)
	}
	b := &bench{file: abs, tmp: tmp, skip: skip}
	return b, b.lighten(ctx)
}

// build compiles the package's tests with source in the file's place. Without a
// binary it returns what the compiler said.
func (b *bench) build(ctx context.Context, name, source string) (bin, said string, err error) {
	patched, overlay := filepath.Join(b.tmp, name+".go"), filepath.Join(b.tmp, name+".json")
	replace := map[string]string{b.file: patched}
	for _, f := range b.needless {
		replace[filepath.Join(filepath.Dir(b.file), f)] = "" // not there
	}
	j, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", "", fmt.Errorf("writing an overlay: %w", err)
	}
	if err := errors.Join(os.WriteFile(patched, []byte(source), 0o600), os.WriteFile(overlay, j, 0o600)); err != nil {
		return "", "", fmt.Errorf("writing an overlay: %w", err)
	}
	bin = filepath.Join(b.tmp, name+".test")
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-gcflags=-e", "-ldflags=-s -w", "-overlay", overlay, "-o", bin, ".")
	cmd.Dir = filepath.Dir(b.file)
	out, err := cmd.CombinedOutput()
	var code *exec.ExitError
	if errors.As(err, &code) && ctx.Err() == nil {
		return "", string(out), nil
	}
	if err != nil {
		return "", "", fmt.Errorf("building tests: %w", err)
	}
	return bin, "", nil
}
