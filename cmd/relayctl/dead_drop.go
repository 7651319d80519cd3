package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// deadDrop forgets letters.
type deadDrop struct{ hand }

func (deadDrop) Help() string {
	return `It shows what it will drop, and asks. The audit trail keeps who did it, when, and
the SHA-256 of the bytes: relayctl audit list. A letter whose replay is under way
stays: the worker reads from it how old the event is.

Examples:

    relayctl dead drop 12 13 --why "sent again as CHG0031999"
    relayctl dead drop --reason invalid --older 7d
    relayctl dead drop --all --yes --output json
`
}

// Validate is called by the command line's parser.
func (d *deadDrop) Validate() error { return d.check() }

// Run is called by the command line's parser.
func (d *deadDrop) Run(ctx context.Context, k *kong.Context, out io.Writer) error {
	rows := &endings{out: out, json: d.json()}
	err := d.work(ctx, k, func(_ *broker, s *stream.Streams) deed { return dropping{s} }, rows.add,
		func(*stream.Streams) error { return nil })
	return errors.Join(rows.flush(), err, rows.failure("dropped"))
}

// failure is the job's error: the exit code says that a person has to look.
func (p *endings) failure(past string) error {
	if p.failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %s could not be %s; each line says why", p.failed, count(p.n, "letter"), past)
}

// dropping is the deed.
type dropping struct{ s *stream.Streams }

func (dropping) action() string { return stream.ActionDrop }

func (dropping) plan(n int) (say, ask string) {
	return fmt.Sprintf("will drop %s for good; the audit trail keeps the SHA-256", count(n, "letter")), "Drop " + these(n) + "?"
}

func (dropping) missing(n uint64) ending {
	return ending{Letter: n, Result: alreadyGone, Reason: "there is no such letter: it was dropped before, its retention is over, or it never was"}
}

func (d dropping) judge(ctx context.Context, l stream.DeadLetter) (prospect, error) {
	if l.Ref == (events.Ref{}) {
		return prospect{say: "drop"}, nil
	}
	r, err := d.s.Find(ctx, l.ReplayRef())
	switch {
	case errors.Is(err, events.ErrNotFound):
		return prospect{say: "drop"}, nil
	case err != nil:
		return prospect{}, err
	case !r.Outcome.Final():
		return prospect{stance: never, say: "its replay is under way and needs it: drop it when relayctl status " + r.ID + " says how that ended"}, nil
	}
	return prospect{say: "drop; its replay ended " + string(r.Outcome)}, nil
}

func (d dropping) do(ctx context.Context, l stream.DeadLetter, _ prospect) (ending, error) {
	err := d.s.Drop(ctx, l.Number)
	if errors.Is(err, events.ErrNotFound) {
		return d.missing(l.Number), nil
	}
	return ending{Result: dropped}, err
}
