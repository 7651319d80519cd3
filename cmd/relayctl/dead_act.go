package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// An ending is what came of one letter, as --output json prints it. Fields may
// be added; those that are here keep their names and meanings.
type ending struct {
	Letter  uint64         `json:"letter"`
	Result  string         `json:"result"`
	Event   string         `json:"event,omitzero"`   // that the replay made
	Outcome events.Outcome `json:"outcome,omitzero"` // of that event, once it has one
	Reason  string         `json:"reason,omitzero"`

	ticket string // of that event
}

// The results. Those of a second time are as good as those of the first.
const (
	replayed        = "replayed"
	alreadyReplayed = "already_replayed"
	dropped         = "dropped"
	alreadyGone     = "already_gone"
	skipped         = "skipped" // it cannot be done
	failed          = "failed"
)

// bad reports whether a person has to look at it again.
func (a ending) bad() bool { return a.Result == skipped || a.Result == failed || a.Outcome.Dead() }

// act does the deed to each letter, as it is found now: another hand may have
// been there since the plan was shown.
func (j *job) act(ctx context.Context, emit func(ending) error) error {
	signed := j.sign(ctx, j.broker)
	done := progress{to: j.notes, what: fmt.Sprintf("of %d letters done", len(j.numbers))}
	for i, n := range j.numbers {
		if ctx.Err() != nil {
			return ctx.Err() // between letters: each is finished, with its record
		}
		a, err := j.one(context.WithoutCancel(ctx), n, signed)
		if err != nil {
			a = ending{Letter: n, Result: failed, Event: a.Event, Reason: err.Error()}
		}
		if err := emit(a); err != nil {
			return err
		}
		if left := len(j.numbers) - i - 1; left > 0 && errors.Is(err, stream.ErrUnavailable) {
			return fmt.Errorf("stopped with %s left, for each would wait as long: %w", count(left, "letter"), stream.ErrUnavailable)
		}
		done.add(1)
	}
	return nil
}

// one does the deed to a letter. The record that asks for it is stored before,
// so that a command that dies leaves a trace, and nothing is done without one.
func (j *job) one(ctx context.Context, number uint64, signed stream.Audit) (ending, error) {
	l, err := j.streams.Letter(ctx, number)
	if errors.Is(err, events.ErrNotFound) {
		return j.missing(number), nil
	}
	if err != nil {
		return ending{}, err
	}
	v, err := j.judge(ctx, l)
	if err != nil {
		return ending{}, err
	}
	if v.stance == never {
		return ending{Letter: number, Result: skipped, Reason: v.say}, nil
	}
	r := trail(signed, j.action(), l)
	if r.Of, err = j.streams.Record(ctx, r); err != nil {
		return ending{}, fmt.Errorf("nothing was done, because it could not be recorded: %w", err)
	}
	a, err := j.do(ctx, l, v)
	a.Letter = number
	r.State, r.Result, r.At = stream.Done, a.Result, time.Now()
	if a.Event != "" {
		r.Result += " " + a.Event
	}
	if err != nil {
		r.State, r.Result = stream.Failed, err.Error()
	}
	if _, failed := j.streams.Record(ctx, r); failed != nil {
		err = errors.Join(err, fmt.Errorf("what came of it (%s) could not be recorded: %w", r.Result, failed))
	}
	return a, err
}

// trail is the audit record that asks for an act on a letter.
func trail(signed stream.Audit, action string, l stream.DeadLetter) stream.Audit {
	signed.Action, signed.State, signed.At = action, stream.Asked, time.Now()
	signed.Letter, signed.Outcome, signed.Tenant, signed.Ticket = l.Number, l.Outcome, l.Ref.Tenant, ticket(l)
	signed.SHA256, signed.Size = digest(l.Data), len(l.Data)
	if l.Ref != (events.Ref{}) {
		signed.Ref = l.Ref.String()
	}
	return signed
}

// endings prints a line for each ending.
type endings struct {
	out       io.Writer
	json      bool
	n, failed int
	t         *table
}

func (p *endings) add(a ending) error {
	p.n++
	if a.bad() {
		p.failed++
	}
	if p.json {
		return printJSON(p.out, a)
	}
	if p.t == nil {
		p.t = newTable(p.out)
		p.t.row("LETTER", "RESULT", "OUTCOME", "EVENT", "REASON")
	}
	p.t.row(fmt.Sprint(a.Letter), a.Result, dash(string(a.Outcome)), dash(a.Event), a.Reason)
	if p.n%deadPage == 0 {
		return p.t.flush()
	}
	return nil
}

func (p *endings) flush() error {
	if p.t == nil {
		return nil
	}
	return p.t.flush()
}
