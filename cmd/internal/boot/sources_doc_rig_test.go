package boot_test

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"changerelay/cmd/internal/boot"
	"changerelay/cmd/internal/conform"
	"changerelay/internal/ingest"
	_ "changerelay/internal/ingest/expression" // the tests are of what ingest and relayctl make of a file
	"changerelay/internal/ingest/verify"
)

// around is the rest of the file that the manual's configurations are in.
const around = `tenants:
  acme:
    tenant_id: acme.example
    client_id: 66666666-7777-8888-9999-000000000000
    client_secret: {file: /run/secrets/acme}
`

// A desk is all of the manual's senders, with the secrets that they share with
// the relay.
type desk struct {
	dir      string
	sources  map[string]ingest.Source
	answered map[string][]int // codes, by kind
	rsa      *rsa.PrivateKey  // of the issuer of tokens, and of Amazon
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t.TempDir(), map[string]ingest.Source{}, map[string][]int{}, key}
}

// configure loads a block as a whole file, and makes the secrets that it names.
func (d *desk) configure(t *testing.T, b block) {
	t.Helper()
	file := filepath.Join(d.dir, "changerelay.yaml")
	d.write(t, file, strings.ReplaceAll(around+b.text, "/run/secrets", d.dir))
	c, err := boot.Lint(file, conform.Check)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range c.Sources {
		if d.sources[name].Name != "" {
			t.Errorf("another block has a source %s", name)
		}
		d.makeSecrets(t, s)
		if d.sources[name], err = c.IngestSource(name); err != nil {
			t.Error(err)
		}
	}
}

func (d *desk) write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// makeSecrets writes the files of secrets, each in the form that its check
// expects. The keys of an issuer come from a file: nothing is fetched here.
func (d *desk) makeSecrets(t *testing.T, s boot.Source) {
	t.Helper()
	texts := s.Secrets
	if s.Header != nil {
		texts = append(texts, s.Header.Secrets...)
	}
	if s.Basic != nil {
		texts = append(texts, s.Basic.Secrets...)
	}
	if s.ClientState != nil {
		texts = append(texts, s.ClientState.Secrets...)
	}
	for _, k := range texts {
		d.write(t, k.File, secret(k.File, s.Scheme().SecretForm)+"\n")
	}
	if s.HTTPSignature != nil {
		for _, k := range s.HTTPSignature.Keys {
			d.write(t, k.File, publicPEM(t, private(k.ID)))
		}
	}
	if s.SNS != nil {
		for _, k := range s.SNS.Secrets {
			d.write(t, k.File, d.certificate(t))
		}
	}
	if s.Bearer != nil {
		s.Bearer.JWKSURL, s.Bearer.JWKSFile = "", filepath.Join(d.dir, "jwks.json")
		d.write(t, s.Bearer.JWKSFile, d.jwks())
	}
}

// secret is the same for the same name, as both sides have it.
func secret(name, form string) string {
	sum := sha256.Sum256([]byte(filepath.Base(name)))
	if form == "whsec" {
		return "whsec_" + base64.StdEncoding.EncodeToString(sum[:])
	}
	return hex.EncodeToString(sum[:])
}

// private is the key of that keyid, of a sender that signs by RFC 9421.
func private(id string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte(id))
	return ed25519.NewKeyFromSeed(sum[:])
}

// parse reads a request as the manual has it. A body alone is posted as JSON.
func parse(t *testing.T, name string, b block) verify.Request {
	t.Helper()
	text := b.text
	if b.lang != "http" {
		text = "POST /v1/hooks/" + name + " HTTP/1.1\nHost: relay.example\nContent-Type: application/json\n\n" + text
	}
	head, body, ok := strings.Cut(text, "\n\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		body = "" // only a head
	}
	if r.URL.Path != "/v1/hooks/"+name && r.URL.Path != "/v1/changes" {
		t.Errorf("it is sent to %s", r.URL.Path)
	}
	return verify.Request{Method: r.Method, Authority: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		Header: r.Header, Body: []byte(samples.Replace(strings.TrimSuffix(body, "\n")))}
}

func examine(t *testing.T, s ingest.Source, q verify.Request) ingest.Report {
	t.Helper()
	r, err := ingest.Examine(s, []string{"acme"}, q, arrived)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	sampleDevice = "6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11"
	sampleItem   = "a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21"
)

// samples are what ticket systems put in place of the placeholders in the
// manual's templates, in the form that each of them writes.
var samples = strings.NewReplacer(
	// Jira Automation: the dates of {{issue.updated}} without a format, and texts in quotes with .asJsonString
	"{{issue.updated}}", "2026-11-23T10:22:51.0+0000",
	"{{issue.key}}", "ITSM-14",
	"{{issue.customfield_10231.asJsonString}}", `"`+sampleDevice+`"`,
	"{{issue.customfield_10232.value.asJsonString}}", `"`+sampleItem+`"`,
	"{{issue.customfield_10233.value.asJsonString}}", `"remove"`,
	// Zendesk
	"{{ticket.ticket_field_30015291240347}}", sampleDevice,
	"{{ticket.ticket_field_30015291240348}}", sampleItem,
	"{{ticket.ticket_field_30015291240349}}", "remove",
	"{{ticket.updated_at_with_timestamp}}", "2026-11-23T10:22:51Z",
	// Freshservice and Freshdesk
	"{{ticket.id}}", "41960",
	"{{ticket.updated_at}}", "2026-11-23 10:22:51 UTC",
	"{{ticket.cf_intune_device_id}}", sampleDevice,
	"{{ticket.cf_intune_app_id}}", sampleItem,
	"{{ticket.cf_assignment_action}}", "remove",
)
