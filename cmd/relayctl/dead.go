package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// dead are the commands about events that a person must look at.
type dead struct {
	List deadList `cmd:"" help:"List dead letters, oldest first."`
	Show deadShow `cmd:"" help:"Print a dead letter: why, and the bytes as they were received."`
}

func (dead) Help() string {
	return `Events that were given up, and bodies of verified senders that are no events:
those belong to no tenant, and are listed with the source that sent them.

Examples:

    relayctl dead list --tenant acme --reason refused
    relayctl dead show 12
`
}

// deadList lists letters.
type deadList struct {
	boot.Flags
	Tenant string `default:"*" placeholder:"NAME" help:"Only those of this tenant."`
	Reason string `default:"*" enum:"*,invalid,refused,approval_required,expired" placeholder:"WORD" help:"Only invalid, refused, approval_required or expired ones."`
	After  uint64 `placeholder:"NUMBER" help:"Only those with a higher number."`
	Limit  int    `default:"50" placeholder:"N" help:"At most so many; default ${default}."`
}

func (deadList) Help() string {
	return `Examples:

    relayctl dead list
    relayctl dead list --tenant acme --reason approval_required
    relayctl dead list --after 50 --limit 100
`
}

// Validate is called by the command line's parser.
func (l *deadList) Validate() error {
	if strings.ContainsAny(l.Tenant, ".> \t") || l.Tenant == "" {
		return errors.New("--tenant: want a tenant's name")
	}
	if l.Limit < 1 {
		return errors.New("--limit: want at least 1")
	}
	return nil
}

// Run is called by the command line's parser.
func (l *deadList) Run(ctx context.Context, out io.Writer) error {
	var letters []stream.DeadLetter
	err := ask(ctx, l.Flags, func(ctx context.Context, s *stream.Streams) (err error) {
		letters, err = s.Letters(ctx, events.DeadPrefix+l.Reason+"."+l.Tenant+".>", l.After, l.Limit)
		return err
	})
	if err != nil {
		return fmt.Errorf("listing dead letters: %w", err)
	}
	if len(letters) == 0 {
		_, err := fmt.Fprintln(out, "no dead letters")
		return err
	}
	now, t := time.Now(), newTable(out)
	t.row("NUMBER", "AGE", "OUTCOME", "SOURCE", "TENANT", "TICKET", "DEVICE", "REASON")
	for _, d := range letters {
		t.row(fmt.Sprint(d.Number), span(now.Sub(d.At)), string(d.Outcome), dash(d.Source), dash(d.Ref.Tenant), dash(ticket(d)), dash(d.Ref.Device), clip(d.Reason))
	}
	if err := t.flush(); err != nil || len(letters) < l.Limit {
		return err
	}
	_, err = fmt.Fprintf(out, "\nnext: relayctl dead list --after %d%s\n", letters[len(letters)-1].Number, l.flags())
	return err
}

// flags are those that a next page has, too.
func (l *deadList) flags() (s string) {
	if l.Tenant != "*" {
		s += " --tenant " + l.Tenant
	}
	if l.Reason != "*" {
		s += " --reason " + l.Reason
	}
	return s + fmt.Sprintf(" --limit %d", l.Limit)
}

// deadShow prints a letter.
type deadShow struct {
	boot.Flags
	Number uint64 `arg:"" help:"The letter's number, from dead list."`
	Raw    bool   `help:"Print the bytes as they were received, and nothing else."`
}

func (deadShow) Help() string {
	return `Examples:

    relayctl dead show 12
    relayctl dead show 12 --raw >event.json
`
}

// Run is called by the command line's parser.
func (s *deadShow) Run(ctx context.Context, out io.Writer) error {
	var d stream.DeadLetter
	err := ask(ctx, s.Flags, func(ctx context.Context, streams *stream.Streams) (err error) {
		d, err = streams.Letter(ctx, s.Number)
		return err
	})
	switch {
	case errors.Is(err, events.ErrNotFound):
		return fmt.Errorf("there is no dead letter %d; relayctl dead list has those that there are", s.Number)
	case err != nil:
		return fmt.Errorf("reading dead letter %d: %w", s.Number, err)
	case s.Raw:
		_, err := out.Write(d.Data)
		return err
	}
	return printLetter(out, d)
}

func printLetter(out io.Writer, d stream.DeadLetter) error {
	t := newTable(out)
	t.fact("number", fmt.Sprint(d.Number))
	t.fact("outcome", string(d.Outcome))
	t.fact("reason", d.Reason)
	t.fact("source", d.Source)
	t.fact("delivery", d.Delivery)
	t.fact("ticket", ticket(d))
	if d.Ref != (events.Ref{}) {
		t.fact("event", d.Ref.String())
	}
	t.fact("given up", stamp(d.At, time.Now()))
	t.fact("subject", d.Subject)
	t.fact("received", d.Origin)
	if d.Sequence > 0 {
		t.fact("sequence", fmt.Sprintf("%d in %s", d.Sequence, stream.Changes))
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

// ticket is the number of the ticket, if it can be told from bytes that are
// perhaps no event. What the subject of a ticket system's body is, nobody knows.
func ticket(d stream.DeadLetter) string {
	var v struct {
		Subject string `json:"subject"`
	}
	if d.Source != "" || json.Unmarshal(d.Data, &v) != nil || len(v.Subject) > events.MaxTicket {
		return ""
	}
	return v.Subject
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

// ask opens the streams for one question.
func ask(ctx context.Context, flags boot.Flags, f func(context.Context, *stream.Streams) error) error {
	c, err := flags.Load()
	if err != nil {
		return err
	}
	b, err := connect(ctx, c)
	if err != nil {
		return err
	}
	defer b.close()
	ctx, cancel := asking(ctx)
	defer cancel()
	s, err := b.streams(ctx)
	if err != nil {
		return err
	}
	return f(ctx, s)
}
