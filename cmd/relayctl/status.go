package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"changerelay/internal/events"
)

// status says what became of one event.
type status struct {
	relay
	ID      string        `arg:"" help:"The event's id, as the answer to its sender had it."`
	Wait    bool          `help:"Wait for the final outcome; exit with 1 if it is one that a person must look at."`
	Timeout time.Duration `default:"2m" help:"How long to wait; default ${default}."`
	JSON    bool          `name:"json" help:"Print the relay's answer as it is."`
}

func (status) Help() string {
	return `Examples:

    relayctl status acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.5jq0o8rq2m3k1v7c9b4d6e8f0g
    relayctl status --wait --timeout 10m acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.5jq0o8rq2m3k1v7c9b4d6e8f0g
`
}

// Run is called by the command line's parser.
func (s status) Run(ctx context.Context, out io.Writer) error {
	if _, err := events.ParseRef(s.ID); err != nil {
		return err
	}
	if s.Wait {
		return s.relay.finish(ctx, out, s.ID, s.Timeout, false, s.JSON)
	}
	f, raw, err := s.relay.status(ctx, s.ID)
	if err != nil {
		return err
	}
	return f.print(out, raw, s.JSON)
}

// finish waits for the final outcome and prints it, or what is known when the
// time is over.
func (r relay) finish(ctx context.Context, out io.Writer, id string, timeout time.Duration, heard, asJSON bool) error {
	f, raw, err := r.await(ctx, id, timeout, heard)
	if raw != nil {
		if err := f.print(out, raw, asJSON); err != nil {
			return err
		}
	}
	if err == nil && f.Outcome.Dead() {
		return fmt.Errorf("the change ended %s; its dead letter: relayctl dead list --tenant %s --reason %s", f.Outcome, clean(f.Tenant), f.Outcome)
	}
	return err
}

// meanings says in a few words what an outcome is.
var meanings = map[events.Outcome]string{
	"":                      "queued: stored, and not yet told to Graph",
	events.Accepted:         "accepted: Graph took it; the device follows when it checks in",
	events.Unchanged:        "unchanged: the device was already so",
	events.Superseded:       "superseded: a newer change of the same items won",
	events.Duplicate:        "duplicate: the same event was stored before",
	events.Invalid:          "invalid: it may not exist",
	events.Refused:          "refused: Graph said no for good",
	events.ApprovalRequired: "approval_required: Graph wants a second admin's approval",
	events.Expired:          "expired: it could not be applied in time",
}

// print writes a receipt for people, or as it came.
func (f found) print(out io.Writer, raw []byte, asJSON bool) error {
	if asJSON {
		_, err := fmt.Fprintln(out, strings.TrimSpace(string(raw)))
		return err
	}
	now := time.Now()
	t := newTable(out)
	meaning := meanings[f.Outcome]
	if meaning == "" {
		meaning = string(f.Outcome) // a newer relay's word
	}
	t.fact("outcome", meaning)
	t.fact("reason", f.Reason)
	t.fact("ticket", f.Ticket)
	t.fact("tenant", f.Tenant)
	t.fact("device", f.Device)
	t.fact("target", string(f.Target))
	for i, c := range f.Changes {
		t.row([]string{"changes", ""}[min(i, 1)], fmt.Sprintf("%s %s (%s)", c.Intent, c.Item.ID, c.Item.Type))
	}
	t.fact("stored", stamp(f.Accepted, now))
	t.fact("ended", stamp(f.Ended, now))
	if f.Attempts > 0 {
		t.fact("Graph", count(f.Attempts, "call"))
	}
	t.fact("request-id", strings.Join(f.Requests, ", "))
	t.fact("id", f.ID)
	if !f.Outcome.Final() && f.Device != "" {
		t.fact("next", "relayctl device "+f.Tenant+" "+f.Device)
	}
	return t.flush()
}
