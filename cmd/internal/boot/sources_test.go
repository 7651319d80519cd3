package boot

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
)

// files writes files into a folder of their own, and loads relay.yaml of them.
func files(t *testing.T, contents map[string]string) (dir string, c *Config) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range contents {
		write(t, filepath.Join(dir, name), text)
	}
	c, err := Load(filepath.Join(dir, "relay.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, c
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const password = "correct horse battery staple"

func TestIngestSources(t *testing.T) {
	t.Setenv("BOOT_TEST_DESK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	_, c := files(t, map[string]string{"token": password + "\n", "relay.yaml": tenant + `sources:
  z:
    kind: freshservice
    tenants: [acme]
    intents: [remove]
    item_types: [application]
    allow_from: [203.0.113.0/24]
    rate: {per_second: 50, burst: 500}
    max_body: 1000
    gzip: true
    header: {name: X-Token, secrets: [{file: token, id: new, not_before: 2026-11-01T00:00:00Z}]}
    fields: {device: d}
    approved: ["yes"]
    handshake: {kind: slack}
  a:
    kind: cloudevents
    tenants: ["*"]
    secrets: [{env: BOOT_TEST_DESK}]
`})
	got, err := c.IngestSources()
	if err != nil {
		t.Fatal(err)
	}
	desk, z := got[0], got[1]
	if desk.Name != "a" || desk.Checks.Signature.Scheme.Header != "Webhook-Signature" || len(desk.Checks.Signature.Keys) != 1 ||
		desk.Rate != ingest.DefaultRate || desk.MaxBody != ingest.DefaultMaxBody || desk.Intents != nil || desk.ItemTypes != nil {
		t.Errorf("%+v", desk)
	}
	want := ingest.Source{
		Name: "z", Kind: "freshservice",
		Checks: verify.Config{Header: &verify.Header{Name: "X-Token", Keys: []verify.Key{
			{ID: "new", Secret: password, NotBefore: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}}}},
		Tenants: []string{"acme"}, Intents: []events.Intent{events.Remove}, ItemTypes: []events.ItemType{events.Application},
		AllowFrom: c.Sources["z"].AllowFrom, Rate: ingest.Rate{PerSecond: 50, Burst: 500}, MaxBody: 1000, Gzip: true,
		Fields: map[string]string{"device": "d"}, Approved: []string{"yes"}, Handshake: ingest.Handshake{Kind: "slack"},
	}
	if !reflect.DeepEqual(z, want) {
		t.Errorf("got  %+v\nwant %+v", z, want)
	}
	if one, err := c.IngestSource("z"); err != nil || !reflect.DeepEqual(one, want) {
		t.Errorf("alone: %+v, %v", one, err)
	}
	if _, err := c.IngestSource("y"); err == nil || err.Error() != `"y" is not a source in the configuration; it has [a z]` {
		t.Error(err)
	}
}

// Everything that the secrets are short of is said at once, with its place, and
// nothing of them.
func TestSecretMistakes(t *testing.T) {
	t.Setenv("BOOT_TEST_SHORT", "hunter2")
	dir, c := files(t, map[string]string{"text": "hunter2 hunter2 hunter2", "relay.yaml": tenant + `sources:
  a:
    kind: cloudevents
    tenants: [acme]
    secrets: [{file: text}, {file: none}]
    header: {name: X-T, secrets: [{env: BOOT_TEST_SHORT}]}
  b:
    kind: cloudevents
    tenants: [acme]
    secrets: [{file: text}]
  c:
    kind: freshservice
    tenants: [acme]
    sns: {topics: ["arn:aws:sns:us-east-1:123456789012:changes"], secrets: [{file: text}]}
  d:
    kind: freshservice
    tenants: [acme]
    bearer: {issuer: i, audiences: [a], clients: [c], jwks_file: text}
  e:
    kind: freshservice
    tenants: [acme]
    bearer: {issuer: i, audiences: [a], clients: [c], jwks_file: none}
    http_signature: {keys: [{id: k, algorithm: ed25519, file: text}]}
  f:
    kind: freshservice
    tenants: [acme]
    basic: {user: u, secrets: [{file: text}, {file: text}]}
`})
	_, err := c.IngestSources()
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		"10:29: sources.a.secrets[1]: there is no file DIR/none; create it, or mount the secret there",
		"11:35: sources.a.header.secrets[0]: is shorter than",
		"15:15: sources.b.secrets[0]: ",
		"19:77: sources.c.sns.secrets[0]: is not one certificate in PEM form",
		"23:55: sources.d.bearer.jwks_file: is not a JSON Web Key Set",
		"27:55: sources.e.bearer.jwks_file: there is no file DIR/none",
		"28:29: sources.e.http_signature.keys[0]",
		"32:46: sources.f.basic.secrets[1]: is listed twice",
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d mistakes, want %d:\n%v", len(lines), len(want), err)
	}
	for i, line := range lines {
		if w := filepath.Join(dir, "relay.yaml") + ":" + strings.ReplaceAll(want[i], "DIR", dir); !strings.HasPrefix(line, w) {
			t.Errorf("%s\nwant %s", line, w)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the errors show a secret: %v", err)
	}
}

// A secret that two sources share is one too few, whatever form it has and
// whatever it is for.
func TestSharedSecrets(t *testing.T) {
	t.Setenv("BOOT_TEST_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	t.Setenv("BOOT_TEST_HEX", "31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0")
	dir, c := files(t, map[string]string{"relay.yaml": tenant + `sources:
  a:
    kind: cloudevents
    tenants: [acme]
    secrets: [{env: BOOT_TEST_KEY}]
  b:
    kind: servicenow
    tenants: [acme]
    signature: {header: X-S, encoding: hex, signed: "{body}", secret_form: hex}
    secrets: [{env: BOOT_TEST_HEX}]
  c:
    kind: freshservice
    tenants: [acme]
    header: {name: X-T, secrets: [{env: BOOT_TEST_HEX}]}
`})
	_, err := c.IngestSources()
	want := filepath.Join(dir, "relay.yaml") + `:15:15: sources.b.secrets[0]: source "a" has it too; give each its own` + "\n" +
		filepath.Join(dir, "relay.yaml") + `:19:35: sources.c.header.secrets[0]: source "b" has it too; give each its own`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := c.IngestSource("b"); err != nil {
		t.Errorf("alone: %v", err)
	}
}
