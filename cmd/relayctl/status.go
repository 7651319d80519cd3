package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
)

// status says what became of one event, or of a ticket's events.
type status struct {
	boot.Flags
	relay
	form
	ID      string        `arg:"" optional:"" help:"The event's id, as the answer to its sender had it; or a ticket's number, as --ticket."`
	Ticket  string        `placeholder:"NUMBER" help:"All events of this ticket, in place of an id; signed as send does."`
	Tenant  string        `placeholder:"NAME" help:"With --ticket: only those of this tenant."`
	Source  string        `placeholder:"NAME" help:"With --ticket, or an id without a device: source whose secret signs; the first of kind cloudevents if left out."`
	Wait    bool          `help:"Wait for the final outcome; exit with 1 if it is one that a person must look at."`
	Timeout time.Duration `default:"2m" help:"How long to wait; default ${default}."`
}

func (status) Help() string {
	return `A ticket's number can be guessed, and so can the id of an event whose device was not
known when it was sent: run it with one of these where the relay's configuration and
secrets are. The source sees its own tenants. With --wait the exit code is 1 if the
outcome is one that a person must look at, or if there is none within --timeout.

Examples:

    relayctl status acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.5jq0o8rq2m3k1v7c9b4d6e8f0g
    relayctl status --wait --timeout 10m acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.5jq0o8rq2m3k1v7c9b4d6e8f0g
    relayctl status CHG0031337
    relayctl status --ticket CHG0031337 --tenant acme --wait
`
}

// Validate is called by the command line's parser.
func (s status) Validate() error {
	switch {
	case (s.ID == "") == (s.Ticket == ""):
		return errors.New("give an event's id, or a ticket's number")
	case s.Ticket == "" && !s.byTicket() && s.Tenant != "":
		return errors.New("--tenant: goes with --ticket only")
	case s.Ticket == "" && !s.byTicket() && s.Source != "" && !guessable(s.ID):
		return errors.New("--source: goes with --ticket, or with an id without a device")
	}
	return s.relay.Validate()
}

// byTicket reports whether the argument is a ticket's number: ids have dots.
func (s status) byTicket() bool { return s.ID != "" && !strings.Contains(s.ID, ".") }

// Run is called by the command line's parser.
func (s status) Run(ctx context.Context, out io.Writer) error {
	if s.byTicket() {
		s.Ticket = s.ID // what people type first
	}
	if s.Ticket != "" {
		return s.runTicket(ctx, out)
	}
	if _, err := events.ParseRef(s.ID); err != nil {
		return err
	}
	name, b, err := s.badge()
	if err != nil {
		return err
	}
	if s.Wait {
		return turnedDown(s.relay.finish(ctx, out, s.ID, b, s.Timeout, false, s.json()), name, s.Config)
	}
	f, raw, err := s.relay.status(ctx, s.ID, b, 0)
	if err != nil {
		return turnedDown(err, name, s.Config)
	}
	return f.print(out, raw, s.json())
}

// badge is for an id that can be guessed. For another one no configuration is
// needed.
func (s status) badge() (name string, b badge, err error) {
	if !guessable(s.ID) {
		return "", nil, nil
	}
	c, err := s.Load()
	if err != nil {
		return "", nil, err
	}
	return reader(c, s.Source, s.Config)
}

// finish waits for the final outcome and prints it, or what is known when the
// time is over.
func (r relay) finish(ctx context.Context, out io.Writer, id string, b badge, timeout time.Duration, heard, asJSON bool) error {
	var f found
	var raw []byte
	err := r.await(ctx, timeout, heard, "relayctl status "+id, func(ctx context.Context, wait time.Duration) (bool, error) {
		g, text, err := r.status(ctx, id, b, wait)
		if err == nil {
			f, raw = g, text
		}
		return g.Outcome.Final(), err
	})
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

// meanings says in a few words what a status is.
var meanings = map[string]string{
	string(events.Queued):           "queued: stored, and not yet looked at by a worker",
	string(events.Folded):           "folded: part of what the device is to hold, and told to Graph next",
	string(events.Waiting):          "waiting: something else must pass first",
	string(events.Called):           "called: Graph is being told",
	string(events.Accepted):         "accepted: Graph took it; the device follows when it checks in",
	string(events.Unchanged):        "unchanged: the device was already so",
	string(events.Superseded):       "superseded: a newer change of the same items won",
	string(events.Duplicate):        "duplicate: the same event was stored before",
	string(events.Invalid):          "invalid: it may not exist",
	string(events.Refused):          "refused: Graph said no for good",
	string(events.ApprovalRequired): "approval_required: Graph wants a second admin's approval",
	string(events.Expired):          "expired: it could not be applied in time",
}

// print writes a receipt for people, or as it came.
func (f found) print(out io.Writer, raw []byte, asJSON bool) error {
	if asJSON {
		_, err := fmt.Fprintln(out, strings.TrimSpace(string(raw)))
		return err
	}
	now := time.Now()
	t := newTable(out)
	meaning := meanings[f.Status]
	if meaning == "" {
		meaning = f.Status // a newer relay's word
	}
	name := "state"
	if f.Outcome.Final() {
		name = "outcome"
	}
	t.fact(name, meaning)
	t.fact("reason", f.Reason)
	t.fact("since", stamp(f.Since, now))
	t.fact("until", stamp(f.Until, now))
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
