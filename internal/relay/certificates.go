package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/metrics"
)

// certificatesEvery is how often the ends of certificates are looked at. That of
// the broker's connection is a file that is read again when it is shown.
const certificatesEvery = time.Minute

// certificates keeps the metric of their ends until ctx ends.
func (p Parts) certificates(ctx context.Context, nc *nats.Conn, m *metrics.Metrics) {
	nowAndThen(ctx, certificatesEvery, func() { p.showCertificates(nc, m) })
}

func (p Parts) showCertificates(nc *nats.Conn, m *metrics.Metrics) {
	m.CertificateExpiry.Set(metrics.Seconds(serverEnds(p.TLS)), "ingest")
	// of Opts these two alone: doctor sets another field meanwhile
	m.CertificateExpiry.Set(metrics.Seconds(clientEnds(nc.Opts.TLSCertCB, nc.Opts.TLSConfig)), "nats")
}

// serverEnds is when the certificate that a server shows ends; zero without one.
func serverEnds(c *tls.Config) time.Time {
	switch {
	case c == nil:
		return time.Time{}
	case c.GetCertificate != nil:
		if shown, err := c.GetCertificate(&tls.ClientHelloInfo{}); err == nil {
			return leafEnds(shown)
		}
	case len(c.Certificates) > 0:
		return leafEnds(&c.Certificates[0])
	}
	return time.Time{}
}

// clientEnds is when the certificate ends that the next connection would show.
func clientEnds(read nats.TLSCertHandler, c *tls.Config) time.Time {
	switch {
	case read != nil:
		if shown, err := read(); err == nil {
			return leafEnds(&shown)
		}
	case c != nil && len(c.Certificates) > 0:
		return leafEnds(&c.Certificates[0])
	}
	return time.Time{}
}

func leafEnds(c *tls.Certificate) time.Time {
	leaf := c.Leaf
	if leaf == nil && len(c.Certificate) > 0 {
		leaf, _ = x509.ParseCertificate(c.Certificate[0])
	}
	if leaf == nil {
		return time.Time{}
	}
	return leaf.NotAfter
}
