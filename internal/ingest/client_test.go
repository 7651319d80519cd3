package ingest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"changerelay/internal/ingest/verify"
)

// issue makes a certificate that is good for an hour; without a parent, its own.
func issue(t *testing.T, name string, usage x509.ExtKeyUsage, parent *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: clock.Add(-time.Hour), NotAfter: clock.Add(time.Hour),
		BasicConstraintsValid: true, IsCA: usage == x509.ExtKeyUsageAny, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	if parent == nil {
		parent = &tls.Certificate{Leaf: c, PrivateKey: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent.Leaf, key.Public(), parent.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Leaf: leaf, PrivateKey: key}
}

// A client's certificate counts for as long as it and its CA are good, and not
// for as long as the connection that it came with.
func TestClientIsJudgedAgain(t *testing.T) {
	ca, other := issue(t, "ca", x509.ExtKeyUsageAny, nil), issue(t, "other", x509.ExtKeyUsageAny, nil)
	between := issue(t, "between", x509.ExtKeyUsageAny, ca)
	state := func(chain ...*tls.Certificate) *tls.ConnectionState {
		s := &tls.ConnectionState{}
		for _, c := range chain {
			s.PeerCertificates = append(s.PeerCertificates, c.Leaf)
		}
		s.VerifiedChains = [][]*x509.Certificate{s.PeerCertificates} // as the handshake found it
		return s
	}
	direct := state(issue(t, "snow", x509.ExtKeyUsageClientAuth, ca))
	pool := func(list ...*tls.Certificate) func() *x509.CertPool {
		p := x509.NewCertPool()
		for _, c := range list {
			p.AddCert(c.Leaf)
		}
		return func() *x509.CertPool { return p }
	}
	for name, c := range map[string]struct {
		state *tls.ConnectionState
		roots func() *x509.CertPool
		at    time.Time
		code  int
	}{
		"good":                    {direct, pool(ca), clock, 202},
		"with one between":        {state(issue(t, "snow", x509.ExtKeyUsageClientAuth, between), between), pool(ca), clock, 202},
		"beside another CA":       {direct, pool(other, ca), clock, 202},
		"as the handshake left":   {direct, nil, clock.Add(2 * time.Hour), 202},
		"CA taken out":            {direct, pool(other), clock, 401},
		"all CAs taken out":       {direct, func() *x509.CertPool { return nil }, clock, 401},
		"over":                    {direct, pool(ca), clock.Add(2 * time.Hour), 401},
		"not yet":                 {direct, pool(ca), clock.Add(-2 * time.Hour), 401},
		"a server's":              {state(issue(t, "snow", x509.ExtKeyUsageServerAuth, ca)), pool(ca), clock, 401},
		"another's":               {state(issue(t, "evil", x509.ExtKeyUsageClientAuth, ca)), pool(ca), clock, 401},
		"unproven":                {&tls.ConnectionState{PeerCertificates: direct.PeerCertificates}, pool(ca), clock, 401},
		"TLS without certificate": {&tls.ConnectionState{}, pool(ca), clock, 401},
		"no TLS":                  {nil, pool(ca), clock, 401},
	} {
		w := newWorld(t, withSource("snow", func(s *Source) { s.Checks.Certificate = &verify.Certificate{Subjects: []string{"CN=snow"}} }),
			func(config *Config) { config.ClientCAs, config.Now = c.roots, func() time.Time { return c.at } })
		r := snow("/v1/hooks/snow", snowBody)
		r.TLS = c.state
		if rec := w.do(r); rec.Code != c.code || c.code == 401 && w.lastLine(t)["reason"] != "bad_certificate" {
			t.Errorf("%s: got %d %s, want %d", name, rec.Code, rec.Body, c.code)
		}
	}
}

// Who need not show one is not judged by it.
func TestClientIsJudgedWhereItMatters(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.ClientCAs = func() *x509.CertPool { panic("a certificate is judged") } })
	c := issue(t, "snow", x509.ExtKeyUsageClientAuth, nil).Leaf
	r := snow("/v1/hooks/snow", snowBody)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c}, VerifiedChains: [][]*x509.Certificate{{c}}}
	if rec := w.do(r); rec.Code != 202 {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}
