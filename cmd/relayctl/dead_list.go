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

// deadList lists letters.
type deadList struct {
	boot.Flags
	pick
	form
	Open  bool   `help:"Only those that nobody has replayed."`
	After uint64 `placeholder:"NUMBER" help:"Only those with a higher number."`
	Limit int    `default:"50" placeholder:"N" help:"At most so many; default ${default}."`
}

func (deadList) Help() string {
	return `REPLAYED says when a letter was replayed and what came of that: its outcome, or
queued. dead show says who it was. With --output json each letter is an object on a line of its own, without the
bytes; dead show has those.

Examples:

    relayctl dead list
    relayctl dead list --tenant acme --reason approval_required --newer 24h
    relayctl dead list --ticket CHG0031337
    relayctl dead list --open --older 24h
    relayctl dead list --after 50 --limit 100
    relayctl dead list --limit 100000 --output json | jq -r .outcome | sort | uniq -c
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
	var c *boot.Config
	err := use(ctx, l.Flags, func(b *broker, s *stream.Streams) error {
		c = b.c
		return l.walk(ctx, s, l.After, k.Stderr, func(d stream.DeadLetter) (bool, error) {
			r, err := replayOf(ctx, s, d)
			if err != nil || l.Open && r != nil {
				return false, err
			}
			last = d.Number
			n++
			return n >= l.Limit, rows.add(d, r, "")
		})
	})
	if flushed := rows.flush(); err == nil {
		err = flushed
	}
	switch {
	case err != nil:
		return fmt.Errorf("listing dead letters: %w", err)
	case l.json():
	case n == 0 && l.Open:
		_, err = fmt.Fprintln(out, "no dead letter is open; relayctl dead list shows all"+strange(c, l.Config, l.Tenant))
	case n == 0:
		_, err = fmt.Fprintln(out, l.none(c, l.Config))
	case n == l.Limit:
		_, err = fmt.Fprintf(out, "\nnext: relayctl dead list --after %d%s --limit %d\n", last, l.flags()+map[bool]string{true: " --open"}[l.Open], l.Limit)
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

func (l *letters) add(d stream.DeadLetter, r *replay, will string) error {
	if l.json {
		o := letterOf(d)
		o.Replayed = r
		return printJSON(l.out, o)
	}
	if l.n%deadPage == 0 {
		if err := l.flush(); err != nil {
			return err
		}
		l.t = newTable(l.out)
		l.t.row(append([]string{"NUMBER", "AGE", "OUTCOME", "SOURCE", "TENANT", "TICKET", "DEVICE"}, l.last("PLAN", "REPLAYED", "REASON")...)...)
	}
	l.n++
	what := []string{fmt.Sprint(d.Number), span(l.now.Sub(d.At)), string(d.Outcome), dash(d.Source), dash(d.Ref.Tenant), dash(ticket(d)), dash(deviceOf(d.Ref))}
	l.t.row(append(what, l.last(will, r.say(l.now), clip(d.Reason))...)...)
	return nil
}

// last are the last cells of a row: of a plan what will be done, which says so if it
// was done before.
func (l *letters) last(plan string, list ...string) []string {
	if l.plan {
		return []string{plan}
	}
	return list
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
