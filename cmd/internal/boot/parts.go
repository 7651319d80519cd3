package boot

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/nats-io/nats.go"

	"changerelay/internal/ingest"
	"changerelay/internal/ledger"
	"changerelay/internal/quota"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
)

// Parts makes of the configuration what a relay with these roles is built from;
// worker is needed for that role. It reads the certificate once, so that a missing
// one stops the start, and the secrets of sources and tenants, of which a missing
// one takes that source or tenant offline, and watches them from then on. The
// relay closes the tracer.
func (c *Config) Parts(roles relay.Role, worker NewService, log *slog.Logger) (relay.Parts, error) {
	c.keepFor(roles)
	p := relay.Parts{
		Tenants:    c.TenantNames(),
		Quotas:     c.quotas(),
		Timing:     c.Worker.Timing.Protocol(),
		Broker:     c.NATS.streams(log),
		IngestAddr: c.Ingest.Listen,
		AdminAddr:  c.Admin.Listen,
		BaseURL:    c.Ingest.BaseURL,
		Proxies:    c.Ingest.Proxies,
		PeerRate:   ingest.Rate(c.Ingest.PeerRate),
		Rate:       ingest.Rate(c.Ingest.Rate),
		Version:    Version(),
		Log:        log,
	}
	w, err := c.watch(roles, log)
	if err != nil {
		return p, err
	}
	if p.Tracer, err = c.tracer(roles, log); err != nil {
		return p, err
	}
	p.Sources, p.TLS, p.ClientCAs, p.Watch = w.sources, w.tls.config(), w.tls.clientCAs(), w.run
	if roles&relay.Worker != 0 {
		made, err := worker(c, log, p.Tracer)
		if err != nil {
			return p, err
		}
		p.Work, w.worker = made.Work, made
	}
	return p, nil
}

// Where is a key's place and name, as errors begin: file:line:column: key.
func (c *Config) Where(key string) string { return c.reporter().where(key) }

// TenantNames are the configured tenants, sorted.
func (c *Config) TenantNames() []string {
	var names []string
	for name := range c.Tenants {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// quotas are what the tenants' calls are counted in.
func (c *Config) quotas() map[string]relay.Quota {
	m := map[string]relay.Quota{}
	for name, t := range c.Tenants {
		m[name] = relay.Quota{TenantID: t.TenantID, ClientID: t.Application(), Write: quota.Limit{Rate: t.Quota.WritesPerSecond, Burst: t.Quota.WriteBurst}}
	}
	return m
}

// Protocol is the device protocol's part of the timing.
func (t Timing) Protocol() ledger.Timing {
	return ledger.Timing{Fresh: t.Fresh, Lag: t.Lag, Hold: t.Hold, Settle: t.Settle, Skew: t.Skew, Budget: t.Budget}
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

// ReadCA reads certificates that others are to be signed by, in PEM form.
func ReadCA(path string) (*x509.CertPool, error) {
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
