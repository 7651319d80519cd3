package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/cmd/internal/tenants"
	"changerelay/internal/graph"
	"changerelay/internal/stream"
)

// doctor looks at everything that an installation rests on.
type doctor struct {
	boot.Flags
}

func (doctor) Help() string {
	return `It checks the configuration and its secrets, the broker's version and streams,
each tenant's token and permissions, and of each source its checks, how long its
keys are good, and what they do not protect from. It changes nothing, and exits
with 1 if anything has to be mended.

Examples:

    relayctl doctor
    relayctl doctor --config ./changerelay.yaml
`
}

// Run is called by the command line's parser.
func (d doctor) Run(ctx context.Context, out io.Writer) error {
	c, err := d.Load()
	if err != nil {
		return err
	}
	fs := []stream.Finding{finding(stream.OK, "configuration", "%s has %s and %s", d.Config, count(len(c.Tenants), "tenant"), count(len(c.Sources), "source"))}
	fs = append(fs, checkBroker(ctx, c)...)
	fs = append(fs, checkTenants(ctx, c)...)
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		fs = append(fs, checkSource(c, name, time.Now())...)
	}
	fs = append(fs, checkShared(c)...)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t, bad := newTable(out), 0
	for _, f := range fs {
		t.row(string(f.Level), f.What, f.Detail)
		if f.Level == stream.Bad {
			bad++
		}
	}
	if err := t.flush(); err != nil || bad == 0 {
		return err
	}
	return fmt.Errorf("%s to be mended", count(bad, "thing"))
}

func finding(level stream.Level, what, format string, args ...any) stream.Finding {
	return stream.Finding{Level: level, What: what, Detail: fmt.Sprintf(format, args...)}
}

func checkBroker(ctx context.Context, c *boot.Config) []stream.Finding {
	b, err := connect(ctx, c)
	if err != nil {
		return []stream.Finding{finding(stream.Bad, "broker", "%v", err)}
	}
	defer b.close()
	fs := []stream.Finding{finding(stream.OK, "broker", "answers at %s", b.nc.ConnectedUrlRedacted())}
	ctx, cancel := asking(ctx)
	defer cancel()
	s, err := b.streams(ctx)
	if err != nil {
		return append(fs, finding(stream.Bad, "streams", "%v", err))
	}
	return append(fs, s.Doctor(ctx)...)
}

// checkTenants asks for each tenant's token and what it permits.
func checkTenants(ctx context.Context, c *boot.Config) []stream.Finding {
	names := c.TenantNames()
	fs := make([]stream.Finding, len(names))
	var wg sync.WaitGroup
	free := make(chan struct{}, tenantsAtOnce)
	for i, name := range names {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			fs[i] = checkTenant(ctx, c, name)
		})
	}
	wg.Wait()
	return fs
}

func checkTenant(ctx context.Context, c *boot.Config, name string) stream.Finding {
	what := "tenant " + name
	g, err := tenants.Graph(c, name)
	if err != nil {
		return finding(stream.Bad, what, "%v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, graphWithin)
	defer cancel()
	lacks, err := g.Lacking(ctx)
	switch {
	case err != nil:
		return finding(stream.Bad, what, "%v", err)
	case lacks != nil:
		return finding(stream.Bad, what, "%s", lacks.Remedy)
	}
	return credentialFinding(what, g.CredentialEnds(), time.Now())
}

// credentialFinding warns of a certificate that ends; other credentials have no
// end that can be seen from here.
func credentialFinding(what string, end, now time.Time) stream.Finding {
	if !end.IsZero() && end.Sub(now) < graph.CertificateWarning {
		return finding(stream.Note, what, "its certificate expires %s; upload the next one to the app registration, and put it into the file", stamp(end, now))
	}
	return finding(stream.OK, what, "has a token with the permissions that it needs")
}
