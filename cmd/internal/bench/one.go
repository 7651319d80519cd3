package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"changerelay/internal/figures"
)

// compile builds the benchmarks of the packages. One that does not compile fails
// its runs, no others.
func (s *session) compile(ctx context.Context, chosen []run) {
	built := map[string]bool{"": true}
	build := func(pkg string) {
		if built[pkg] {
			return
		}
		built[pkg] = true
		fmt.Println("compiling", pkg)
		if out, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", s.binary(pkg), "./"+pkg).CombinedOutput(); err != nil {
			fmt.Printf("compiling %s: %v\n%s", pkg, err, out)
		}
	}
	for _, r := range chosen {
		build(r.pkg)
		if r.name == functions {
			for _, h := range hots {
				build(h.pkg)
			}
		}
	}
}

func (s *session) binary(pkg string) string {
	return filepath.Join(s.out, strings.ReplaceAll(pkg, "/", "-")+".test")
}

// one makes a run and says how it went. What a run has handed over is kept even
// if it failed afterwards.
func (s *session) one(ctx context.Context, r run, which string) {
	fmt.Printf("%s  %s, about %v ... ", which, r.name, r.takes)
	began := time.Now()
	var out []byte
	var err error
	if r.name == functions {
		out, err = s.functions(ctx, r)
	} else {
		out, err = s.benchmark(ctx, r)
	}
	took := time.Since(began).Round(time.Second)
	if werr := os.WriteFile(filepath.Join(s.out, r.name+".log"), out, 0o600); err == nil {
		err = werr
	}
	if err == nil {
		fmt.Println(took)
		return
	}
	s.failed = append(s.failed, r.name)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fmt.Printf("FAILED after %v: %v\n%s\n", took, err, strings.Join(lines[max(0, len(lines)-20):], "\n"))
}

// benchmark makes one that hands its figures over.
func (s *session) benchmark(ctx context.Context, r run) ([]byte, error) {
	fresh := filepath.Join(s.out, "fresh-"+r.name)
	if err := os.Mkdir(fresh, 0o750); err != nil {
		return nil, err
	}
	out, others, err := s.exec(ctx, r.fail(), r.pkg, "^"+r.name+"$", "1x", figures.DirEnv+"="+fresh)
	parts, readErr := figures.Read(fresh)
	for _, p := range parts {
		p.Others, p.Commit, p.On.Versions = others, s.commit, s.versions
		if werr := p.Write(s.parts()); err == nil {
			err = werr
		}
	}
	switch {
	case err != nil:
		return out, err
	case readErr != nil:
		return out, readErr
	case len(parts) == 0:
		return out, fmt.Errorf("no figures were handed over")
	}
	return out, nil
}

// exec runs a package's binary in its folder, as go test does. others is what
// share of the processors everybody else used meanwhile.
func (s *session) exec(ctx context.Context, most time.Duration, pkg, pattern, benchtime string, env ...string) (out []byte, others string, err error) {
	ctx, over := context.WithTimeout(ctx, most)
	defer over()
	c := exec.CommandContext(ctx, s.binary(pkg), "-test.run=^$", "-test.bench="+pattern, "-test.benchtime="+benchtime, "-test.benchmem",
		"-test.timeout="+most.String(), fmt.Sprint("-test.short=", s.short))
	c.Dir, c.Env = pkg, append(os.Environ(), env...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second // then it is killed
	var text bytes.Buffer
	c.Stdout, c.Stderr = &text, &text
	busy, began := busyTime(), time.Now()
	err = c.Run()
	if c.ProcessState != nil {
		ours := c.ProcessState.UserTime() + c.ProcessState.SystemTime() // and of all that it has waited for
		others = share(busyTime()-busy-ours, time.Since(began))
	}
	return text.Bytes(), others, err
}
