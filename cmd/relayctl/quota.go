package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/quota"
)

// A budget is a tenant's quota for one class of call, as all workers have it.
type budget struct {
	limit quota.Limit
	cell  quota.Cell // zero: never used
}

// quotas opens the cells; nil if no worker has made any.
func (b *broker) quotas(ctx context.Context) (*quota.Store, error) {
	_, err := b.js.KeyValue(ctx, quota.Name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the quotas: %w", err)
	}
	return quota.Attach(ctx, b.js)
}

// budgetsOf reads a tenant's two cells.
func budgetsOf(ctx context.Context, s *quota.Store, t boot.Tenant) (write, read budget, err error) {
	write.limit = quota.Limit{Rate: t.Quota.WritesPerSecond, Burst: t.Quota.WriteBurst}
	read.limit = quota.Limit{Rate: t.Quota.ReadsPerSecond, Burst: t.Quota.ReadBurst}
	if s == nil {
		return write, read, nil
	}
	k := keyOf(t)
	if write.cell, err = s.Get(ctx, k); err == nil {
		k.Class = quota.Read
		read.cell, err = s.Get(ctx, k)
	}
	return write, read, err
}

// keyOf names the quota of a tenant's writes.
func keyOf(t boot.Tenant) quota.Key {
	return quota.Key{TenantID: t.TenantID, ClientID: t.Application(), Class: quota.Write}
}

// paused is the end of a pause after a 429; zero if there is none.
func (b budget) paused(now time.Time) time.Time {
	if d := b.cell.Paused(now); d > 0 {
		return now.Add(d).Round(time.Millisecond)
	}
	return time.Time{}
}

// rate is how many calls a second may go now.
func (b budget) rate(now time.Time) float64 { return b.cell.Rate(now, b.limit) }

// ready is when the next call may go at the earliest, if nobody else asks.
func (b budget) ready(now time.Time) time.Time { return b.cell.Ready(now, b.limit) }
