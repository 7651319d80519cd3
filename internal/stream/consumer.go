package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// Names of the durable consumers.
const (
	foldConsumer    = "fold"
	resolveConsumer = "resolve"
	reconcilePrefix = "reconcile-" // and the tenant
)

// What is put back for later must not block others, so none of the consumers
// bounds what is unacknowledged; slots bound the work.

// folder is the consumer of Folds: an event may wait for room in its device's
// document.
func (s *Streams) folder() jetstream.ConsumerConfig {
	return s.pulled(jetstream.ConsumerConfig{Durable: foldConsumer, Description: "changes on their way into the ledger"})
}

// resolver is the consumer of Resolves: events of a tenant that is throttled
// wait.
func (s *Streams) resolver() jetstream.ConsumerConfig {
	return s.pulled(jetstream.ConsumerConfig{Durable: resolveConsumer, Description: "events on their way to a device"})
}

// reconciler is the consumer of Wakes: devices wait for their next look.
func (s *Streams) reconciler(tenant string) jetstream.ConsumerConfig {
	return s.pulled(jetstream.ConsumerConfig{Durable: reconcilePrefix + tenant, Description: "devices of " + tenant + " that are due",
		FilterSubject: events.DevicesPrefix + tenant + ".*"})
}

func (s *Streams) pulled(c jetstream.ConsumerConfig) jetstream.ConsumerConfig {
	c.AckPolicy, c.AckWait, c.MaxDeliver, c.MaxAckPending = jetstream.AckExplicitPolicy, s.o.AckWait, -1, -1
	return c
}

// ensure makes the consumer, or changes it, so that it is as f says.
func (s *Streams) ensure(ctx context.Context, f feed) error {
	ctx, cancel := context.WithTimeout(ctx, DeclareTry)
	defer cancel()
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
