package ingest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"changerelay/internal/ingest/verify"
)

// An issuer serves its keys, unless it is away.
type issuer struct {
	*httptest.Server
	key  *ecdsa.PrivateKey
	away atomic.Bool
	hits atomic.Int32
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	set := fmt.Sprintf(`{"keys":[{"kty":"EC","kid":"k1","crv":"P-256","x":%q,"y":%q}]}`, text(point[1:33]), text(point[33:]))
	i := &issuer{key: key}
	i.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.hits.Add(1)
		if i.away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, set)
	}))
	t.Cleanup(i.Close)
	return i
}

// source adds one that shows the issuer's tokens.
func (i *issuer) source(c *Config) {
	withSource("entra", func(s *Source) {
		s.Kind, s.Checks = "servicenow", verify.Config{Bearer: &verify.Bearer{
			Issuer: "issuer", Audiences: []string{"relay"}, Clients: []string{"client"}, Algorithms: []string{"ES256"}, JWKSURL: i.URL, Client: i.Client(),
		}}
	})(c)
}

// shows has a request show a token of the issuer, by a key of that name.
func (i *issuer) shows(t *testing.T, kid string) *http.Request {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": "issuer", "aud": "relay", "azp": "client", "exp": clock.Add(time.Hour).Unix()})
	token.Header["kid"] = kid
	text, err := token.SignedString(i.key)
	if err != nil {
		t.Fatal(err)
	}
	r := post("/v1/hooks/entra", snowBody)
	r.Header.Set("Authorization", "Bearer "+text)
	return r
}

// A reload leaves checks alone that it does not change: an issuer that is away
// then takes no keys along.
func TestReloadKeepsChecks(t *testing.T) {
	i := newIssuer(t)
	w := newWorld(t, i.source)
	if rec := w.do(i.shows(t, "k1")); rec.Code != 202 {
		t.Fatalf("got %d %s", rec.Code, rec.Body)
	}
	i.away.Store(true)
	before := w.roster.byName["entra"].verifier
	list := slices.Clone(w.sources)
	list[0].MaxBody = 1 << 10 // of desk
	for range 3 {
		if err := w.Reload(list, known); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Reload([]Source{{Name: "entra", Kind: "servicenow", Tenants: []string{"acme"}, Checks: list[3].Checks}, {}}, known); err == nil {
		t.Error("a source without a name was taken")
	}
	if rec := w.do(i.shows(t, "k1")); rec.Code != 200 || w.roster.byName["entra"].verifier != before || i.hits.Load() != 1 {
		t.Errorf("got %d %s after %d fetches", rec.Code, rec.Body, i.hits.Load())
	}
	if n := before.rosters.Load(); n != 1 {
		t.Errorf("%d rosters have the checks", n)
	}
}

// Checks end with the last roster that has them.
func TestChecksEnd(t *testing.T) {
	i := newIssuer(t)
	w := newWorld(t, i.source)
	held := w.hold()
	k := held.byName["entra"].verifier
	for _, list := range [][]Source{w.sources, w.sources[:3]} {
		if err := w.Reload(list, known); err != nil {
			t.Fatal(err)
		}
	}
	if n := k.rosters.Load(); n != 1 {
		t.Errorf("%d rosters have the checks, want that of the request in progress", n)
	}
	if w.drop(held); k.rosters.Load() != 0 {
		t.Error("nobody has the checks, and they go on")
	}
	if err := w.Reload(w.sources, known); err != nil || w.roster.byName["entra"].verifier == k {
		t.Errorf("the checks that have ended are in force again: %v", err)
	}
}

// While the issuer's keys are away, nobody knows whose a request is: its sender
// must send it again.
func TestKeysAway(t *testing.T) {
	i := newIssuer(t)
	i.away.Store(true)
	w := newWorld(t, i.source, func(c *Config) { c.Sources[len(c.Sources)-1].Kind = "cloudevents" })
	for _, path := range []string{"/v1/hooks/entra", "/v1/changes"} {
		r := i.shows(t, "k1")
		r.URL.Path, r.RequestURI = path, path
		rec := w.do(r)
		if rec.Code != 503 || rec.Header().Get("Retry-After") != RetryAfter || w.lastLine(t)["reason"] != "keys_away" {
			t.Errorf("%s: got %d %s, %v", path, rec.Code, rec.Body, w.lastLine(t)["reason"])
		}
	}
	if rec := w.do(post("/v1/hooks/entra", snowBody)); rec.Code != 401 {
		t.Errorf("without a token: got %d", rec.Code)
	}
}
