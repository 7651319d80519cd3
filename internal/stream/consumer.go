package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Names of the durable consumers.
const (
	foldConsumer    = "fold"
	resolveConsumer = "resolve"
	reconcilePrefix = "reconcile-" // and the tenant
)

// ensure makes the consumer, or changes it, so that it is as f says.
func (s *Streams) ensure(ctx context.Context, f feed) error {
	ctx, cancel := context.WithTimeout(ctx, DeclareTry)
	defer cancel()
	f.config.AckPolicy, f.config.AckWait, f.config.MaxDeliver = jetstream.AckExplicitPolicy, s.o.AckWait, -1
	agrees, err := s.agrees(ctx, f)
	if agrees {
		return nil
	}
	if err == nil || errors.Is(err, jetstream.ErrConsumerNotFound) {
		_, err = s.js.CreateOrUpdateConsumer(ctx, f.stream, f.config)
	}
	if err != nil {
		return fmt.Errorf("declaring consumer %s: %w", f.config.Durable, err)
	}
	return nil
}

// agrees compares the consumer with what ensure sets. An update without a
// change would still be a vote of the cluster.
func (s *Streams) agrees(ctx context.Context, f feed) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, ReadTry)
	defer cancel()
	consumer, err := s.js.Consumer(ctx, f.stream, f.config.Durable)
	if err != nil {
		return false, err
	}
	c, w := consumer.CachedInfo().Config, f.config
	return c.AckPolicy == w.AckPolicy && c.AckWait == w.AckWait && c.MaxDeliver == w.MaxDeliver &&
		c.MaxAckPending == w.MaxAckPending && c.FilterSubject == w.FilterSubject && c.Description == w.Description, nil
}

// Tenants lists the tenants that have ever had a worker: those with a consumer.
func (s *Streams) Tenants(ctx context.Context) ([]string, error) {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	var tenants []string
	names := s.streams[Devices].ConsumerNames(ctx)
	for name := range names.Name() {
		if t, ok := strings.CutPrefix(name, reconcilePrefix); ok {
			tenants = append(tenants, t)
		}
	}
	if err := names.Err(); err != nil {
		return nil, fmt.Errorf("%w: listing tenants: %w", ErrUnavailable, err)
	}
	slices.Sort(tenants)
	return tenants, nil
}
