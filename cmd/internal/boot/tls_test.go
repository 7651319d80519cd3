package boot

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"changerelay/internal/relay"
	"changerelay/internal/tracing"
)

// An authority issues certificates that name it and their owner.
type authority struct {
	name string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  string
}

func newAuthority(t *testing.T, name string) *authority {
	a := &authority{name: name}
	cert, key := a.issue(t, name)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	a.pem, a.cert, a.key = cert, pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// issue makes a certificate and its key; an authority without a key issues its
// own.
func (a *authority) issue(t *testing.T, owner string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: owner}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: a.key == nil,
	}
	parent, signer := a.cert, a.key
	if a.key == nil {
		parent, signer = template, private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, private.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes}))
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// shake connects a client to a server and returns what each has seen of the
// other.
func shake(server, client *tls.Config) (seen, offered tls.ConnectionState, err error) {
	near, far := net.Pipe()
	s, c := tls.Server(far, server), tls.Client(near, client)
	failed := make(chan error, 1)
	go func() { failed <- s.Handshake(); far.Close() }()
	err = c.Handshake()
	if err == nil {
		_, _ = c.Read(make([]byte, 1)) // a server of TLS 1.3 judges the client's certificate after the client is done
	}
	near.Close()
	return c.ConnectionState(), s.ConnectionState(), errors.Join(err, <-failed)
}

const served = tenant + "ingest: {tls: {cert_file: c.pem, key_file: k.pem, client_ca_file: ca.pem}}\n"

func TestTLS(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	cert, key := ours.issue(t, "first")
	_, c := files(t, map[string]string{"acme": password, "relay.yaml": served, "c.pem": cert, "k.pem": key, "ca.pem": theirs.pem})
	p, err := c.Parts(relay.Ingest, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client := &tls.Config{RootCAs: ours.pool(), ServerName: "localhost", NextProtos: []string{"h2"}}
	seen, _, err := shake(p.TLS, client)
	if err != nil || seen.PeerCertificates[0].Subject.CommonName != "first" || seen.NegotiatedProtocol != "h2" {
		t.Errorf("%v, %v", seen.PeerCertificates, err)
	}
	old := client.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
	if _, _, err := shake(p.TLS, old); err == nil {
		t.Error("TLS 1.1 was taken")
	}

	mine, mineKey := theirs.issue(t, "snow")
	pair, err := tls.X509KeyPair([]byte(mine), []byte(mineKey))
	if err != nil {
		t.Fatal(err)
	}
	known := client.Clone()
	known.Certificates = []tls.Certificate{pair}
	if _, at, err := shake(p.TLS, known); err != nil || len(at.VerifiedChains) != 1 {
		t.Errorf("a good client's certificate: %v, %v", at.VerifiedChains, err)
	}
	stranger, strangerKey := ours.issue(t, "snow")
	if pair, err = tls.X509KeyPair([]byte(stranger), []byte(strangerKey)); err != nil {
		t.Fatal(err)
	}
	known.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	if _, _, err := shake(p.TLS, known); err == nil {
		t.Error("a client's certificate of another CA was taken")
	}
}

func TestTLSMistakes(t *testing.T) {
	ours := newAuthority(t, "ours")
	cert, key := ours.issue(t, "first")
	_, other := ours.issue(t, "second")
	for name, c := range map[string]struct{ cert, key, ca, want string }{
		"another's key":  {cert, other, cert, "6:16: ingest.tls.cert_file: DIR/c.pem and DIR/k.pem are no certificate and its key in PEM form: tls: private key does not match public key"},
		"no certificate": {"hunter2", key, cert, "6:16: ingest.tls.cert_file: DIR/c.pem and DIR/k.pem are no certificate and its key in PEM form: tls: failed to find any PEM data in certificate input"},
		"no key":         {cert, "", cert, "6:34: ingest.tls.key_file: there is no file DIR/k.pem; create it, or mount the secret there"},
		"no CA":          {cert, key, "hunter2", "6:51: ingest.tls.client_ca_file: DIR/ca.pem holds no certificate in PEM form"},
	} {
		contents := map[string]string{"acme": password, "relay.yaml": served, "c.pem": c.cert, "k.pem": c.key, "ca.pem": c.ca}
		if c.key == "" {
			delete(contents, "k.pem")
		}
		dir, cfg := files(t, contents)
		_, err := cfg.Parts(relay.Ingest, nil, slog.New(slog.DiscardHandler))
		want := filepath.Join(dir, "relay.yaml") + ":" + strings.ReplaceAll(c.want, "DIR", dir)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", name, err, want)
		}
	}
}

// A worker starts without the secrets of sources and the certificate.
func TestWorkerNeedsNoSecretsOfIngest(t *testing.T) {
	contents := map[string]string{"acme": password, "relay.yaml": served + "sources:\n" + hook("a", "none")}
	for roles, good := range map[relay.Role]bool{relay.Worker: true, relay.Ingest: false, relay.Ingest | relay.Worker: false} {
		_, c := files(t, contents)
		if _, err := c.Parts(roles, idle, slog.New(slog.DiscardHandler)); (err == nil) != good {
			t.Errorf("roles %d: %v", roles, err)
		}
	}
}

// A CA that is taken out is out for clients that are connected too: whoever
// serves them is told which are in force.
func TestClientCAsInForce(t *testing.T) {
	ours, theirs, next := newAuthority(t, "ours"), newAuthority(t, "theirs"), newAuthority(t, "next")
	cert, key := ours.issue(t, "first")
	dir, c := files(t, map[string]string{"acme": password, "relay.yaml": served, "c.pem": cert, "k.pem": key, "ca.pem": theirs.pem})
	w, err := c.watch(relay.Ingest, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	inForce := w.tls.clientCAs()
	if !inForce().Equal(theirs.pool()) {
		t.Error("the CA of the file is not in force")
	}
	write(t, filepath.Join(dir, "ca.pem"), next.pem)
	if err := w.reloadTLS(); err != nil {
		t.Fatal(err)
	}
	if !inForce().Equal(next.pool()) {
		t.Error("the CA that was taken out is in force")
	}
	if (*certificates)(nil).clientCAs() != nil {
		t.Error("without TLS there are CAs")
	}
}

// A noService does no work.
type noService struct{ Service }

func idle(*Config, *slog.Logger, *tracing.Tracer) (Service, error) { return noService{}, nil }
