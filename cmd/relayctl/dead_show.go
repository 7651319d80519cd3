package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// deadShow prints a letter.
type deadShow struct {
	boot.Flags
	form
	Number uint64 `arg:"" help:"The letter's number, from dead list."`
	Raw    bool   `help:"Print the bytes as they were received, and nothing else."`
}

func (deadShow) Help() string {
	return `Examples:

    relayctl dead show 12
    relayctl dead show 12 --raw >event.json
    relayctl dead show 12 --output json | jq -r .body | base64 -d
`
}

// Run is called by the command line's parser.
func (s *deadShow) Run(ctx context.Context, out io.Writer) error {
	var d stream.DeadLetter
	var r *replay
	err := use(ctx, s.Flags, func(_ *broker, streams *stream.Streams) (err error) {
		if d, err = streams.Letter(ctx, s.Number); err != nil || s.Raw {
			return err
		}
		if r, err = replayOf(ctx, streams, d); r != nil {
			err = r.findWho(ctx, streams, d)
		}
		return err
	})
	switch {
	case errors.Is(err, events.ErrNotFound):
		return errors.New(noLetter(s.Number))
	case err != nil:
		return fmt.Errorf("reading dead letter %d: %w", s.Number, err)
	case s.Raw:
		_, err := out.Write(d.Data)
		return err
	case s.json():
		l := letterOf(d)
		l.Body, l.Replayed = d.Data, r
		return printJSON(out, l)
	}
	return printLetter(out, d, r)
}

func printLetter(out io.Writer, d stream.DeadLetter, r *replay) error {
	t, now := newTable(out), time.Now()
	t.fact("number", fmt.Sprint(d.Number))
	t.fact("outcome", string(d.Outcome))
	t.fact("reason", d.Reason)
	t.fact("source", d.Source)
	t.fact("delivery", d.Delivery)
	t.fact("ticket", ticket(d))
	if d.Ref != (events.Ref{}) {
		t.fact("event", d.Ref.String())
	}
	t.fact("approval", d.Approval)
	t.fact("given up", stamp(d.At, now))
	if r != nil {
		t.fact("replayed", r.say(now)+", by "+cmp.Or(r.Who, "somebody whom the audit trail does not have")+", as "+r.Event)
	}
	t.fact("subject", d.Subject)
	t.fact("received", d.Origin)
	if d.Sequence > 0 {
		t.fact("sequence", fmt.Sprintf("%d in %s", d.Sequence, stream.Changes))
	}
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		t.fact("header", clean(name+": "+strings.Join(d.Header[name], ", ")))
	}
	t.fact("bytes", size(d))
	t.fact("sha256", d.SHA256)
	t.gap()
	if err := t.flush(); err != nil {
		return err
	}
	body := string(d.Data)
	if !plain(d.Data) {
		body = hex.Dump(d.Data) // a stranger's escape sequences are not for a terminal
	}
	_, err := fmt.Fprintln(out, strings.TrimSuffix(body, "\n"))
	return err
}

// plain reports whether bytes are text that a terminal shows as it is.
func plain(b []byte) bool {
	return utf8.Valid(b) && !strings.ContainsFunc(string(b), func(r rune) bool {
		return !unicode.IsPrint(r) && !strings.ContainsRune("\n\r\t", r)
	})
}

// size is how many bytes there are, and were.
func size(d stream.DeadLetter) string {
	if d.Size > len(d.Data) {
		return fmt.Sprintf("the first %d of %d: the broker takes no more in one message", len(d.Data), d.Size)
	}
	return fmt.Sprint(len(d.Data))
}
