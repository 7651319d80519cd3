// Command mutate asks of a file of Go: would the tests notice, if it were wrong?
// It makes every small mistake that a table of rules can make of the file, one at
// a time, and runs the package's tests on each:
//
//	file.go ──► mutants ──► go test -c -overlay ──► the tests, until one fails
//	                              │                        │
//	                        did not compile       killed, hung, or survived
//
// Mutants are made of the text, by places that the syntax tree names (mutants of
// expressions in expr.go, of statements in stmt.go); nothing is written into the
// module. What is said to people is left alone: comments, and texts with a space.
//
// Tests that start a broker are left out, since each mutant's binary is linked
// anew; so the file should be one whose promises hold without (the pure parts).
//
// A survivor is a hole in the tests, or code that does the same. The latter are
// listed in the package's testdata/survivors.txt, each with its reason. The run
// fails for a survivor that is not listed, and for a listed one that is killed or
// not made any more.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	c := config{spare: spare}
	flag.StringVar(&c.skip, "skip", "", "leave out the tests that match")
	flag.BoolVar(&c.list, "list", false, "print the mutants, and run nothing")
	flag.Func("only", "make only the mutants whose line in the list would match", func(s string) (err error) {
		c.only, err = regexp.Compile(s)
		return err
	})
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, c, os.Stdout, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

type config struct {
	skip  string
	list  bool
	only  *regexp.Regexp
	spare time.Duration // see limits.go
}

// run tries the mutants of all files, and then says what is wrong with any.
func run(ctx context.Context, c config, out io.Writer, files []string) error {
	if len(files) == 0 {
		return fmt.Errorf("no file is named; want mutate internal/quota/cell.go and so on")
	}
	var sums []sum
	wrong := 0
	for _, file := range files {
		ms, err := read(file)
		if err != nil {
			return err
		}
		if c.list {
			for _, m := range ms {
				fmt.Fprintln(out, m)
			}
			continue
		}
		rs, err := try(ctx, c, out, file, c.chosen(ms))
		if err != nil {
			return fmt.Errorf("trying %s: %w", file, err)
		}
		l, err := readList(listOf(file))
		if err != nil {
			return err
		}
		for _, p := range problems(l.of(file), rs, c.only == nil) {
			fmt.Fprintln(out, p)
			wrong++
		}
		sums = append(sums, sumOf(file, rs))
	}
	if len(sums) > 0 {
		table(out, sums)
	}
	if wrong > 0 {
		return fmt.Errorf("%d survivors are not as their list has them", wrong)
	}
	return nil
}

func (c config) chosen(ms []mutant) (some []mutant) {
	for _, m := range ms {
		if c.only == nil || c.only.MatchString(m.String()) {
			some = append(some, m)
		}
	}
	return some
}
