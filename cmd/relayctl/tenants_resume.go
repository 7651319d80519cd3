package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
)

// tenantResume has the workers call paused tenants again.
type tenantResume struct {
	boot.Flags
	form
	signer
	Tenants []string `arg:"" name:"tenant" help:"Tenants whose permission or credential is mended."`
	Yes     bool     `short:"y" help:"Do not ask."`

	in io.Reader // standard input
}

func (tenantResume) Help() string {
	return `A tenant whose permission or credential is turned down is tried again after 1 to
10 minutes, with the token that the workers have. When it is mended, this has all
workers get a new token and look at its due devices within seconds. A pause after
a 429 is Graph's, and goes on.

It shows what it will do, and asks. Who did it, and when, is in the audit trail:
relayctl audit list --action resume. The exit code is 1 if a tenant was not
resumed.

Examples:

    relayctl tenants resume acme
    relayctl tenants resume acme globex --yes --why "consent given, CHG0031337"
`
}

// Validate is called by the command line's parser.
func (r *tenantResume) Validate() error { return r.check() }

// Run is called by the command line's parser.
func (r *tenantResume) Run(ctx context.Context, k *kong.Context, out io.Writer) error {
	c, err := r.Load()
	if err != nil {
		return err
	}
	names := slices.Compact(slices.Sorted(slices.Values(r.Tenants)))
	for _, name := range names {
		if err := known(c, r.Config, name); err != nil {
			return err
		}
	}
	b, err := connect(ctx, c)
	if err != nil {
		return err
	}
	defer b.close()
	m, err := b.mending(ctx)
	if err != nil {
		return fmt.Errorf("resuming tenants: %w", err)
	}
	will, err := m.plan(ctx, names, k.Stderr)
	if err != nil {
		return fmt.Errorf("resuming tenants: %w", err)
	}
	if will > 0 && !r.Yes {
		if err := confirm(ctx, r.in, k.Stderr, fmt.Sprintf("Resume %s?", count(will, "tenant"))); err != nil {
			return err
		}
	}
	return r.act(ctx, m, names, out)
}

// A mending is what a resumption needs of the broker.
type mending struct {
	*broker
	streams *stream.Streams
	quotas  *quota.Store // nil: no worker has run yet
}

func (b *broker) mending(ctx context.Context) (*mending, error) {
	ctx, cancel := asking(ctx)
	defer cancel()
	s, err := b.streams(ctx)
	if err != nil {
		return nil, err
	}
	q, err := b.quotas(ctx)
	return &mending{b, s, q}, err
}

// plan shows what will be done, and returns to how many tenants.
func (m *mending) plan(ctx context.Context, names []string, to io.Writer) (will int, err error) {
	t := newTable(to)
	t.row("TENANT", "PAUSED", "PLAN")
	for _, name := range names {
		paused, plan, never, err := m.judge(ctx, name)
		if err != nil {
			return 0, err
		}
		if !never {
			will++
		}
		t.row(name, paused, plan)
	}
	return will, t.flush()
}

// judge says whether and why a tenant is paused, and what can be done about that.
func (m *mending) judge(ctx context.Context, name string) (paused, plan string, never bool, err error) {
	if m.quotas == nil {
		return "-", "nothing: no worker has called a tenant yet, so none is paused", true, nil
	}
	ctx, cancel := asking(ctx)
	defer cancel()
	now := time.Now()
	write, read, err := budgetsOf(ctx, m.quotas, m.c.Tenants[name])
	if err != nil {
		return "", "", false, err
	}
	n, err := m.quotas.Notice(ctx, keyOf(m.c.Tenants[name]))
	if err != nil {
		return "", "", false, err
	}
	throttled := later(write.paused(now), read.paused(now))
	switch {
	case n.Until.After(now):
		paused, plan = "until "+stamp(n.Until, now)+": "+n.Why, "call it again at once, with a new token"
	case !throttled.IsZero():
		return "until " + stamp(throttled, now) + ": Graph answered 429", "nothing: this pause is Graph's; look for other programs of the same app registration", true, nil
	default:
		paused, plan = "-", "get a new token, and look at its due devices at once"
	}
	if others := m.alike(name); others != "" {
		plan += "; so with " + others + ", of the same app registration"
	}
	return paused, plan, false, nil
}

// alike names the other tenants that are called as the same application.
func (m *mending) alike(name string) string {
	var others []string
	for _, other := range m.c.TenantNames() {
		if other != name && keyOf(m.c.Tenants[other]) == keyOf(m.c.Tenants[name]) {
			others = append(others, other)
		}
	}
	return strings.Join(others, ", ")
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// known is an error if the configuration has no such tenant.
func known(c *boot.Config, file, name string) error {
	if _, ok := c.Tenants[name]; ok {
		return nil
	}
	return fmt.Errorf("there is no tenant %q in %s; it has %s", clean(name), file, strings.Join(c.TenantNames(), ", "))
}

// errNotResumed reports that a tenant was not resumed.
var errNotResumed = errors.New("not all tenants were resumed; each line says why")
