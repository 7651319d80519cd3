package graph_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"software.sslmate.com/src/go-pkcs12"

	"changerelay/internal/graph"
)

const filePassword = "p12~password.nobody-may_see"

// Keys take long to make, so the tests share them.
var keys = sync.OnceValue(func() (k struct{ a, b, short *rsa.PrivateKey }) {
	k.a, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.b, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.short, _ = rsa.GenerateKey(rand.Reader, 1024)
	return k
})

func issue(t testing.TB, key crypto.Signer, from, to time.Time) *x509.Certificate {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: n, Subject: pkix.Name{CommonName: "relay"}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

// good is a certificate of the key that is valid now.
func good(t testing.TB, key crypto.Signer) *x509.Certificate {
	return issue(t, key, time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour).Truncate(time.Second))
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func certPEM(c *x509.Certificate) []byte { return pemOf("CERTIFICATE", c.Raw) }

func keyPEM(t testing.TB, key any) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PRIVATE KEY", der)
}

func p12(t testing.TB, e *pkcs12.Encoder, key any, c *x509.Certificate, chain ...*x509.Certificate) []byte {
	t.Helper()
	data, err := e.Encode(key, c, chain, filePassword)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, []byte("comment\n")) }

// withFile has the client take its certificate from data, with or without a password.
func withFile(data []byte, password ...string) func(*graph.Config) {
	return func(c *graph.Config) {
		cert := &graph.Certificate{Read: func() ([]byte, error) { return data, nil }}
		if len(password) > 0 {
			cert.Password = func() (string, error) { return password[0], nil }
		}
		c.Credential = graph.Credential{Certificate: cert}
	}
}

func TestCertificates(t *testing.T) {
	k := keys()
	leaf, ca := good(t, k.a), good(t, k.b)
	for name, f := range map[string]func(*graph.Config){
		"PEM":           withFile(join(keyPEM(t, k.a), certPEM(leaf), certPEM(ca))),
		"PEM, CA first": withFile(join(certPEM(ca), certPEM(leaf), keyPEM(t, k.a))),
		"PKCS#1":        withFile(join(pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k.a)), certPEM(leaf), certPEM(ca))),
		"PKCS#12":       withFile(p12(t, pkcs12.Modern, k.a, leaf, ca), filePassword),
		"old PKCS#12":   withFile(p12(t, pkcs12.LegacyDES, k.a, leaf, ca), filePassword),
	} {
		c := newCloud(t, false)
		g := c.client(t, f)
		if err := post(t, g); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !g.CredentialEnds().Equal(leaf.NotAfter) {
			t.Errorf("%s: ends %v, want %v", name, g.CredentialEnds(), leaf.NotAfter)
		}
		tokens, _ := c.got()
		assertion(t, name, tokens[0].body, leaf, ca)
	}
}

// assertion wants the form to prove the possession of leaf's key, by RFC 7523.
func assertion(t *testing.T, name, body string, leaf, ca *x509.Certificate) {
	t.Helper()
	form, err := url.ParseQuery(body)
	if err != nil {
		t.Fatal(err)
	}
	if form.Has("client_secret") || form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		t.Errorf("%s: form %v", name, form)
	}
	_, err = jwt.Parse(form.Get("client_assertion"), func(tok *jwt.Token) (any, error) {
		chain, _ := tok.Header["x5c"].([]any)
		if len(chain) != 2 || chain[0] != base64.StdEncoding.EncodeToString(leaf.Raw) || chain[1] != base64.StdEncoding.EncodeToString(ca.Raw) {
			t.Errorf("%s: x5c has %d certificates, want the leaf and its CA", name, len(chain))
		}
		return leaf.PublicKey, nil
	}, jwt.WithValidMethods([]string{"PS256"}), jwt.WithExpirationRequired(), jwt.WithIssuer("11111111-2222-3333-4444-555555555555"))
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestCertificatesThatAreRefused(t *testing.T) {
	k := keys()
	leaf, now := good(t, k.a), time.Now()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	oldStyle := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte("x"), Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}})
	c := newCloud(t, false)
	for _, f := range []struct {
		want   string
		change func(*graph.Config)
	}{
		{"expired at", withFile(join(keyPEM(t, k.a), certPEM(issue(t, k.a, now.Add(-2*time.Hour), now.Add(-time.Hour)))))},
		{"not valid before", withFile(join(keyPEM(t, k.a), certPEM(issue(t, k.a, now.Add(time.Hour), now.Add(2*time.Hour)))))},
		{"not RSA; make", withFile(join(keyPEM(t, ec), certPEM(good(t, ec))))},
		{"not RSA; make", withFile(join(pemOf("EC PRIVATE KEY", sec1), certPEM(good(t, ec))))},
		{"not RSA; make", withFile(p12(t, pkcs12.Modern, ec, good(t, ec)), filePassword)},
		{"has 1024 bits; use", withFile(join(keyPEM(t, k.short), certPEM(good(t, k.short))))},
		{"is encrypted", withFile(join(pemOf("ENCRYPTED PRIVATE KEY", []byte("x")), certPEM(leaf)))},
		{"is encrypted", withFile(join(oldStyle, certPEM(leaf)))},
		{"belongs to none", withFile(join(keyPEM(t, k.b), certPEM(leaf)))},
		{"belongs to none", withFile(p12(t, pkcs12.Modern, k.b, leaf), filePassword)},
		{"more than one key", withFile(join(keyPEM(t, k.a), keyPEM(t, k.b), certPEM(leaf)))},
		{"no private key; put", withFile(certPEM(leaf))},
		{"no certificate; put", withFile(keyPEM(t, k.a))},
		{"key cannot be read", withFile(join(pemOf("PRIVATE KEY", []byte(secret)), certPEM(leaf)))},
		{"certificate in it cannot be read", withFile(join(keyPEM(t, k.a), pemOf("CERTIFICATE", []byte(secret))))},
		{"takes no password", withFile(join(keyPEM(t, k.a), certPEM(leaf)), filePassword)},
		{"password is wrong", withFile(p12(t, pkcs12.Modern, k.a, leaf), secret)},
		{"password is wrong", withFile(p12(t, pkcs12.LegacyRC2, k.a, leaf))},
		{"neither PEM nor PKCS#12", withFile([]byte(secret))},
		{"neither PEM nor PKCS#12", withFile(nil)},
		{"Read is nil", func(c *graph.Config) { c.Credential = graph.Credential{Certificate: &graph.Certificate{}} }},
	} {
		conf := c.config()
		f.change(&conf)
		_, err := graph.New(conf)
		if err == nil || !strings.Contains(err.Error(), f.want) || !strings.HasPrefix(err.Error(), "configuring graph: Credential.Certificate: ") {
			t.Errorf("error %v, want one about %q", err, f.want)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), filePassword)) {
			t.Errorf("the error for %q shows a secret", f.want)
		}
	}
}

