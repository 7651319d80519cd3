package verify

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A vector is one request of testdata/signatures.json: published by the
// sender's vendor where provenance says so, else computed for this purpose.
type vector struct {
	ID, Scheme string
	Secret     json.RawMessage // a string, a list of them, or an object
	Headers    map[string]strs
	BodyBase64 string `json:"body_base64"`
	Valid      bool
	Now        int64
	Policy     string
	Config     struct {
		Header, Prefix, Delimiter, Algorithm, Encoding, Signed string

		IDHeader        string `json:"id_header"`
		TimestampHeader string `json:"timestamp_header"`
		TimestampFormat string `json:"timestamp_format"`
		SecretForm      string `json:"secret_form"`
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

// presetOf names the presets of vectors' schemes; those of other names are in
// their config.
var presetOf = map[string]string{
	"standard-webhooks": "standard-webhooks", "standard-webhooks-v1a": "standard-webhooks-v1a", "svix": "svix",
	"github": "github", "jira": "jira", "zendesk": "zendesk", "pagerduty": "pagerduty", "slack": "slack",
	"stripe-like": "stripe", "zammad": "zammad", "outpost-default": "outpost",
}

// elsewhere are the schemes that tests of their own cover.
var elsewhere = []string{"rfc9421", "content-digest", "jwt-entra"}

func (v vector) scheme() Scheme {
	if s, ok := Preset(presetOf[v.Scheme]); ok {
		return s
	}
	c := v.Config
	return Scheme{Header: c.Header, Prefix: c.Prefix, Delimiter: c.Delimiter, Algorithm: c.Algorithm, Encoding: c.Encoding,
		Signed: c.Signed, IDHeader: c.IDHeader, TimestampHeader: c.TimestampHeader, TimestampFormat: c.TimestampFormat, SecretForm: c.SecretForm}
}

// secrets are the keys of the check. Those of aws-sns are an object: see sns.
func (v vector) secrets(t testing.TB) (list strs) {
	t.Helper()
	if err := json.Unmarshal(v.Secret, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// check compiles the vector's check without the demands on secrets that New
// has: those of vectors are short, or published.
func (v vector) check(t testing.TB) (check, error) {
	t.Helper()
	switch v.Scheme {
	case "basic":
		user, _, _ := strings.Cut(v.secrets(t)[0], ":")
		var passwords []string
		for _, s := range v.secrets(t) {
			passwords = append(passwords, strings.TrimPrefix(s, user+":"))
		}
		return newBasic(Basic{user, keysOf(passwords...)}, 1)
	case "api-key-header":
		return newHeader(Header{v.Config.Header, v.Config.Prefix, keysOf(v.secrets(t)...)}, 1)
	case "bearer-static":
		return newHeader(Header{"Authorization", "Bearer ", keysOf(v.secrets(t)...)}, 1)
	case "graph-clientstate":
		return newClientState(ClientState{keysOf(v.secrets(t)...)}, 1)
	case "aws-sns":
		return newSNS(v.sns(t))
	}
	return newSignature(v.scheme(), keysOf(v.secrets(t)...))
}

func (v vector) sns(t testing.TB) SNS {
	t.Helper()
	var c struct {
		Certificate string `json:"cert_pem"`
		Topic       string `json:"topic_arn"`
	}
	if err := json.Unmarshal(v.Secret, &c); err != nil {
		t.Fatal(err)
	}
	return SNS{keysOf(c.Certificate), []string{c.Topic}}
}

func keysOf(secrets ...string) (keys []Key) {
	for _, s := range secrets {
		keys = append(keys, Key{Secret: s})
	}
	return keys
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

func (v vector) request(t testing.TB) *Request {
	return &Request{Method: "POST", Header: v.header(), Body: v.body(t)}
}

func (v vector) now() time.Time { return time.Unix(v.Now, 0) }

// vectors are those of the schemes that this file checks.
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
	return slices.DeleteFunc(list, func(v vector) bool { return slices.Contains(elsewhere, v.Scheme) })
}

func TestVectors(t *testing.T) {
	for _, c := range vectors(t) {
		t.Run(c.ID, func(t *testing.T) {
			k, err := c.check(t)
			if err != nil {
				if c.Valid || string(c.Secret) != `""` {
					t.Fatal(err)
				}
				return // a secret that is not set lets nobody in
			}
			d, err := (&Verifier{[]check{k}}).Verify(c.request(t), c.now())
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
			keys := k.about().keys
			if want := (Use{k.about().name, keys[len(keys)-1]}); err == nil && !slices.Contains(d.Uses, want) {
				t.Errorf("used %v, want the last key of %v", d.Uses, keys)
			}
		})
	}
}

// Every vector's scheme is one that is known, so that none is passed over.
func TestVectorsAreOfKnownSchemes(t *testing.T) {
	count := map[string]int{}
	for _, c := range vectors(t) {
		count[c.Scheme]++
		if presetOf[c.Scheme] == "" && c.Config.Header == "" && !slices.Contains([]string{"basic", "bearer-static", "graph-clientstate", "aws-sns"}, c.Scheme) {
			t.Errorf("%s: scheme %q is not known", c.ID, c.Scheme)
		}
	}
	for scheme := range presetOf {
		if count[scheme] == 0 {
			t.Errorf("no vector of scheme %q", scheme)
		}
	}
}
