// Package tenants makes of a configuration what calls Graph: each tenant's client
// and the worker. It is apart from package boot, so that the ingest service,
// which needs neither, does not carry them and never reads a tenant's credential.
package tenants

import (
	"crypto/tls"
	"fmt"
	"net/http"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/graph"
	"changerelay/internal/tracing"
)

// Graph returns the client of a configured tenant. It makes no connection.
func Graph(c *boot.Config, tenant string) (*graph.Client, error) {
	t, ok := c.Tenants[tenant]
	if !ok {
		return nil, fmt.Errorf("%q is not a tenant in the configuration; it has %v", tenant, c.TenantNames())
	}
	transport := graph.NewTransport()
	if t.CAFile != "" {
		roots, err := boot.ReadCA(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tenants.%s.ca_file: %w", tenant, err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	g := graph.Config{TenantID: t.TenantID, ClientID: t.ClientID, Credential: credential(t), CAE: t.CAE, Custom: t.Cloud == "custom",
		Cloud: graph.Clouds[t.Cloud], Transport: http.RoundTripper(transport), UserAgent: "changerelay/" + boot.Version(), RequestID: tracing.RequestID}
	if g.Custom {
		g.Cloud = graph.Cloud{Graph: t.GraphURL, Authority: t.AuthorityURL}
	}
	client, err := graph.New(g)
	if err != nil {
		return nil, fmt.Errorf("tenants.%s: %w", tenant, err)
	}
	return client, nil
}
