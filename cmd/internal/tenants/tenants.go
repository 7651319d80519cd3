// Package tenants makes of a configuration what calls Graph: each tenant's client
// and the worker. It is apart from package boot, so that the ingest service,
// which needs neither, does not carry them and never reads a tenant's credential.
package tenants

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

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
			return nil, fmt.Errorf("%s: %w", c.Where("tenants."+tenant+".ca_file"), err)
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
		return nil, errors.New(inFile(c, tenant, err.Error()))
	}
	return client, nil
}

// fields are the names that the file has for those of graph.Config.
var fields = map[string]string{
	"Credential.Secret": "client_secret", "Credential.Certificate": "certificate", "Credential.FederatedToken": "federated_token",
	"Credential.ManagedIdentity": "managed_identity", "TenantID": "tenant_id", "ClientID": "client_id", "Cloud.Graph": "graph_url", "Cloud.Authority": "authority_url",
}

// inFile puts into an error of package graph the place in the file in place of the
// field's name.
func inFile(c *boot.Config, tenant, text string) string {
	text = strings.TrimPrefix(text, "configuring graph: ")
	at := "tenants." + tenant
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		rest, ok := strings.CutPrefix(text, name)
		switch {
		case !ok:
		case strings.Contains(rest, at+"."): // a secret says by itself where it is
			return strings.TrimPrefix(rest, ": ")
		default:
			return c.Where(at+"."+fields[name]) + rest
		}
	}
	return c.Where(at) + ": " + text
}
