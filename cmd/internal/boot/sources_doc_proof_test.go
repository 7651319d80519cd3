package boot_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
)

// deliveryID is that of senders that give one.
const deliveryID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"

// prove puts into a request what each check of its source asks for, as the
// sender would. A handshake of Graph comes before there is anything to prove.
func (d *desk) prove(t *testing.T, q *verify.Request, s ingest.Source) {
	t.Helper()
	c := s.Checks
	if c.ClientState != nil && len(q.Body) > 0 {
		q.Body = replace(t, q.Body, "clientState", good(t, c.ClientState.Keys))
	}
	if c.SNS != nil {
		q.Body = replace(t, q.Body, "Signature", d.signSNS(t, q.Body))
	}
	if c.Signature != nil {
		h, err := verify.Sign(c.Signature.Scheme, good(t, c.Signature.Keys), deliveryID, arrived, q.Body)
		if err != nil {
			t.Fatal(err)
		}
		for name := range h {
			q.Header.Set(name, h.Get(name))
		}
	}
	if c.Header != nil {
		q.Header.Set(c.Header.Name, c.Header.Prefix+good(t, c.Header.Keys))
	}
	if c.Basic != nil {
		r := http.Request{Header: q.Header}
		r.SetBasicAuth(c.Basic.User, good(t, c.Basic.Keys))
	}
	if c.Bearer != nil {
		q.Header.Set("Authorization", "Bearer "+d.token(t, c.Bearer))
	}
	if c.Certificate != nil {
		q.Client = &x509.Certificate{DNSNames: c.Certificate.DNSNames}
	}
	if c.HTTPSignature != nil {
		signHTTP(t, q)
	}
}

// good is the secret that a sender uses now.
func good(t *testing.T, keys []verify.Key) string {
	t.Helper()
	for _, k := range keys {
		if !arrived.Before(k.NotBefore) && (k.NotAfter.IsZero() || arrived.Before(k.NotAfter)) {
			return k.Secret
		}
	}
	t.Fatal("no secret is good at ", arrived)
	return ""
}

// replace puts a value in place of the manual's in the members of that name.
func replace(t *testing.T, body []byte, name, value string) []byte {
	t.Helper()
	member := regexp.MustCompile(`("` + name + `": *")[^"]*"`)
	if !member.Match(body) {
		t.Fatalf("the body has no %s", name)
	}
	return member.ReplaceAll(body, []byte("${1}"+value+`"`))
}

// signHTTP signs a request as its Signature-Input says (RFC 9421, section 2.5).
// The manual shows the signature cut short; the digest is as it is sent.
func signHTTP(t *testing.T, q *verify.Request) {
	t.Helper()
	label, params, _ := strings.Cut(q.Header.Get("Signature-Input"), "=")
	inside, _, ok := strings.Cut(strings.TrimPrefix(params, "("), ")")
	key := regexp.MustCompile(`keyid="([^"]+)"`).FindStringSubmatch(params)
	if !ok || key == nil {
		t.Fatalf("Signature-Input is %q", q.Header.Get("Signature-Input"))
	}
	derived := map[string]string{"@method": q.Method, "@authority": q.Authority, "@path": q.Path, "@query": "?" + q.Query}
	base := ""
	for _, quoted := range strings.Fields(inside) {
		name := strings.Trim(quoted, `"`)
		value, isDerived := derived[name]
		if !isDerived {
			value = strings.Join(q.Header.Values(name), ", ")
		}
		base += fmt.Sprintf("%s: %s\n", quoted, value)
	}
	base += `"@signature-params": ` + params
	signature := ed25519.Sign(private(key[1]), []byte(base))
	q.Header.Set("Signature", label+"=:"+base64.StdEncoding.EncodeToString(signature)+":")
}

func publicPEM(t *testing.T, key ed25519.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
