package relay

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/quota"
)

// A Quota is what a tenant's calls are counted in.
type Quota struct {
	TenantID, ClientID string
	Write              quota.Limit
}

// A gate knows from the quotas' cells which tenants may not be called. It reads
// them, and moves nothing.
type gate struct {
	js     jetstream.JetStream
	store  atomic.Pointer[quota.Store]
	quotas atomic.Pointer[map[string]Quota] // by tenant
}

// unknown reports whether the configuration has no such tenant.
func (g *gate) unknown(tenant string) bool {
	all := *g.quotas.Load()
	_, ok := all[tenant]
	return all != nil && !ok
}

// shut returns until when the tenant may not be called and why, in one line for a
// person; the zero time if it may be called at now, as far as is known.
func (g *gate) shut(ctx context.Context, tenant string, now time.Time) (until time.Time, why string) {
	q, ok := (*g.quotas.Load())[tenant]
	if !ok {
		return time.Time{}, ""
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerWithin)
	defer cancel()
	s := g.store.Load()
	if s == nil {
		var err error
		if s, err = quota.Attach(ctx, g.js); err != nil {
			return time.Time{}, "" // no worker has run yet, or the broker is away
		}
		g.store.Store(s)
	}
	key := quota.Key{TenantID: q.TenantID, ClientID: q.ClientID, Class: quota.Write}
	if n, err := s.Notice(ctx, key); err == nil && n.Until.After(now) {
		return n.Until, n.Why
	}
	c, err := s.Get(ctx, key)
	if err != nil {
		return time.Time{}, ""
	}
	if p := c.Paused(now); p > 0 {
		return now.Add(p), "Graph has throttled the tenant (429)"
	}
	if next := c.First(now, q.Write); next.After(now) {
		return next, fmt.Sprintf("the tenant's quota of %g changes a second is used up", q.Write.Rate)
	}
	return time.Time{}, ""
}
