package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"changerelay/internal/stream"
)

// actionResume is a resumption's action in the audit trail.
const actionResume = "resume"

// A resumedTenant is what came of one tenant, as --output json prints it. Fields may be
// added; those that are here keep their names and meanings.
type resumedTenant struct {
	Tenant string `json:"tenant"`
	Result string `json:"result"` // resumed, skipped or failed
	Reason string `json:"reason,omitzero"`
}

// act resumes each tenant, as it is found now.
func (r *tenantResume) act(ctx context.Context, m *mending, names []string, out io.Writer) error {
	signed := r.sign(ctx, m.broker)
	t, short := newTable(out), false
	if !r.json() {
		t.row("TENANT", "RESULT", "REASON")
	}
	for _, name := range names {
		if ctx.Err() != nil {
			return errors.Join(t.flush(), ctx.Err()) // between tenants: each is finished, with its record
		}
		e := m.resume(context.WithoutCancel(ctx), name, signed)
		short = short || e.Result != "resumed"
		if !r.json() {
			t.row(e.Tenant, e.Result, e.Reason)
		} else if err := printJSON(out, e); err != nil {
			return err
		}
	}
	if short {
		return errors.Join(t.flush(), errNotResumed)
	}
	if !r.json() {
		t.gap()
		t.row("next: relayctl tenants " + names[0] + " --watch")
	}
	return t.flush()
}

// resume resumes one tenant. The record that asks for it is stored before, so that a
// command that dies leaves a trace, and nothing is done without one.
func (m *mending) resume(ctx context.Context, name string, signed stream.Audit) resumedTenant {
	failure := func(err error) resumedTenant { return resumedTenant{name, "failed", err.Error()} }
	_, plan, never, err := m.judge(ctx, name)
	if err != nil {
		return failure(err)
	}
	if never {
		return resumedTenant{name, "skipped", plan}
	}
	signed.Action, signed.State, signed.At, signed.Tenant = actionResume, stream.Asked, time.Now(), name
	if signed.Of, err = m.streams.Record(ctx, signed); err != nil {
		return failure(fmt.Errorf("nothing was done, because it could not be recorded: %w", err))
	}
	asking, cancel := asking(ctx)
	defer cancel()
	err = m.quotas.Resume(asking, keyOf(m.c.Tenants[name]), time.Now())
	e := resumedTenant{Tenant: name, Result: "resumed"}
	signed.State, signed.Result, signed.At = stream.Done, e.Result, time.Now()
	if err != nil {
		e = failure(err)
		signed.State, signed.Result = stream.Failed, e.Reason
	}
	if _, failed := m.streams.Record(ctx, signed); failed != nil {
		return failure(fmt.Errorf("what came of it (%s) could not be recorded: %w", signed.Result, failed))
	}
	return e
}