func TestFederatedToken(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	current, err := projected("api://AzureADTokenExchange", 1), error(nil)
	g := c.client(t, func(conf *graph.Config) {
		conf.Now, conf.Cloud.Audience = now.Now, "api://AzureADTokenExchange"
		conf.Credential = graph.Credential{FederatedToken: func() (string, error) { return current + "\n", err }}
	})
	var want []string
	for n := range 3 {
		if n == 2 {
			err = bytes.ErrTooLarge // an unreadable file keeps the last
		} else {
			current = projected("api://AzureADTokenExchange", n)
		}
		want = append(want, current)
		if e := g.Warm(t.Context()); e != nil {
			t.Fatal(e)
		}
		now.Advance(2 * time.Hour)
	}
	tokens, _ := c.got()
	for n, in := range tokens {
		if form, _ := url.ParseQuery(in.body); form.Get("client_assertion") != want[n] || form.Has("client_secret") {
			t.Errorf("token request %d: %v", n+1, form)
		}
	}
	if c.discoveries.Load() != 1 {
		t.Errorf("endpoints were looked up %d times, want once: a new token needs no new client", c.discoveries.Load())
	}
	c.entra = reply(401, `{"error":"invalid_client","error_description":"AADSTS700212: No matching federated identity record"}`)
	if e := kind(t, g.Warm(t.Context()), graph.Denied); !strings.Contains(e.Error(), "read again and not taken") {
		t.Errorf("%v does not say that the file is not readable", e)
	}
}

func projected(audience string, n int) string {
	s, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"aud": []string{audience}, "sub": "system:serviceaccount:relay", "n": n}).SignedString([]byte("k"))
	return s
}

func TestAudienceHint(t *testing.T) {
	c := newCloud(t, false)
	c.entra = reply(401, `{"error":"invalid_client","error_description":"AADSTS700212: No matching federated identity record"}`)
	for _, f := range []struct {
		token string
		hint  bool
	}{
		{projected("api://AzureADTokenExchangeChina", 1), true}, {projected("api://AzureADTokenExchange", 1), false},
		{"a.b.c", true}, {"a.eyJhdWQiOiJhcGk6Ly9BenVyZUFEVG9rZW5FeGNoYW5nZSJ9.c", false},
	} {
		g := c.client(t, func(conf *graph.Config) {
			conf.Cloud.Audience = "api://AzureADTokenExchange"
			conf.Credential = graph.Credential{FederatedToken: func() (string, error) { return f.token, nil }}
		})
		e := kind(t, g.Warm(t.Context()), graph.Denied)
		if strings.Contains(e.Error(), "not for the audience api://AzureADTokenExchange,") != f.hint {
			t.Errorf("%s: %v", f.token, e)
		}
	}
}

func TestFederatedTokenThatIsNone(t *testing.T) {
	c := newCloud(t, false)
	for _, text := range []string{"", "opaque", "a.b", "a.b\n.c", "a.b.c.d"} {
		conf := c.config()
		conf.Credential = graph.Credential{FederatedToken: func() (string, error) { return text, nil }}
		if _, err := graph.New(conf); err == nil || !strings.Contains(err.Error(), "Credential.FederatedToken: it is not a JWT") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
