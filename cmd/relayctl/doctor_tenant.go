package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/cmd/internal/tenants"
	"changerelay/internal/graph"
	"changerelay/internal/stream"
)

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
