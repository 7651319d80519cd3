// Command bench measures every figure of docs/performance.md, one run after the
// other, prints how far the aims are met, and writes the measured parts of the
// document.
//
//	go run ./cmd/internal/bench [-match Burst]
//
// The benchmarks are compiled first, so that no compiler is beside a run. Each run
// is a process with an end of its own: one that fails, or hangs, costs its own
// figures and no others', which stay as they were. Their output is in the folder
// of -out. It exits with 1 when a run failed; an aim that is not met is a result.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"changerelay/internal/figures"
)

// Files of the document, below the module's root.
const (
	document = "docs/performance.md"
	book     = "docs/performance.json"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s session
	match := flag.String("match", "", "only the runs whose name has this, a regular expression")
	flag.StringVar(&s.benchtime, "benchtime", "1s", "how long each benchmark of a hot function runs")
	flag.StringVar(&s.out, "out", ".cache/bench", "folder of the runs' output and figures; it is emptied")
	flag.BoolVar(&s.short, "short", false, "a tenth of the work, to try the runs; the document stays as it is")
	flag.Parse()
	if err := s.run(ctx, *match); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A session is one call of the program.
type session struct {
	out, benchtime string
	short          bool
	commit         string
	versions       []string // of what a figure depends on
	failed         []string
}

func (s *session) run(ctx context.Context, match string) error {
	chosen, err := choose(match)
	if err != nil {
		return err
	}
	if s.out, err = filepath.Abs(s.out); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(s.out), os.MkdirAll(s.parts(), 0o750)); err != nil {
		return err
	}
	s.commit, s.versions = commit(ctx), versions(ctx)
	fmt.Printf("%s, load average %s\n%d runs, about %v when quiet\n\n", figures.ThisMachine(), figures.ThisMachine().Load, len(chosen), total(chosen).Round(time.Minute))
	s.compile(ctx, chosen)
	for i, r := range chosen {
		if ctx.Err() != nil {
			break
		}
		s.one(ctx, r, fmt.Sprintf("%2d/%d", i+1, len(chosen)))
	}
	if err := s.tell(); err != nil {
		return err
	}
	if len(s.failed) > 0 {
		return fmt.Errorf("these runs failed, see %s: %v", s.out, s.failed)
	}
	return ctx.Err()
}

// parts is where all figures of the session are.
func (s *session) parts() string { return filepath.Join(s.out, "parts") }

// choose returns the runs that a regular expression is found in the names of.
func choose(match string) (chosen []run, err error) {
	m, err := regexp.Compile(match)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if m.MatchString(r.name) {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no run's name has %q", match)
	}
	return chosen, nil
}

func total(chosen []run) (all time.Duration) {
	for _, r := range chosen {
		all += r.takes
	}
	return all
}

// tell puts the new figures into the book and the document, and prints the table.
func (s *session) tell() error {
	b, err := figures.Open(book)
	if err != nil {
		return err
	}
	if err := b.Gather(s.parts()); err != nil {
		return err
	}
	if !s.short {
		if err := write(b); err != nil {
			return err
		}
	}
	fmt.Printf("\n%s\n%s", b.Summary(), b.Machines())
	return nil
}

func write(b figures.Book) error {
	doc, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	text, err := b.Fill(string(doc))
	if err != nil {
		return fmt.Errorf("writing %s: %w", document, err)
	}
	return errors.Join(b.Write(book), os.WriteFile(document, []byte(text), 0o644)) // #nosec G306 -- a document for everybody
}
