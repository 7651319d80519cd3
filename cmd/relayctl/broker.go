package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/ledger"
	"changerelay/internal/stream"
)

// A broker is the message broker as an operator's tool uses it: it reads, and
// declares nothing.
type broker struct {
	nc *nats.Conn
	js jetstream.JetStream
	c  *boot.Config
}

// connect gives up after a moment: the services wait for a broker, people do not.
func connect(ctx context.Context, c *boot.Config) (*broker, error) {
	nc, err := c.NATS.Connect("relayctl", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	changed := nc.StatusChanged(nats.CONNECTED)
	for nc.Status() != nats.CONNECTED {
		select {
		case <-changed:
		case <-ctx.Done():
			cause := nc.LastError()
			nc.Close()
			if cause == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				cause = fmt.Errorf("no connection within %s", connectWithin)
			} else if cause == nil {
				cause = ctx.Err()
			}
			return nil, fmt.Errorf("the broker does not answer at %s: %w; is it there? nats.url in the configuration names it", c.NATS.URL, cause)
		}
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return &broker{nc, js, c}, nil
}

func (b *broker) close() { b.nc.Close() }

func (b *broker) streams(ctx context.Context) (*stream.Streams, error) {
	return stream.Attach(ctx, b.nc, b.c.Streams(nil))
}

func (b *broker) ledger(ctx context.Context) (*ledger.Store, error) { return ledger.Attach(ctx, b.js) }

// asking bounds what a command asks the broker.
func asking(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, askWithin)
}
