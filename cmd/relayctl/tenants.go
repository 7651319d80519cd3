package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/quota"
)

// tenantCommands are the commands about tenants.
type tenantCommands struct {
	List   tenantList   `cmd:"" default:"withargs" help:"Show the tenants: quota, pauses, due devices, dead letters. Meant if no other is named."`
	Resume tenantResume `cmd:"" help:"Have paused tenants called again whose permission or credential is mended."`
}

func (tenantCommands) Help() string {
	return `Examples:

    relayctl tenants
    relayctl tenants acme --watch
    relayctl tenants resume acme
`
}

// tenantList shows how the tenants are doing.
type tenantList struct {
	boot.Flags
	form
	watch
	Tenants []string `arg:"" optional:"" name:"tenant" help:"These tenants; all that are configured if left out."`
}

func (tenantList) Help() string {
	return `WRITES and READS are the calls a second that the quota lets go now, of those that
are configured; "unused" if no worker has called yet. PAUSED says until when and
why: a 429 of Graph, or a permission or credential that is turned down; when that
is mended, relayctl tenants resume hurries. DUE are devices with a wake-up, LOOKUP
events whose device is being looked up, DEAD dead letters. "list" may be left out.

Examples:

    relayctl tenants list
    relayctl tenants acme --watch
    relayctl tenants --output json | jq -r 'select(.paused) | .tenant'
`
}

// Validate is called by the command line's parser.
func (l *tenantList) Validate() error { return l.watch.check() }

// A tenantState is a tenant as it is now, and as --output json prints it.
type tenantState struct {
	Tenant string      `json:"tenant"`
	Entra  string      `json:"entra_tenant"`
	Client string      `json:"client"`
	Cloud  string      `json:"cloud"`
	Writes quotaState  `json:"writes"`
	Reads  quotaState  `json:"reads"`
	Paused *pauseState `json:"paused,omitempty"` // the longer of both
	Due    int         `json:"due_devices"`
	Lookup int         `json:"events_in_lookup"`
	Dead   int         `json:"dead_letters"`
	Last   time.Time   `json:"last_dead_letter,omitzero"`
}

// A quotaState is one class of call.
type quotaState struct {
	Used       bool    `json:"used"` // a worker has asked for it
	Now        float64 `json:"per_second_now"`
	Configured float64 `json:"per_second"`
	Burst      int     `json:"burst"`
}

// A pauseState says until when Graph is not called, and why.
type pauseState struct {
	Until time.Time `json:"until"`
	Why   string    `json:"why"`
}

// Run is called by the command line's parser.
func (l *tenantList) Run(ctx context.Context, out io.Writer) error {
	c, err := l.Load()
	if err != nil {
		return err
	}
	names := c.TenantNames()
	for _, name := range l.Tenants {
		if err := known(c, l.Config, name); err != nil {
			return err
		}
	}
	if len(l.Tenants) > 0 {
		names = l.Tenants
	}
	return l.look(ctx, out, l.form, func(ctx context.Context) (view, error) {
		ts, err := readTenants(ctx, c, names)
		if err != nil {
			return nil, fmt.Errorf("looking at tenants: %w", err)
		}
		return ts, nil
	})
}

func readTenants(ctx context.Context, c *boot.Config, names []string) (*tenantStates, error) {
	b, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer b.close()
	ctx, cancel := asking(ctx)
	defer cancel()
	s, err := b.streams(ctx)
	if err != nil {
		return nil, err
	}
	q, err := b.quotas(ctx)
	if err != nil {
		return nil, err
	}
	ts := &tenantStates{now: time.Now()}
	due, err := s.Due(ctx)
	lookup, err2 := s.Looking(ctx)
	dead, err3 := s.Buried(ctx)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	for _, name := range names {
		t, err := readTenant(ctx, q, c.Tenants[name], ts.now)
		if err != nil {
			return nil, err
		}
		t.Tenant, t.Due, t.Lookup, t.Dead = name, due[name], lookup[name], dead[name]
		if t.Dead > 0 {
			if t.Last, err = s.LastBuried(ctx, name); err != nil && !errors.Is(err, events.ErrNotFound) {
				return nil, err
			}
		}
		ts.all = append(ts.all, t)
	}
	return ts, nil
}

// readTenant reads a tenant's quota.
func readTenant(ctx context.Context, q *quota.Store, c boot.Tenant, now time.Time) (tenantState, error) {
	t := tenantState{Entra: c.TenantID, Client: c.Application(), Cloud: c.Cloud}
	write, read, err := budgetsOf(ctx, q, c)
	if err != nil {
		return t, err
	}
	t.Writes, t.Reads = quotaOf(write, now), quotaOf(read, now)
	for class, b := range map[string]budget{"writes": write, "reads": read} {
		if until := b.paused(now); !until.IsZero() && (t.Paused == nil || until.After(t.Paused.Until)) {
			t.Paused = &pauseState{until.UTC(), "Graph answered 429 to " + class}
		}
	}
	if q == nil {
		return t, nil
	}
	n, err := q.Notice(ctx, keyOf(c))
	if err == nil && n.Until.After(now) && (t.Paused == nil || n.Until.After(t.Paused.Until)) {
		t.Paused = &pauseState{n.Until, n.Why}
	}
	return t, err
}

func quotaOf(b budget, now time.Time) quotaState {
	return quotaState{Used: b.cell != quota.Cell{}, Now: b.rate(now), Configured: b.limit.Rate, Burst: b.limit.Burst}
}
