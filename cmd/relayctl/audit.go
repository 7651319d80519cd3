package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/stream"
)

// audits are the commands about what people did by hand.
type audits struct {
	List auditList `cmd:"" help:"List what people did by hand, oldest first."`
}

func (audits) Help() string {
	return `Examples:

    relayctl audit list --last 20
`
}

// auditList lists records.
type auditList struct {
	boot.Flags
	form
	Tenant string `default:"*" placeholder:"NAME" help:"Only of this tenant; unknown is of letters that belong to none."`
	Action string `default:"*" enum:"*,replay,drop,resume" placeholder:"WORD" help:"Only replay, drop or resume."`
	Since  age    `placeholder:"AGE" help:"Only newer ones, such as 90m, 24h or 7d."`
	Last   int    `placeholder:"N" help:"Only the newest N."`
}

func (auditList) Help() string {
	return `Two records belong to each act: asked, stored before it, and done or failed. An
asked alone is of a command that died in between. Records are kept for 400 days.
WHO is the name that was given with --as, or the user of the machine; --output
json has both, the machine, the broker's user, and the SHA-256 of the letter.

Examples:

    relayctl audit list --last 20
    relayctl audit list --tenant acme --action drop --since 7d
    relayctl audit list --output json >audit.jsonl
`
}

// Validate is called by the command line's parser.
func (l *auditList) Validate() error {
	switch {
	case strings.ContainsAny(l.Tenant, ".> \t") || l.Tenant == "":
		return errors.New("--tenant: want a tenant's name")
	case l.Last < 0:
		return errors.New("--last: want at least 1")
	}
	return nil
}

// Run is called by the command line's parser.
func (l *auditList) Run(ctx context.Context, k *kong.Context, out io.Writer) error {
	rows := &records{out: out, json: l.json()}
	var c *boot.Config
	err := use(ctx, l.Flags, func(b *broker, s *stream.Streams) error {
		c = b.c
		return l.read(ctx, s, k.Stderr, rows)
	})
	err = errors.Join(err, rows.flush())
	if err != nil {
		return fmt.Errorf("listing audit records: %w", err)
	}
	if rows.n == 0 && !l.json() {
		_, err = fmt.Fprintln(out, l.none(c))
	}
	return err
}

// none says that there are no records, or none such. Letters that belong to no tenant
// are filed under unknown.
func (l *auditList) none(c *boot.Config) string {
	if l.Tenant == "unknown" {
		return "no audit records"
	}
	return "no audit records" + strange(c, l.Config, l.Tenant)
}

// read prints the records that are asked for; of the newest it holds so many.
func (l *auditList) read(ctx context.Context, s *stream.Streams, slow io.Writer, rows *records) error {
	var after uint64
	if l.Since > 0 {
		var err error
		if after, err = s.AuditBefore(ctx, time.Now().Add(-time.Duration(l.Since))); err != nil {
			return err
		}
	}
	var last []stream.Audit
	seen := progress{to: slow, what: "audit records read"}
	for {
		page, err := s.Audits(ctx, stream.AuditPrefix+l.Action+"."+l.Tenant, after, deadPage)
		if err != nil {
			return err
		}
		for _, a := range page {
			after = a.Number
			if l.Last > 0 {
				last = append(last[max(0, len(last)+1-l.Last):], a)
			} else if err := rows.add(a); err != nil {
				return err
			}
		}
		seen.add(len(page))
		if len(page) < deadPage {
			break
		}
	}
	for _, a := range last {
		if err := rows.add(a); err != nil {
			return err
		}
	}
	return nil
}

// records prints a line for each record.
type records struct {
	out  io.Writer
	json bool
	n    int
	t    *table
}

func (r *records) add(a stream.Audit) error {
	r.n++
	if r.json {
		return printJSON(r.out, struct {
			Number uint64 `json:"number"`
			stream.Audit
		}{a.Number, a})
	}
	if r.t == nil {
		r.t = newTable(r.out)
		r.t.row("NUMBER", "TIME", "WHO", "ACTION", "STATE", "LETTER", "OUTCOME", "TENANT", "TICKET", "RESULT", "WHY")
	}
	letter := "-" // of none
	if a.Letter > 0 {
		letter = fmt.Sprint(a.Letter)
	}
	r.t.row(fmt.Sprint(a.Number), a.At.UTC().Format(time.RFC3339), dash(a.Who), a.Action, dash(string(a.State)), letter,
		dash(string(a.Outcome)), dash(a.Tenant), dash(a.Ticket), dash(a.Result), a.Why)
	if r.n%deadPage == 0 {
		return r.t.flush()
	}
	return nil
}

func (r *records) flush() error {
	if r.t == nil {
		return nil
	}
	return r.t.flush()
}
