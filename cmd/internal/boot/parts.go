package boot

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"

	"github.com/nats-io/nats.go"

	"changerelay/internal/graph"
	"changerelay/internal/ingest"
	"changerelay/internal/ledger"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
)

// Parts makes of the configuration what the relay is built from. It reads the
// secrets of sources and the certificate once, so that a missing one stops the
// start, and watches them from then on.
func (c *Config) Parts(log *slog.Logger) (relay.Parts, error) {
	p := relay.Parts{
		Tenants:        map[string]*graph.Client{},
		Broker:         c.NATS.streams(log),
		Timing:         c.Worker.Timing.Protocol(),
		MaxAge:         c.Worker.Timing.MaxAge,
		FoldSlots:      c.Worker.FoldSlots,
		ReconcileSlots: c.Worker.ReconcileSlots,
		Pace:           c.Worker.Pace,
		IngestAddr:     c.Ingest.Listen,
		AdminAddr:      c.Admin.Listen,
		BaseURL:        c.Ingest.BaseURL,
		Proxies:        c.Ingest.Proxies,
		PeerRate:       ingest.Rate(c.Ingest.PeerRate),
		Rate:           ingest.Rate(c.Ingest.Rate),
		Version:        Version(),
		Log:            log,
	}
	for name := range c.Tenants {
		g, err := c.Graph(name)
		if err != nil {
			return p, err
		}
		p.Tenants[name] = g
	}
	w, err := c.watch(log)
	if err != nil {
		return p, err
	}
	p.Sources, p.TLS, p.ClientCAs, p.Watch = w.sources, w.tls.config(), w.tls.clientCAs(), w.run
	return p, nil
}

// Graph returns the client of a configured tenant. It makes no connection.
func (c *Config) Graph(tenant string) (*graph.Client, error) {
	t, ok := c.Tenants[tenant]
	if !ok {
		return nil, fmt.Errorf("%q is not a tenant in the configuration; it has %v", tenant, c.TenantNames())
	}
	transport := graph.NewTransport()
	if t.CAFile != "" {
		roots, err := readCA(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tenants.%s.ca_file: %w", tenant, err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	g := graph.Config{TenantID: t.TenantID, ClientID: t.ClientID, Credential: t.Credential(), CAE: t.CAE, Custom: t.Cloud == "custom",
		Cloud: graph.Clouds[t.Cloud], Transport: http.RoundTripper(transport), UserAgent: "changerelay/" + Version()}
	if g.Custom {
		g.Cloud = graph.Cloud{Graph: t.GraphURL, Authority: t.AuthorityURL}
	}
	client, err := graph.New(g)
	if err != nil {
		return nil, fmt.Errorf("tenants.%s: %w", tenant, err)
	}
	return client, nil
}

// TenantNames are the configured tenants, sorted.
func (c *Config) TenantNames() []string {
	var names []string
	for name := range c.Tenants {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Connect connects to the broker under a name that its operators see.
func (n NATS) Connect(name string, log *slog.Logger) (*nats.Conn, error) {
	var opts []nats.Option
	if n.CredentialsFile != "" {
		opts = append(opts, nats.UserCredentials(n.CredentialsFile))
	}
	if !n.Token.IsZero() {
		token, err := n.Token.Read()
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.Token(token))
	}
	if n.CAFile != "" {
		opts = append(opts, nats.RootCAs(n.CAFile))
	}
	if n.CertFile != "" {
		opts = append(opts, nats.ClientCert(n.CertFile, n.KeyFile))
	}
	return stream.Connect(n.URL, name, log, opts...)
}

func (n NATS) streams(log *slog.Logger) stream.Options {
	return stream.Options{Replicas: n.Replicas, Retention: n.Retention, Log: log}
}

// Streams are the options that the relay's streams are kept with.
func (c *Config) Streams(log *slog.Logger) stream.Options { return c.NATS.streams(log) }

// Protocol is the device protocol's timing.
func (t Timing) Protocol() ledger.Timing {
	return ledger.Timing{Fresh: t.Fresh, Lag: t.Lag, Hold: t.Hold, Settle: t.Settle, Skew: t.Skew, Budget: t.Budget}
}

func readCA(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", path)
	}
	return roots, nil
}
