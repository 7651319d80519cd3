package boot

import (
	"context"
	"io"
	"os/signal"
	"syscall"

	"changerelay/internal/relay"
)

// Serve loads the configuration and does the work of the roles until ctx ends.
//
// SIGHUP asks to read sources again. Until that can be done, and where there are
// none, it is ignored: it must not end a process.
func (f Flags) Serve(ctx context.Context, roles relay.Role, name string, out io.Writer) error {
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
