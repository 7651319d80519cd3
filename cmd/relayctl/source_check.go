package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/ingest"
)

// sourceCheck judges a captured request as the relay would.
type sourceCheck struct {
	boot.Flags
	form
	Source  string `required:"" placeholder:"NAME" help:"Source that the request was sent to."`
	Request string `required:"" placeholder:"FILE" help:"The request: head, empty line and body, or what curl -v prints and the body; - is standard input."`
	At      moment `placeholder:"TIME" help:"Judge it as of this time, RFC 3339 or seconds since 1970; now if left out."`

	in io.Reader // standard input
}

func (sourceCheck) Help() string {
	return `Says whether the request is let in, with which key, and what it asks for; or the
reason that the sender is not told, and what to do about it. Nothing is sent and
nothing is stored; only the keys of a bearer's issuer are fetched. The address
that the request came from, rates, and what was received before are not judged.
The exit code is 1 if the relay would refuse it.

The body has to be as it was sent, byte for byte: an editor that adds a newline
breaks a signature. A capture that is older than the signature's tolerance needs
--at with the time when it arrived.

Examples:

    relayctl source check --source snow --request capture.txt
    relayctl source check --source desk --request capture.txt --at 2026-11-23T10:00:05Z
    relayctl source check --source desk --request capture.txt --output json | jq .code
    (grep '^>' curl.log; cat body.json) | relayctl source check --source snow --request -
`
}

// Run is called by the command line's parser.
func (s *sourceCheck) Run(_ context.Context, out io.Writer) error {
	c, err := s.Load()
	if err != nil {
		return err
	}
	src, err := c.IngestSource(s.Source)
	if err != nil {
		return err
	}
	data, err := s.read()
	if err != nil {
		return err
	}
	request, err := parseRequest(data, "/v1/hooks/"+s.Source)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Request, err)
	}
	now := s.At.or(time.Now())
	report, err := ingest.Examine(src, c.TenantNames(), request.Request, now)
	if err != nil {
		return err
	}
	if trimmed, ok := request.trimmed(); ok && report.Refusal != "" {
		if r, err := ingest.Examine(src, c.TenantNames(), trimmed, now); err == nil && r.Refusal == "" {
			request.note("without the line end behind its body it is let in: an editor may have put that there")
		}
	}
	hint := clueOf(report.Refusal, src.Checks, request.Header)
	if s.json() {
		failed := verdict(newTable(io.Discard), report, hint)
		return errors.Join(printJSON(out, checkObjectOf(s.Source, report, request, hint)), failed)
	}
	return s.print(out, report, request, hint, now)
}

func (s *sourceCheck) read() ([]byte, error) {
	r := s.in
	if s.Request != "-" {
		f, err := os.Open(s.Request)
		if err != nil {
			return nil, fmt.Errorf("--request: %w", err)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxRequest+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.Request, err)
	}
	if len(b) > maxRequest {
		return nil, fmt.Errorf("%s has more than %d bytes, which is no request that the relay takes", s.Request, maxRequest)
	}
	return b, nil
}

// A moment is a time on the command line.
type moment struct{ time.Time }

// UnmarshalText is called by the command line's parser.
func (m *moment) UnmarshalText(text []byte) (err error) {
	if seconds, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		m.Time = time.Unix(seconds, 0)
		return nil
	}
	if m.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return errors.New("want a time such as 2026-11-23T10:00:00Z, or seconds since 1970")
	}
	return nil
}

func (m moment) or(now time.Time) time.Time {
	if m.IsZero() {
		return now
	}
	return m.Time
}

// print says what was found, and returns an error if the request is refused.
func (s *sourceCheck) print(out io.Writer, r ingest.Report, c *capture, hint clue, now time.Time) error {
	t := newTable(out)
	for _, n := range c.notes {
		t.row("note", n)
	}
	verified(t, r, now)
	failed := verdict(t, r, hint)
	if slices.ContainsFunc(r.Events, func(e events.Event) bool { return e.Arrival }) {
		t.row("note", "no time is stated: it is dated at its arrival, and the same wish at another time may be taken for a repetition; send the update's time")
	}
	t.row("answer", fmt.Sprintf("%d %s", r.Code, r.Word))
	if len(r.Events) > 0 {
		t.gap()
		eventRows(t, r)
	}
	return errors.Join(t.flush(), failed)
}

// verified says what let the request in.
func verified(t *table, r ingest.Report, now time.Time) {
	if len(r.Checks) == 0 {
		return
	}
	t.row("verified", strings.Join(r.Checks, ", "))
	for _, k := range r.Keys {
		t.row("key", k.Check+" "+k.Key)
	}
	t.fact("delivery", r.Delivery)
	t.fact("signed at", stamp(r.Timestamp, now))
}

// verdict says what becomes of the request.
func verdict(t *table, r ingest.Report, hint clue) error {
	switch {
	case r.Refusal != "":
		t.row("refused", string(r.Refusal))
		hint.print(t)
		t.row("advice", advice[r.Refusal])
		return fmt.Errorf("the relay refuses the request: %s", r.Refusal)
	case r.Handshake != "":
		t.row("handshake", r.Handshake)
	case r.Ignored != "":
		t.row("ignored", r.Ignored)
	case r.Invalid != nil:
		t.row("invalid", r.Invalid.Error())
		t.row("body", "would be kept for relayctl dead list")
		return errors.New("the relay cannot read the request's body")
	case r.Problem != "":
		t.row("refused", r.Problem)
		return errors.New("the relay refuses the request")
	}
	return nil
}

// eventRows lists what the request asks for, a change a row.
func eventRows(t *table, r ingest.Report) {
	t.row("TICKET", "TENANT", "DEVICE", "TIME", "INTENT", "ITEM", "TYPE")
	for _, e := range r.Events {
		for _, c := range e.Changes {
			t.row(e.Ticket, e.Tenant, e.Device, e.Time.UTC().Format(time.RFC3339), string(c.Intent), c.Item.ID, string(c.Item.Type))
		}
	}
	t.gap()
	t.row("EVENT")
	for _, e := range r.Events {
		t.row(e.Ref().String())
	}
}
