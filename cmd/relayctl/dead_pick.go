package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// A pick says which letters a command is about.
type pick struct {
	Reason string `default:"*" enum:"*,invalid,refused,approval_required,expired" placeholder:"WORD" help:"Only invalid, refused, approval_required or expired ones."`
	Tenant string `default:"*" placeholder:"NAME" help:"Only those of this tenant."`
	Ticket string `placeholder:"NUMBER" help:"Only those of this ticket."`
	Older  age    `placeholder:"AGE" help:"Only those given up longer ago than this, such as 90m, 24h or 7d."`
	Newer  age    `placeholder:"AGE" help:"Only those given up within this."`
}

// check is what Validate of a command asks.
func (p pick) check() error {
	switch {
	case strings.ContainsAny(p.Tenant, ".> \t") || p.Tenant == "":
		return errors.New("--tenant: want a tenant's name")
	case p.Newer > 0 && p.Newer <= p.Older:
		return errors.New("--newer and --older: no letter is both; want --older below --newer")
	}
	return nil
}

// any reports whether letters are told apart at all.
func (p pick) any() bool { return p != pick{Reason: "*", Tenant: "*"} }

// none says that there is no letter, or that there is none such. Of a tenant that is
// configured no more there may be some, so its name is no mistake by itself.
func (p pick) none(c *boot.Config, file string) string {
	if !p.any() {
		return "no dead letters"
	}
	return "no dead letter is so; relayctl dead list shows all" + strange(c, file, p.Tenant)
}

// strange says that the configuration has no such tenant.
func strange(c *boot.Config, file, tenant string) string {
	if tenant == "*" {
		return ""
	}
	if err := known(c, file, tenant); err != nil {
		return "; " + err.Error()
	}
	return ""
}

// has is what the broker cannot look for.
func (p pick) has(l stream.DeadLetter, now time.Time) bool {
	since := now.Sub(l.At)
	return (p.Ticket == "" || ticket(l) == p.Ticket) &&
		(p.Older == 0 || since > time.Duration(p.Older)) && (p.Newer == 0 || since <= time.Duration(p.Newer))
}

// flags are those that a next page has, too.
func (p pick) flags() (s string) {
	for _, f := range []struct{ name, value, none string }{
		{"tenant", p.Tenant, "*"}, {"reason", p.Reason, "*"}, {"ticket", p.Ticket, ""}, {"older", p.Older.String(), ""}, {"newer", p.Newer.String(), ""},
	} {
		if f.value != f.none {
			s += " --" + f.name + " " + quoted(f.value)
		}
	}
	return s
}

// walk shows f the letters above a number, oldest first, until f has seen
// enough. It holds one page of them at a time.
func (p pick) walk(ctx context.Context, s *stream.Streams, after uint64, slow io.Writer, f func(stream.DeadLetter) (enough bool, err error)) error {
	now, seen := time.Now(), progress{to: slow, what: "dead letters read"}
	for {
		page, err := s.Letters(ctx, events.DeadPrefix+p.Reason+"."+p.Tenant+".>", after, deadPage)
		if err != nil {
			return err
		}
		for _, l := range page {
			seen.add(1)
			after = l.Number
			if !p.has(l, now) {
				continue
			}
			if enough, err := f(l); enough || err != nil {
				return err
			}
		}
		if len(page) < deadPage {
			return nil
		}
	}
}

// ticket is the number of the ticket, if it can be told from bytes that are
// perhaps no event. What the subject of a ticket system's body is, nobody knows.
func ticket(d stream.DeadLetter) string {
	var v struct {
		Subject string `json:"subject"`
	}
	if d.Ticket != "" { // of a body that nobody could read otherwise
		return d.Ticket
	}
	if len(d.Header) > 0 { // in binary mode the body is the event's data alone
		e, err := d.Event(d.At)
		if err != nil {
			return ""
		}
		return e.Ticket
	}
	if d.Source != "" || json.Unmarshal(d.Data, &v) != nil || len(v.Subject) > events.MaxTicket {
		return ""
	}
	return v.Subject
}

// deviceOf is the device of an event, "" if it is not known.
func deviceOf(r events.Ref) string {
	if r.Unresolved() {
		return ""
	}
	return r.Device
}

// An age is a time.Duration that can be typed in days.
type age time.Duration

// UnmarshalText is called by the command line's parser.
func (a *age) UnmarshalText(b []byte) error {
	text := string(b)
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not an age; write it like 90m, 24h or 7d", clean(text))
	}
	*a = age(d)
	return nil
}

// String is the age as it can be typed again, "" for none.
func (a age) String() string {
	if a == 0 {
		return ""
	}
	return time.Duration(a).String()
}

// quoted writes a value for a shell.
func quoted(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*:/") == "" && s != "*" {
		return s
	}
	return "'" + strings.ReplaceAll(clean(s), "'", `'\''`) + "'"
}
