package main

import (
	"fmt"
	"io"
	"time"
)

// tenantStates are what the command tenants prints.
type tenantStates struct {
	now time.Time
	all []tenantState
}

func (ts *tenantStates) print(out io.Writer) error {
	if len(ts.all) == 0 {
		_, err := fmt.Fprintln(out, "no tenants")
		return err
	}
	t := newTable(out)
	t.row("TENANT", "ENTRA TENANT", "CLIENT", "CLOUD", "WRITES", "READS", "DUE", "LOOKUP", "DEAD", "PAUSED")
	for _, s := range ts.all {
		dead := fmt.Sprint(s.Dead)
		if !s.Last.IsZero() {
			dead += ", newest " + away(s.Last, ts.now)
		}
		paused := "-"
		if s.Paused != nil {
			paused = "until " + stamp(s.Paused.Until, ts.now) + ": " + s.Paused.Why
		}
		t.row(s.Tenant, s.Entra, s.Client, s.Cloud, s.Writes.say(), s.Reads.say(), fmt.Sprint(s.Due), fmt.Sprint(s.Lookup), dead, paused)
	}
	return t.flush()
}

// say is the rate now, of the one that is configured.
func (q quotaState) say() string {
	if !q.Used {
		return fmt.Sprintf("unused of %.4g/s", q.Configured)
	}
	return fmt.Sprintf("%.3g of %.4g/s", q.Now, q.Configured)
}

func (ts *tenantStates) objects() (all []any) {
	for _, s := range ts.all {
		all = append(all, s)
	}
	return all
}

func (ts *tenantStates) states() (all []state) {
	for _, s := range ts.all {
		is := fmt.Sprintf("writes %s, reads %s, due %d, lookup %d, dead %d", s.Writes.say(), s.Reads.say(), s.Due, s.Lookup, s.Dead)
		if s.Paused != nil {
			is += ", paused until " + s.Paused.Until.Format(time.RFC3339) + ": " + s.Paused.Why
		}
		all = append(all, state{"tenant " + s.Tenant, is})
	}
	return all
}
