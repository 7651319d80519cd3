package boot

import (
	"context"
	"io"

	"changerelay/internal/relay"
)

// Serve loads the configuration and does the work of the roles until ctx ends.
func (f Flags) Serve(ctx context.Context, roles relay.Role, name string, out io.Writer) error {
	c, err := f.Load()
	if err != nil {
		return err
	}
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
