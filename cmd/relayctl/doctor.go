package main

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/stream"
)

// doctor looks at everything that an installation rests on.
type doctor struct {
	boot.Flags
	form
	watch
	Deep    bool     `help:"Look at every device's document, not at 200 of them."`
	Strict  bool     `help:"Exit with 1 for notes, too."`
	NoGraph bool     `name:"no-graph" help:"Do not ask Entra and Graph."`
	Monitor []string `placeholder:"URL" help:"A NATS server's monitoring, such as http://nats-0:8222, to see how it syncs; may be given for each server."`
}

func (doctor) Help() string {
	return `It checks the configuration and its secrets; the broker's servers, clocks,
streams, buckets and consumers against what the services declare; work that
nobody does; of each tenant its token, the permissions in it, and whether Graph
lets it read: one GET of a device that does not exist; and of each source its
checks, how long its keys are good, and what they do not protect from. It changes
nothing, and exits with 1 if anything has to be mended.

What is so of several streams, sources, tenants or devices is said once;
--output json has an object for each. What cannot be reached is waited for: the
broker 2 s, a question to it 15 s, a tenant 30 s.

Examples:

    relayctl doctor
    relayctl doctor --deep --strict
    relayctl doctor --output json | jq -r 'select(.level == "bad") | .remedy'
    relayctl doctor --monitor http://nats-0:8222 --monitor http://nats-1:8222
    relayctl doctor --no-graph --watch=1m
`
}

// Validate is called by the command line's parser.
func (d *doctor) Validate() error { return d.watch.check() }

// Run is called by the command line's parser.
func (d *doctor) Run(ctx context.Context, out io.Writer) error {
	return d.look(ctx, out, d.form, func(ctx context.Context) (view, error) {
		fs, err := d.examine(ctx)
		if err != nil {
			return nil, err
		}
		return fs, fs.verdict(d.Strict)
	})
}

func (d *doctor) examine(ctx context.Context) (findings, error) {
	c, err := d.Load()
	if err != nil {
		return nil, err
	}
	fs := findings{finding(stream.OK, "configuration", "%s has %s and %s", d.Config, count(len(c.Tenants), "tenant"), count(len(c.Sources), "source"))}
	fs = append(fs, d.checkBroker(ctx, c)...)
	for _, url := range d.Monitor {
		fs = append(fs, checkMonitor(ctx, url))
	}
	if !d.NoGraph {
		fs = append(fs, checkTenants(ctx, c)...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		fs = append(fs, checkSource(c, name, time.Now())...)
	}
	return append(fs, checkShared(c)...), nil
}

func (d *doctor) checkBroker(ctx context.Context, c *boot.Config) []stream.Finding {
	b, err := connect(ctx, c)
	if err != nil {
		return []stream.Finding{finding(stream.Bad, "broker", "%v", err)}
	}
	defer b.close()
	fs := []stream.Finding{finding(stream.OK, "broker", "answers at %s", b.nc.ConnectedUrlRedacted())}
	exam := stream.Exam{Tenants: append([]string{}, c.TenantNames()...), MaxAge: c.Worker.Timing.MaxAge}
	fs = append(fs, stream.Doctor(ctx, b.nc, c.Streams(nil), exam)...)
	if b.nc.ConnectedClusterName() == "" {
		fs = lone(fs)
	}
	if slices.ContainsFunc(fs, func(f stream.Finding) bool { return f.What == "streams" }) {
		return fs // there is nothing more to look at
	}
	return append(fs, d.checkLedger(ctx, b)...)
}
