package ingest

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"changerelay/internal/ingest/verify"
)

// Verifiers see a request as it was sent.
func TestRequest(t *testing.T) {
	client := &x509.Certificate{}
	for name, c := range map[string]struct {
		target      string
		tls         *tls.ConnectionState
		path, query string
		client      *x509.Certificate
	}{
		"plain":           {"/v1/hooks/a", nil, "/v1/hooks/a", "", nil},
		"as it is":        {"/v1/hooks/%61?b=%20&c", nil, "/v1/hooks/%61", "b=%20&c", nil},
		"two marks":       {"/v1/hooks/a?b?c", nil, "/v1/hooks/a", "b?c", nil},
		"absolute":        {"http://example.com/v1/hooks/a?b", nil, "/v1/hooks/a", "b", nil},
		"TLS":             {"/", &tls.ConnectionState{}, "/", "", nil},
		"client":          {"/", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{client}}}, "/", "", client},
		"unproven client": {"/", &tls.ConnectionState{PeerCertificates: []*x509.Certificate{client}}, "/", "", nil},
	} {
		r := httptest.NewRequest(http.MethodPost, c.target, nil)
		r.TLS = c.tls
		q := request(r, []byte("body"))
		if q.Method != "POST" || q.Authority != "example.com" || q.Path != c.path || q.Query != c.query || q.Client != c.client || string(q.Body) != "body" {
			t.Errorf("%s: got %+v", name, q)
		}
	}
}

// All checks of a source must pass, and the log names them and their keys.
func TestSeveralChecks(t *testing.T) {
	w := newWorld(t, withSource("snow", func(s *Source) {
		s.Checks.Header = &verify.Header{Name: "X-Token", Keys: []verify.Key{{ID: "now", Secret: "a-static-secret-of-enough-bytes"}}}
	}))
	if rec := w.do(snow("/v1/hooks/snow", snowBody)); rec.Code != 401 || w.lastLine(t)["reason"] != "missing_header" {
		t.Errorf("with one of two: got %d %v", rec.Code, w.lastLine(t))
	}
	r := snow("/v1/hooks/snow", snowBody)
	r.Header.Set("X-Token", "a-static-secret-of-enough-bytes")
	if rec := w.do(r); rec.Code != 202 {
		t.Errorf("with both: got %d %s", rec.Code, rec.Body)
	}
	if line := w.lastLine(t); line["checks"] != "signature header" || line["keys"] != "signature/k2 header/now" {
		t.Errorf("the log has %v", line)
	}
}

// Of several senders' reasons the log has the one that says most.
func TestMostTellingReason(t *testing.T) {
	w := newWorld(t)
	w.do(desk(deskKey, "/v1/changes", "{}", clock.AddDate(0, 0, -1))) // desk is asked before root
	if line := w.lastLine(t); line["reason"] != "outside_tolerance" {
		t.Errorf("got %v", line)
	}
}

// Two sources of /v1/changes must be told apart by what they prove.
func TestClaims(t *testing.T) {
	key := func(secret string) []verify.Key { return []verify.Key{{ID: "k", Secret: secret}} }
	entra := func(clients ...string) *verify.Bearer {
		return &verify.Bearer{Issuer: "https://issuer", Clients: clients}
	}
	for name, c := range map[string]struct {
		a, b verify.Config
		want string
	}{
		"signature":         {verify.Config{Signature: &verify.Signature{Keys: key("whsec_x")}}, verify.Config{Signature: &verify.Signature{Keys: key("x")}}, "signature.keys.k"},
		"across checks":     {verify.Config{Header: &verify.Header{Keys: key("x")}}, verify.Config{Basic: &verify.Basic{Keys: key("x")}}, "basic.keys.k"},
		"HTTP signature":    {verify.Config{HTTPSignature: &verify.HTTPSignature{Keys: []verify.HTTPKey{{Key: key("x")[0]}}}}, verify.Config{HTTPSignature: &verify.HTTPSignature{Keys: []verify.HTTPKey{{Key: key("x")[0]}}}}, "http_signature.keys.k"},
		"client state":      {verify.Config{ClientState: &verify.ClientState{Keys: key("x")}}, verify.Config{Header: &verify.Header{Keys: key("x")}}, "header.keys.k"},
		"bearer":            {verify.Config{Bearer: entra("1", "2")}, verify.Config{Bearer: entra("2")}, "bearer.clients"},
		"topic":             {verify.Config{SNS: &verify.SNS{Topics: []string{"t"}}}, verify.Config{SNS: &verify.SNS{Topics: []string{"t"}}}, "sns.topics"},
		"subject":           {verify.Config{Certificate: &verify.Certificate{Subjects: []string{"CN=a"}}}, verify.Config{Certificate: &verify.Certificate{Subjects: []string{"CN=a"}}}, "certificate.subjects"},
		"DNS name":          {verify.Config{Certificate: &verify.Certificate{DNSNames: []string{"a"}}}, verify.Config{Certificate: &verify.Certificate{DNSNames: []string{"a"}}}, "certificate.dns_names"},
		"other secrets":     {verify.Config{Header: &verify.Header{Keys: key("x")}}, verify.Config{Header: &verify.Header{Keys: key("y")}}, ""},
		"other clients":     {verify.Config{Bearer: entra("1")}, verify.Config{Bearer: entra("2")}, ""},
		"client and secret": {verify.Config{Bearer: entra("1"), Header: &verify.Header{Keys: key("x")}}, verify.Config{Bearer: entra("1"), Header: &verify.Header{Keys: key("y")}}, ""},
	} {
		s := claims{}
		if err := s.claim(Source{Name: "a", Checks: c.a}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		err := s.claim(Source{Name: "b", Checks: c.b})
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want+": source \"a\" has it too") {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}
