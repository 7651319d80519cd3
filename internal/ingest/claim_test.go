package ingest

import (
	"net/http"
	"strings"
	"testing"

	"changerelay/internal/ingest/verify"
)

// Two sources share no secret; and those of /v1/changes must be told apart by
// what they prove.
func TestClashes(t *testing.T) {
	key := func(secret string) []verify.Key { return []verify.Key{{ID: "k", Secret: secret}} }
	signed := func(secret string) verify.Config {
		return verify.Config{Signature: &verify.Signature{Scheme: verify.ServiceNow(), Keys: key(secret)}}
	}
	header := func(secret string) verify.Config { return verify.Config{Header: &verify.Header{Keys: key(secret)}} }
	entra := func(clients ...string) verify.Config {
		return verify.Config{Bearer: &verify.Bearer{Issuer: "https://issuer", Clients: clients}}
	}
	topic := verify.Config{SNS: &verify.SNS{Topics: []string{"t"}}}
	subject := verify.Config{Certificate: &verify.Certificate{Subjects: []string{"CN=a"}}}
	dns := verify.Config{Certificate: &verify.Certificate{DNSNames: []string{"a"}}}
	both := func(a verify.Config, b verify.Config) verify.Config { a.Header = b.Header; return a }
	for name, c := range map[string]struct {
		a, b          verify.Config
		changes, hook string // the field, of two sources of /v1/changes and of two hooks
	}{
		"signature":         {signed("x"), signed("x"), "signature.keys[0].secret", "signature.keys[0].secret"},
		"another form":      {signed("x"), signed("whsec_x"), "signature.keys[0].secret", "signature.keys[0].secret"},
		"across checks":     {signed("x"), header("x"), "header.keys[0].secret", "header.keys[0].secret"},
		"bearer":            {entra("1", "2"), entra("2"), "bearer.clients", ""},
		"topic":             {topic, topic, "sns.topics", ""},
		"subject":           {subject, subject, "certificate.subjects", ""},
		"DNS name":          {dns, dns, "certificate.dns_names", ""},
		"other secrets":     {header("x"), header("y"), "", ""},
		"other clients":     {entra("1"), entra("2"), "", ""},
		"client and secret": {both(entra("1"), header("x")), both(entra("1"), header("y")), "", ""},
		"no secret":         {header(""), header(""), "", ""},
	} {
		for kind, want := range map[string]string{"cloudevents": c.changes, "zendesk": c.hook} {
			got := Clashes([]Source{{Name: "b", Kind: kind, Checks: c.b}, {Name: "a", Kind: kind, Checks: c.a}})
			if len(got) > 1 || (len(got) == 1) != (want != "") {
				t.Errorf("%s, %s: got %v, want %q", name, kind, got, want)
			} else if len(got) == 1 && (got[0].Field != want || got[0].Source != "b" || got[0].Other != "a" || strings.Contains(got[0].Error(), "whsec")) {
				t.Errorf("%s, %s: got %v, want %s", name, kind, got[0], want)
			}
		}
	}
}

// A delivery to one source is not another's, for no two have the same secret.
func TestNewRefusesSharedSecrets(t *testing.T) {
	w := newWorld(t)
	other := w.source("snow")
	other.Name, other.Kind, other.Tenants = "halo", "halo", []string{"globex"}
	err := w.Reload(append(w.sources, other), known)
	if err == nil || !strings.Contains(err.Error(), `source "snow": signature.keys[0].secret: source "halo" has it too; give each its own`) {
		t.Errorf("got %v", err)
	}
	if rec := w.do(snow("/v1/hooks/halo", snowBody)); rec.Code != http.StatusUnauthorized {
		t.Errorf("got %d", rec.Code)
	}
}
