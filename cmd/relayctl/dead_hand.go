package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// A hand is laid on letters: the commands that change anything choose them, say
// what they will do, ask, record it, do it, and record what came of it.
type hand struct {
	boot.Flags
	pick
	form
	signer
	Numbers []uint64 `arg:"" optional:"" name:"number" help:"The letters' numbers, from dead list."`
	All     bool     `help:"Every dead letter."`
	Yes     bool     `short:"y" help:"Do not ask."`

	in io.Reader // standard input
}

// check is what Validate of a command asks.
func (h *hand) check() error {
	switch named := len(h.Numbers) > 0; {
	case named && (h.All || h.any()):
		return errors.New("give numbers, or flags that say which letters, not both")
	case h.All && h.any():
		return errors.New("--all is every letter: leave it out beside other flags")
	case !named && !h.All && !h.any():
		return errors.New("which letters? give numbers, flags such as --reason, or --all")
	}
	return errors.Join(h.pick.check(), h.signer.check())
}

// A deed is what a hand does.
type deed interface {
	action() string               // for the audit trail
	plan(n int) (say, ask string) // of n letters that have something done to them
	missing(number uint64) ending // for a letter that is not there
	judge(context.Context, stream.DeadLetter) (prospect, error)
	do(context.Context, stream.DeadLetter, prospect) (ending, error)
}

// A prospect is what a deed will make of a letter.
type prospect struct {
	stance stance
	say    string
	event  events.Event // to replay
}

type stance int

const (
	will  stance = iota // it is done
	moot                // it has been done before: doing it again changes nothing
	never               // it cannot be done, and say has why
)

// A job is a hand at work.
type job struct {
	*hand
	deed
	streams *stream.Streams
	broker  *broker
	notes   io.Writer // what is said to the person; out has results
	numbers []uint64
	count   map[stance]int
}

// work does a deed and calls emit with each ending, and after at the end. Its
// error is about the job as a whole.
func (h *hand) work(ctx context.Context, k *kong.Context, deedOf func(*broker, *stream.Streams) deed, emit func(ending) error, after func(*stream.Streams) error) error {
	return use(ctx, h.Flags, func(b *broker, s *stream.Streams) error {
		j := &job{hand: h, deed: deedOf(b, s), streams: s, broker: b, notes: k.Stderr, count: map[stance]int{}}
		if err := j.look(ctx); err != nil {
			return fmt.Errorf("looking at dead letters: %w", err)
		}
		if len(j.numbers) == 0 {
			fmt.Fprintln(j.notes, h.none(b.c, h.Config))
			return nil
		}
		if n := j.count[will]; n > 0 {
			say, ask := j.plan(n)
			fmt.Fprintln(j.notes, "\n"+say)
			if !h.Yes {
				if err := confirm(ctx, h.in, j.notes, ask); err != nil {
					return err
				}
			}
		}
		return errors.Join(j.act(ctx, emit), after(s))
	})
}

// look chooses the letters and shows what will become of them. It holds their
// numbers only.
func (j *job) look(ctx context.Context) error {
	rows, more := &letters{out: j.notes, now: time.Now(), plan: true}, 0
	see := func(l stream.DeadLetter) (bool, error) {
		v, err := j.judge(ctx, l)
		if err != nil {
			return false, err
		}
		j.count[v.stance]++
		j.numbers = append(j.numbers, l.Number)
		if rows.n >= planRows {
			more++
			return false, nil
		}
		return false, rows.add(l, nil, v.say)
	}
	if err := j.choose(ctx, see); err != nil {
		return err
	}
	if err := rows.flush(); err != nil {
		return err
	}
	if more > 0 {
		fmt.Fprintf(j.notes, "… and %d more\n", more)
	}
	return nil
}

// choose calls see with each letter that the command is about.
func (j *job) choose(ctx context.Context, see func(stream.DeadLetter) (bool, error)) error {
	if len(j.Numbers) == 0 {
		return j.walk(ctx, j.streams, 0, j.notes, see)
	}
	for _, n := range slices.Compact(slices.Sorted(slices.Values(j.Numbers))) {
		l, err := j.streams.Letter(ctx, n)
		if errors.Is(err, events.ErrNotFound) {
			j.numbers = append(j.numbers, n) // what that means, act says
			continue
		}
		if err != nil {
			return err
		}
		if _, err := see(l); err != nil {
			return err
		}
	}
	return nil
}
