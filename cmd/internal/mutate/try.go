package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// An end is what became of a mutant.
type end string

const (
	killed   end = "killed"
	hung     end = "hung" // killed, too: a test that does not end is a failure
	survived end = "survived"
	unmade   end = "did not compile"
)

// A result is a mutant's end, and by which test.
type result struct {
	mutant
	end end
	by  string
}

// try runs the tests of file's package as they are, to know how long they take,
// and then on each mutant.
func try(ctx context.Context, c config, out io.Writer, file string, ms []mutant) ([]result, error) {
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, fmt.Errorf("making room for binaries: %w", err)
	}
	defer os.RemoveAll(tmp)
	b, err := newBench(ctx, file, tmp, c.skip)
	if err != nil {
		return nil, err
	}
	if err := b.measure(ctx, c.spare); err != nil {
		return nil, fmt.Errorf("running the tests: %w", err)
	}
	fmt.Fprintf(out, "%s: %d mutants; each has %v of a processor; last run: %s; left out: %s\n",
		file, len(ms), b.limit.Round(time.Second), strings.Join(b.slow, " "), strings.Join(b.needless, " "))

	rs := make([]result, len(ms))
	var mu sync.Mutex // of out
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(abreast)
	for i, m := range ms {
		g.Go(func() error {
			e, by, err := b.try(ctx, fmt.Sprint(i), m.source)
			if err != nil {
				return err
			}
			rs[i] = result{m, e, by}
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(out, "%4d %-15s %4d %v %s\n", i+1, e, m.line, m, by)
			return nil
		})
	}
	return rs, g.Wait()
}

// try builds and runs the tests with source in the file's place, slow ones last.
func (b *bench) try(ctx context.Context, name, source string) (end, string, error) {
	if err := ctx.Err(); err != nil {
		return "", "", err
	}
	bin, said, err := b.build(ctx, name, source)
	if err != nil {
		return "", "", err
	}
	if bin == "" {
		return unmade, firstError(said), nil
	}
	defer os.Remove(bin)
	v, err := b.run(ctx, bin, "-test.skip", b.but(b.slow...))
	if err == nil && v.end == survived && len(b.slow) > 0 {
		v, err = b.run(ctx, bin, "-test.run", "^("+strings.Join(b.slow, "|")+")$")
	}
	return v.end, v.by, err
}
