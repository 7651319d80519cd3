package verify

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"testing"
	"time"
)

// A vector is one request of testdata/signatures.json: published by the
// sender's vendor where provenance says so, else computed for this purpose.
type vector struct {
	ID, Scheme string
	Secret     strs
	Headers    map[string]strs
	BodyBase64 string `json:"body_base64"`
	Valid      bool
	Now        int64
	Policy     string
	Config     struct {
		Header, Prefix, Algorithm, Encoding, Signed string

		TimestampHeader string `json:"timestamp_header"`
	}
}

// strs is one string or several.
type strs []string

func (s *strs) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(s))
	}
	*s = make(strs, 1)
	return json.Unmarshal(b, &(*s)[0])
}

// schemes are the senders' own, as an administrator would write them.
var schemes = map[string]Scheme{
	"standard-webhooks": StandardWebhooks(),
	"svix": {Header: "Svix-Signature", Prefix: "v1,", Delimiter: " ", Encoding: "base64", Signed: "{id}.{timestamp}.{body}",
		IDHeader: "Svix-Id", TimestampHeader: "Svix-Timestamp", SecretForm: "whsec"},
	"github":    {Header: "X-Hub-Signature-256", Prefix: "sha256=", Encoding: "hex", Signed: "{body}", IDHeader: "X-GitHub-Delivery"},
	"jira":      {Header: "X-Hub-Signature", Prefix: "sha256=", Encoding: "hex", Signed: "{body}"},
	"zammad":    {Header: "X-Hub-Signature", Prefix: "sha1=", Algorithm: "sha1", Encoding: "hex", Signed: "{body}"},
	"pagerduty": {Header: "X-PagerDuty-Signature", Prefix: "v1=", Delimiter: ",", Encoding: "hex", Signed: "{body}"},
	"slack": {Header: "X-Slack-Signature", Prefix: "v0=", Encoding: "hex", Signed: "v0:{timestamp}:{body}",
		TimestampHeader: "X-Slack-Request-Timestamp"},
	"zendesk": {Header: "X-Zendesk-Webhook-Signature", Encoding: "base64", Signed: "{timestamp}{body}",
		TimestampHeader: "X-Zendesk-Webhook-Signature-Timestamp", TimestampFormat: "rfc3339"},
	"stripe-like": {Header: "Stripe-Signature", Prefix: "v1=", Delimiter: ",", Encoding: "hex", Signed: "{timestamp}.{body}",
		TimestampPrefix: "t="},
}

func (v vector) scheme() Scheme {
	if s, ok := schemes[v.Scheme]; ok {
		return s
	}
	c := v.Config
	return Scheme{Header: c.Header, Prefix: c.Prefix, Algorithm: c.Algorithm, Encoding: c.Encoding, Signed: c.Signed,
		TimestampHeader: c.TimestampHeader}
}

func (v vector) header() http.Header {
	h := http.Header{}
	for name, values := range v.Headers {
		for _, value := range values {
			h.Add(name, value)
		}
	}
	return h
}

func (v vector) body(t testing.TB) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(v.BodyBase64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v vector) now() time.Time { return time.Unix(v.Now, 0) }

func vectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func verifier(t testing.TB, s Scheme, secrets ...string) *Verifier {
	t.Helper()
	v, err := New(s, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectors(t *testing.T) {
	for _, c := range vectors(t) {
		t.Run(c.ID, func(t *testing.T) {
			d, err := verifier(t, c.scheme(), c.Secret...).Verify(c.header(), c.body(t), c.now())
			if c.Policy == "accept-or-reject" {
				t.Logf("either is right; here: %v", err)
				return
			}
			if c.Valid != (err == nil) {
				t.Fatalf("valid is %v, but the error is %v", c.Valid, err)
			}
			if err != nil && !errors.As(err, new(*Refusal)) {
				t.Fatalf("error %T is no *Refusal", err)
			}
			if err == nil && d.Key != len(c.Secret)-1 {
				t.Errorf("key %d, want the last of %d", d.Key, len(c.Secret))
			}
		})
	}
}
