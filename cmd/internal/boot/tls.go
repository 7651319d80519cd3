package boot

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync/atomic"
)

// maxCertificates bounds files of certificates and of an issuer's keys, bytes: a
// system's whole bundle fits in.
const maxCertificates = 1 << 20

// certificates are what ingest serves TLS with; their files may change while it
// does. A connection keeps the certificate that it began with.
type certificates struct {
	files TLS
	now   atomic.Pointer[tls.Config]
}

// config is for a server; nil without TLS.
func (c *certificates) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load(), nil },
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.now.Load().Certificates[0], nil
		},
	}
}

// clientCAs says which are in force; nil without TLS. Connections last longer than
// a CA that is taken out must be believed.
func (c *certificates) clientCAs() func() *x509.CertPool {
	if c == nil {
		return nil
	}
	return func() *x509.CertPool { return c.now.Load().ClientCAs }
}

// reload reads the files; a mistake in one leaves the old certificates in force.
func (c *certificates) reload(d *decoder) {
	known := len(d.mistakes)
	t := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"}, // net/http adds them to the outer config only
		Certificates: []tls.Certificate{d.keyPair(c.files)},
	}
	if c.files.ClientCAFile != "" {
		t.ClientAuth, t.ClientCAs = tls.VerifyClientCertIfGiven, d.clientCAs(c.files.ClientCAFile)
		// A resumed session would bring its certificate along unverified: a
		// CA that was taken out must be out at once.
		t.SessionTicketsDisabled = true
	}
	if len(d.mistakes) == known {
		c.now.Store(t)
	}
}

// keyPair reads the certificate and its key. Their error does not hold the key.
func (d *decoder) keyPair(t TLS) tls.Certificate {
	cert, err := readFile(t.CertFile, maxCertificates)
	if err != nil {
		d.bad("ingest.tls.cert_file", "%v", err)
	}
	key, e := readFile(t.KeyFile, maxCertificates)
	if e != nil {
		d.bad("ingest.tls.key_file", "%v", e)
	}
	if errors.Join(err, e) != nil {
		return tls.Certificate{}
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		d.bad("ingest.tls.cert_file", "%s and %s are no certificate and its key in PEM form: %v", t.CertFile, t.KeyFile, err)
	}
	return pair
}

func (d *decoder) clientCAs(path string) *x509.CertPool {
	pool := x509.NewCertPool()
	pem, err := readFile(path, maxCertificates)
	switch {
	case err != nil:
		d.bad("ingest.tls.client_ca_file", "%v", err)
	case !pool.AppendCertsFromPEM(pem):
		d.bad("ingest.tls.client_ca_file", "%s holds no certificate in PEM form", path)
	}
	return pool
}
