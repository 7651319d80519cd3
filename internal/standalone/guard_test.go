package standalone

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"changerelay/internal/await"
	"changerelay/internal/natstest"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
)

// The users of docs/operations.md, and one that only the test has.
const (
	ingestUser   = "changerelay-ingest.example"
	workerUser   = "changerelay-worker.example"
	readUser     = "relayctl-read.example"
	operateUser  = "relayctl-operate.example"
	producerUser = "desk.acme.example"
	observerUser = "observer.relay.example" // sees and may do everything in the relay's account
)

// observer sees and may do everything in an account.
func observer(account string) string { return "observer." + strings.ToLower(account) + ".example" }

// A guard is a broker that lets in and permits whom docs/operations.md says.
type guard struct {
	*rig
	dir   string
	ca    *x509.Certificate
	key   *ecdsa.PrivateKey
	users []*server.User
}

// guarded is a rig whose broker is run by the manual's configuration.
func guarded(t *testing.T) *guard {
	t.Helper()
	g := &guard{dir: t.TempDir()}
	g.authority(t)
	conf := strings.ReplaceAll(block(t, "../../docs/operations.md", "conf"), "/etc/nats/tls", g.dir)
	g.rig = newRig(t, natstest.Config(t, conf), g.observed)
	g.dial = func(role relay.Role, log *slog.Logger) (*nats.Conn, error) {
		if role == relay.Ingest {
			return stream.Connect(g.broker.URL(), "changerelay-ingest", log, g.is(ingestUser))
		}
		return stream.Connect(g.broker.URL(), "changerelay-worker", log, g.is(workerUser))
	}
	return g
}

// observed adds an observer to each account.
func (g *guard) observed(o *server.Options) {
	g.users = o.Users
	for _, a := range o.Accounts {
		o.Users = append(o.Users, &server.User{Username: observer(a.GetName()), Account: a})
	}
}

// is proves to be a user, as the programs do with nats.cert_file.
func (g *guard) is(user string) nats.Option {
	roots := x509.NewCertPool()
	roots.AddCert(g.ca)
	return nats.Secure(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{g.certificate(user)}, MinVersion: tls.VersionTLS12})
}

// as is a connection of a user, and what the broker complains of to it.
func (g *guard) as(user string, opts ...nats.Option) (*nats.Conn, *told) {
	c := &told{}
	opts = append(opts, g.is(user), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.add(err.Error()) }))
	return natstest.Connect(g.t, g.broker.URL(), opts...), c
}

// told is what the broker has complained of to one connection.
type told struct {
	mu   sync.Mutex
	list []string
}

func (c *told) add(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, s)
}

func (c *told) has(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Contains(strings.ToLower(strings.Join(c.list, "\n")), strings.ToLower(text))
}

// forbidden wants the broker to refuse the user a publish to each subject.
func (g *guard) forbidden(user string, subjects ...string) {
	g.t.Helper()
	nc, heard := g.as(user)
	for _, s := range subjects {
		if err := nc.PublishRequest(s, "_INBOX.x", []byte("{}")); err != nil {
			g.t.Fatal(err)
		}
		await.State(g.t, "the broker to refuse "+user+" "+s, func() bool { return heard.has(`permissions violation for publish to "` + s + `"`) })
	}
}

// deaf wants the broker to refuse the user a subscription to each subject.
func (g *guard) deaf(user string, subjects ...string) {
	g.t.Helper()
	nc, heard := g.as(user)
	for _, s := range subjects {
		if _, err := nc.SubscribeSync(s); err != nil {
			g.t.Fatal(err)
		}
		await.State(g.t, "the broker to refuse "+user+" to hear "+s, func() bool { return heard.has(`permissions violation for subscription to "` + s + `"`) })
	}
}

// authority makes the files that the configuration names.
func (g *guard) authority(t *testing.T) {
	t.Helper()
	var err error
	if g.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &g.key.PublicKey, g.key)
	if err != nil {
		t.Fatal(err)
	}
	if g.ca, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	g.write(t, "ca.crt", "CERTIFICATE", der)
	g.issue(t, "tls", "localhost")
}

// issue writes a certificate of a name, and its key.
func (g *guard) issue(t testing.TB, file, name string) {
	t.Helper()
	c := g.certificate(name)
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	g.write(t, file+".crt", "CERTIFICATE", c.Certificate[0])
	g.write(t, file+".key", "PRIVATE KEY", key)
}

func (g *guard) certificate(name string) tls.Certificate {
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, g.ca, &key.PublicKey, g.key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (g *guard) write(t testing.TB, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// build compiles a program against this module's requirements, which an example
// may have as its own.
func (g *guard) build(name, source string) string {
	g.t.Helper()
	program := filepath.Join(g.dir, name)
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		g.t.Fatalf("%v: %s", err, out)
	}
	return program
}

// relayctl is the program, run as a user with a configuration of its own.
func (g *guard) relayctl(user string) func(args ...string) string {
	g.t.Helper()
	program := filepath.Join(g.dir, "relayctl")
	if _, err := os.Stat(program); err != nil {
		g.build("relayctl", "changerelay/cmd/relayctl")
	}
	g.issue(g.t, user, user)
	tenant := directory("acme")
	text := fmt.Sprintf(`
nats: { url: %q, ca_file: ca.crt, cert_file: %s.crt, key_file: %s.key, replicas: 1 }
tenants:
  acme: { tenant_id: %s, client_id: %s, client_secret: { file: secret }, cloud: custom, graph_url: %q, authority_url: %q, ca_file: graph.pem }
`, g.broker.URL(), user, user, tenant.ID, tenant.ClientID, g.sim.URL(), g.sim.URL())
	for name, content := range map[string]string{user + ".yaml": text, "secret": tenant.ClientSecret, "graph.pem": string(g.sim.CA())} {
		if err := os.WriteFile(filepath.Join(g.dir, name), []byte(content), 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
	return func(args ...string) string {
		g.t.Helper()
		out, err := exec.Command(program, append(args, "--config", filepath.Join(g.dir, user+".yaml"))...).CombinedOutput()
		if err != nil {
			g.t.Errorf("relayctl %v: %v", args, err)
		}
		return string(out)
	}
}

// block is the one snippet of a language in a manual.
func block(t *testing.T, manual, lang string) string {
	t.Helper()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split("\n"+string(text), "\n```"+lang+"\n")
	if len(parts) != 2 {
		t.Fatalf("%s has %d blocks of %s, want one", manual, len(parts)-1, lang)
	}
	snippet, _, ok := strings.Cut(parts[1], "\n```")
	if !ok {
		t.Fatalf("%s: the block of %s has no end", manual, lang)
	}
	return snippet + "\n"
}
