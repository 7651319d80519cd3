package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// outcomes are those of the stream OUTCOMES, by the event's public id. It waits until
// each of the events has one; a missing one is the judge's to see.
func outcomes(ctx context.Context, kept map[string]event) (map[string][]string, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	nc, err := nats.Connect(os.Getenv("NATS_URL"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true))
	if err != nil {
		return nil, fmt.Errorf("connecting to the broker: %w", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	var all map[string][]string
	for {
		found, err := readOutcomes(ctx, js)
		if err == nil {
			all = found
			if missing(kept, all) == 0 {
				return all, nil
			}
		}
		if !pause(ctx, time.Second) {
			if all == nil {
				return nil, fmt.Errorf("reading OUTCOMES: %w", err)
			}
			return all, nil
		}
	}
}

func missing(kept map[string]event, all map[string][]string) (n int) {
	for id := range kept {
		if len(all[id]) == 0 {
			n++
		}
	}
	return n
}

// readOutcomes reads the stream from its beginning to its end of now.
func readOutcomes(ctx context.Context, js jetstream.JetStream) (map[string][]string, error) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	c, err := js.OrderedConsumer(ctx, "OUTCOMES", jetstream.OrderedConsumerConfig{FilterSubjects: []string{"outcomes.v1." + tenant + ".>"}})
	if err != nil {
		return nil, err
	}
	info, err := c.Info(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	if info.NumPending == 0 {
		return all, nil
	}
	it, err := c.Messages()
	if err != nil {
		return nil, err
	}
	defer it.Stop()
	for {
		m, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, err
		}
		var o struct{ Data struct{ ID, Outcome string } }
		if err := json.Unmarshal(m.Data(), &o); err != nil {
			return nil, fmt.Errorf("reading %s: %w", m.Subject(), err)
		}
		all[o.Data.ID] = append(all[o.Data.ID], o.Data.Outcome)
		if meta, err := m.Metadata(); err != nil || meta.NumPending == 0 {
			return all, err
		}
	}
}
