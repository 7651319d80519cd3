package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/cmd/internal/tenants"
	"changerelay/internal/graph"
	"changerelay/internal/stream"
)

// checkTenants asks for each tenant's token and what it permits, and makes one read
// with it.
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
		return finding(stream.Bad, what, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
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
	if f := readFinding(ctx, g, what); f.Level != stream.OK {
		return f
	}
	return credentialFinding(what, g.CredentialEnds(), time.Now())
}

// nobody is the device that doctor reads. It is always the same one, so that an
// admin knows the call in Graph's logs.
const nobody = "d0c70000-0000-4000-8000-000000000000"

// readFinding reads a device that does not exist: that Graph says so shows that it
// lets the tenant's application read. Whether it may write, only a write would show.
func readFinding(ctx context.Context, g *graph.Client, what string) stream.Finding {
	_, err := g.DeviceID(ctx, graph.ManagedDevice(nobody))
	var e *graph.Error
	switch {
	case err == nil || errors.As(err, &e) && e.Kind == graph.Gone:
		return finding(stream.OK, what, "")
	case e != nil && e.Kind == graph.Denied:
		f := finding(stream.Bad, what, "has a token, but Graph does not let it read: %v", err)
		f.Remedy = "see that an admin's consent is given to " + graph.RoleRead + ", that no policy of the tenant blocks the application, and that the tenant has Intune"
		return f
	case e != nil && e.Kind == graph.Throttled:
		return finding(stream.Note, what, "has a token with the permissions that it needs; whether Graph lets it read is not known: %v", err)
	}
	f := finding(stream.Bad, what, "has a token, but Graph does not answer a read as it should: %v", err)
	f.Remedy = "ask again later; if it stays so, try graph_url and ca_file of the tenant from here"
	return f
}

// credentialFinding warns of a certificate that ends; other credentials have no
// end that can be seen from here.
func credentialFinding(what string, end, now time.Time) stream.Finding {
	if !end.IsZero() && end.Sub(now) < graph.CertificateWarning {
		return finding(stream.Note, what, "its certificate expires %s; upload the next one to the app registration, and put it into the file", stamp(end, now))
	}
	return finding(stream.OK, what, "has a token with the permissions that it needs, and Graph lets it read")
}
