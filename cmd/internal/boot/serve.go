package boot

import (
	"context"
	"io"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/nats-io/nats.go"

	"changerelay/internal/metrics"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
)

// Work makes relay.Parts' Work of a configuration. Package tenants has one.
type Work func(*Config, *slog.Logger) (func(context.Context, *nats.Conn, *stream.Streams, *metrics.Metrics) error, error)

// Serve loads the configuration and does the work of the roles until ctx ends.
//
// SIGHUP asks to read sources again. Until that can be done, and where there are
// none, it is ignored: it must not end a process.
// work makes the worker's part of the relay; nil is for ingest alone.
func (f Flags) Serve(ctx context.Context, roles relay.Role, name string, out io.Writer, work Work) error {
	signal.Ignore(syscall.SIGHUP)
	c, err := f.Load()
	if err != nil {
		return err
	}
	c.keepFor(roles)
	log := Logger(c.Log, out).With("service", name)
	p, err := c.Parts(log)
	if err != nil {
		return err
	}
	if work != nil {
		if p.Work, err = work(c, log); err != nil {
			return err
		}
	}
	nc, err := c.NATS.Connect(name, log)
	if err != nil {
		return err
	}
	defer nc.Close()
	return p.Run(ctx, nc, roles)
}

// keepFor drops what the roles do not need. What lets webhooks in is no business
// of a worker, which may not even have the files.
func (c *Config) keepFor(roles relay.Role) {
	if roles&relay.Ingest == 0 {
		c.Sources, c.Ingest.TLS = nil, nil
	}
}
