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
	"changerelay/internal/tracing"
)

// A Service is the worker's part of a process. Package tenants has one.
type Service interface {
	Work(context.Context, *nats.Conn, *stream.Streams, *metrics.Metrics) error // relay.Parts' Work
	Reload(*Config) error                                                      // puts the configuration's tenants in force; the error names those that cannot be called
}

// NewService makes the worker of a configuration. The tracer may be nil.
type NewService func(*Config, *slog.Logger, *tracing.Tracer) (Service, error)

// Serve loads the configuration and does the work of the roles until ctx ends.
//
// SIGHUP asks to read the configuration again. Until that can be done it is
// ignored: it must not end a process.
// worker makes the worker's part of the relay; nil is for ingest alone.
func (f Flags) Serve(ctx context.Context, roles relay.Role, name string, out io.Writer, worker NewService) error {
	signal.Ignore(syscall.SIGHUP)
	c, err := f.Load()
	if err != nil {
		return err
	}
	log := c.Logger(out).With("service", name)
	p, err := c.Parts(roles, worker, log)
	if err != nil {
		return err
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
//
// A configuration that is read again is treated as the first one was.
func (c *Config) keepFor(roles relay.Role) {
	if roles&relay.Ingest != 0 {
		return
	}
	c.Sources, c.Ingest.TLS = nil, nil
	if c.from.loaded != nil {
		c.from.loaded.keepFor(roles)
	}
}
