package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
)

// A run is the command, running in this process.
type run struct {
	t    *testing.T
	ca   string
	out  *screen
	done chan struct{}
	err  error // once done
	stop context.CancelFunc
}

// start runs the command on free ports, and waits until it says so.
func start(t *testing.T, c *cli) *run {
	t.Helper()
	c.Listen = "127.0.0.1:0"
	if c.Admin == "" {
		c.Admin = "127.0.0.1:0"
	}
	if c.CA = filepath.Join(t.TempDir(), "ca.pem"); c.Cert != "" {
		c.CA = c.Cert
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &run{t: t, ca: c.CA, out: &screen{wrote: make(chan struct{}, 1)}, done: make(chan struct{}), stop: cancel}
	go func() {
		defer close(r.done)
		r.err = c.run(ctx, r.out)
	}()
	t.Cleanup(r.end)
	r.shows(`(?m)^  admin +(http://\S+)/`)
	return r
}

func (r *run) graph() string { return r.shows(`(?m)^  graph +(https://[^/]+)/`) }
func (r *run) admin() string { return r.shows(`(?m)^  admin +(http://[^/]+)/`) }

func (r *run) shows(pattern string) string {
	r.t.Helper()
	re, limit := regexp.MustCompile(pattern), time.NewTimer(30*time.Second)
	defer limit.Stop()
	for {
		if m := re.FindStringSubmatch(r.out.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-r.out.wrote:
		case <-r.done:
			r.t.Fatalf("it ended: %v\n%s", r.err, r.out)
		case <-limit.C:
			r.t.Fatalf("no %s in\n%s", pattern, r.out)
		}
	}
}

// end stops it as Ctrl-C does.
func (r *run) end() {
	r.stop()
	<-r.done
	if r.err != nil {
		r.t.Errorf("it ended with: %v", r.err)
	}
}

// The lines that it says to paste work as they stand.
func TestPaste(t *testing.T) {
	r := start(t, &cli{})
	r.shows(`(?m)^  curl -s .*\$select=id,deviceActionResults'$`)
	s := newShell(t, r.ca)
	wanted := []string{`"access_token"`, "204", `"assignmentItemActionStatus":"initiated"`}
	for _, l := range regexp.MustCompile(`(?m)^  ((?:TOKEN=|curl ).*)$`).FindAllStringSubmatch(r.out.String(), -1) {
		s.line(l[1])
		if len(wanted) == 0 || !strings.Contains(s.seen, wanted[0]) {
			t.Fatalf("%s\nanswers %s", l[1], s.seen)
		}
		wanted = wanted[1:]
	}
	if len(wanted) > 0 {
		t.Errorf("nothing to paste for %v", wanted)
	}
}

func TestGivenCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	makePair(t, cert, key)
	r := start(t, &cli{Cert: cert, Key: key})
	s := newShell(t, cert)
	s.curl("curl -s " + r.graph() + "/11111111-1111-4111-8111-111111111111/v2.0/.well-known/openid-configuration")
	if !strings.HasPrefix(s.seen, "200") {
		t.Error(s.seen)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("it wrote a CA beside the given certificate: %v", left)
	}
}

func makePair(t *testing.T, cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "given"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What cannot start says which flag is meant.
func TestStartErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	busy, dir := l.Addr().String(), t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	for remedy, c := range map[string]cli{
		"--listen":              {Listen: busy, Admin: "127.0.0.1:0", CA: ca},
		"--admin":               {Listen: "127.0.0.1:0", Admin: busy, CA: ca},
		"--ca":                  {Listen: "127.0.0.1:0", CA: filepath.Join(dir, "no", "ca.pem")},
		"--scenario":            {Scenario: filepath.Join(dir, "none.yaml")},
		"--cert and --key go":   {Listen: "127.0.0.1:0", Cert: ca},
		"loading --cert and --": {Listen: "127.0.0.1:0", Cert: ca + "x", Key: ca},
	} {
		if err := c.run(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), remedy) {
			t.Errorf("%s: %v", remedy, err)
		}
	}
}

func TestExample(t *testing.T) {
	var out bytes.Buffer
	if err := (&cli{Example: true}).run(t.Context(), &out); err != nil || !bytes.Equal(out.Bytes(), example) {
		t.Error(err)
	}
}

// A screen is what the command has written.
type screen struct {
	await.Log
	wrote chan struct{}
}

func (s *screen) Write(p []byte) (int, error) {
	n, err := s.Log.Write(p)
	select {
	case s.wrote <- struct{}{}:
	default:
	}
	return n, err
}
