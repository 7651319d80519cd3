package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"
)

// form is how a command prints.
type form struct {
	Output string `short:"o" default:"text" enum:"text,json" placeholder:"FORM" help:"text, or json: one object a line; default ${default}."`
}

func (f form) json() bool { return f.Output == "json" }

// A view is what a command has looked at.
type view interface {
	print(out io.Writer) error // for people
	objects() []any            // for scripts, one a line; without what differs at each look
	states() []state           // for watchers: what is worth a line when it changes
}

// A state is one thing that is so, without how long ago.
type state struct{ name, is string }

// show prints a view once.
func (f form) show(out io.Writer, v view) error {
	if !f.json() {
		return v.print(out)
	}
	for _, o := range v.objects() {
		if err := printJSON(out, o); err != nil {
			return err
		}
	}
	return nil
}

// watch is how often a command looks.
type watch struct {
	Watch   every         `help:"Look again every 2 s, or as often as --watch=10s says. A terminal is redrawn; elsewhere what has changed is printed."`
	Timeout time.Duration `placeholder:"TIME" help:"With --watch: stop after this time."`
}

// check is what Validate of a command asks.
func (w watch) check() error {
	switch {
	case w.Timeout < 0:
		return errors.New("--timeout: want a time above 0")
	case w.Timeout > 0 && w.Watch == 0:
		return errors.New("--timeout: is for --watch")
	}
	return nil
}

// every is the pause between looks; 0 is one look.
type every time.Duration

// IsBool says that the flag needs no value.
func (every) IsBool() bool { return true }

// Decode is called by the command line's parser.
func (e *every) Decode(ctx *kong.DecodeContext) error {
	*e = every(watchEvery)
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	text := fmt.Sprint(ctx.Scan.Pop().Value)
	d, err := time.ParseDuration(text)
	if err != nil || d < watchMin {
		return fmt.Errorf("want a time such as 10s, at least %s, not %q", watchMin, text)
	}
	*e = every(d)
	return nil
}
