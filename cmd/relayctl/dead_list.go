package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/stream"
)

// output is how a command prints.
type output struct {
	Output string `short:"o" default:"text" enum:"text,json" placeholder:"FORM" help:"text, or json: one object a line; default ${default}."`
}

func (o output) json() bool { return o.Output == "json" }

// deadList lists letters.
type deadList struct {
	boot.Flags
	pick
	output
	After uint64 `placeholder:"NUMBER" help:"Only those with a higher number."`
	Limit int    `default:"50" placeholder:"N" help:"At most so many; default ${default}."`
}

func (deadList) Help() string {
	return `With --output json each letter is an object on a line of its own, without the
bytes; dead show has those.

Examples:

    relayctl dead list
    relayctl dead list --tenant acme --reason approval_required --newer 24h
    relayctl dead list --ticket CHG0031337
    relayctl dead list --after 50 --limit 100
    relayctl dead list --limit 100000 --output json | jq -r .reason | sort | uniq -c
`
}

// Validate is called by the command line's parser.
func (l *deadList) Validate() error {
	if l.Limit < 1 {
		return errors.New("--limit: want at least 1")
	}
	return l.check()
}

// Run is called by the command line's parser.
func (l *deadList) Run(ctx context.Context, k *kong.Context, out io.Writer) error {
	var last uint64
	n, rows := 0, &letters{out: out, now: time.Now(), json: l.json()}
	err := use(ctx, l.Flags, func(_ *broker, s *stream.Streams) error {
		return l.walk(ctx, s, l.After, k.Stderr, func(d stream.DeadLetter) (bool, error) {
			last = d.Number
			n++
			return n >= l.Limit, rows.add(d, "")
		})
	})
	if flushed := rows.flush(); err == nil {
		err = flushed
	}
	switch {
	case err != nil:
		return fmt.Errorf("listing dead letters: %w", err)
	case l.json():
	case n == 0:
		_, err = fmt.Fprintln(out, l.none())
	case n == l.Limit:
		_, err = fmt.Fprintf(out, "\nnext: relayctl dead list --after %d%s --limit %d\n", last, l.flags(), l.Limit)
	}
	return err
}

// letters prints a line for each letter.
type letters struct {
	out  io.Writer
	now  time.Time
	json bool
	plan bool // the last column is what will be done
	n    int
	t    *table
}

func (l *letters) add(d stream.DeadLetter, will string) error {
	if l.json {
		return printJSON(l.out, letterOf(d))
	}
	if l.n%deadPage == 0 {
		if err := l.flush(); err != nil {
			return err
		}
		l.t = newTable(l.out)
		l.t.row("NUMBER", "AGE", "OUTCOME", "SOURCE", "TENANT", "TICKET", "DEVICE", map[bool]string{false: "REASON", true: "PLAN"}[l.plan])
	}
	l.n++
	what := clip(d.Reason)
	if l.plan {
		what = will
	}
	l.t.row(fmt.Sprint(d.Number), span(l.now.Sub(d.At)), string(d.Outcome), dash(d.Source), dash(d.Ref.Tenant), dash(ticket(d)), dash(deviceOf(d.Ref)), what)
	return nil
}

func (l *letters) flush() error {
	if l.t == nil {
		return nil
	}
	return l.t.flush()
}

// clip shortens a reason for a list; show has all of it.
func clip(s string) string {
	if r := []rune(s); len(r) > maxReason {
		return string(r[:maxReason]) + "…"
	}
	return s
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
