package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// deadReplay publishes events once more.
type deadReplay struct {
	hand
	Wait    bool          `help:"Wait for the final outcome of each; exit with 1 if it is one that a person must look at."`
	Timeout time.Duration `default:"2m" help:"How long to wait for all of them; default ${default}."`
}

func (deadReplay) Help() string {
	return `It shows what it will do, and asks. Each event gets a new id, and max_age (4 hours)
from now to be applied; it keeps its place in the order of changes, so that what
came after it on the same items stays. Replaying a letter twice is one replay. The
letter stays; drop it when it is done with. Who replayed what, and when, is in
the audit trail: relayctl audit list.

Examples:

    relayctl dead replay 12 --wait
    relayctl dead replay 12 13 --why "policy mended, CHG0031337"
    relayctl dead replay --reason expired --tenant acme --newer 12h
    relayctl dead replay --all --yes --output json
`
}

// Validate is called by the command line's parser.
func (r *deadReplay) Validate() error { return r.check() }

// Run is called by the command line's parser.
func (r *deadReplay) Run(ctx context.Context, k *kong.Context, out io.Writer) error {
	rows := &endings{out: out, json: r.json()}
	var waiting []ending
	err := r.work(ctx, k, replayingWith, func(a ending) error {
		if r.Wait && !a.bad() && a.Outcome == "" {
			waiting = append(waiting, a)
			return nil
		}
		return rows.add(a)
	}, func(s *stream.Streams) error { return untilFinal(ctx, s, waiting, r.Timeout, rows.add) })
	err = errors.Join(rows.flush(), err, rows.failure("replayed to a good end"))
	if err == nil && !r.Wait && !r.json() && rows.n > 0 {
		_, err = fmt.Fprintln(out, "\nnext: relayctl status EVENT says what became of each")
	}
	return err
}

// replaying is the deed.
type replaying struct {
	s *stream.Streams
	c *boot.Config
}

func replayingWith(b *broker, s *stream.Streams) deed { return replaying{s, b.c} }

func (replaying) action() string { return stream.ActionReplay }

func (replaying) plan(n int) (say, ask string) {
	return fmt.Sprintf("will publish %s again under a new id; what a newer event said of the same items stays", count(n, "event")), "Replay " + these(n) + "?"
}

func (replaying) missing(n uint64) ending {
	return ending{Letter: n, Result: failed, Reason: noLetter(n)}
}

func (r replaying) judge(ctx context.Context, l stream.DeadLetter) (prospect, error) {
	e, why := readable(l)
	if why != "" {
		return prospect{stance: never, say: why}, nil
	}
	before, err := r.s.Find(ctx, l.ReplayRef())
	if err == nil {
		return prospect{stance: moot, say: "replayed before: " + ended(before), event: e}, nil
	}
	if !errors.Is(err, events.ErrNotFound) {
		return prospect{}, err
	}
	why, err = r.forbidden(ctx, l, e)
	if err != nil || why != "" {
		return prospect{stance: never, say: why}, err
	}
	return prospect{say: "publish again: " + words(e), event: e}, nil
}

func (r replaying) do(ctx context.Context, l stream.DeadLetter, v prospect) (ending, error) {
	ref, before, err := r.s.Replay(ctx, v.event, l.Number)
	a := ending{Event: ref.String(), ticket: v.event.Ticket}
	switch {
	case errors.Is(err, stream.ErrUnavailable):
		return a, fmt.Errorf("perhaps published, perhaps not; replay it again, which is safe: %w", err)
	case err != nil:
		return a, err
	case !before:
		a.Result = replayed
		return a, nil
	}
	a.Result = alreadyReplayed
	was, err := r.s.Find(ctx, ref)
	if err == nil {
		a.Outcome, a.Reason = was.Outcome, was.Reason
	}
	return a, nil
}
