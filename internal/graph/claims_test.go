package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"changerelay/internal/graph"
)

const wanted = `{"access_token":{"nbf":{"essential":true,"value":"1732356000"}}}`

func challenged(claims string) string {
	return `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="` + claims + `"`
}

// demanding takes only the nth token, and any later one.
func demanding(n int, header string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		var got int
		for i := 1; i < 10; i++ {
			if r.Header.Get("Authorization") == "Bearer "+jwtOf(i) {
				got = i
			}
		}
		if got < n {
			w.Header().Set("WWW-Authenticate", header)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
}

func TestClaimsChallenge(t *testing.T) {
	std, raw := base64.StdEncoding.EncodeToString([]byte(wanted)), base64.RawURLEncoding.EncodeToString([]byte(wanted))
	for _, f := range []struct {
		header string
		cae    bool
		want   string // claims of the second token request; "" is none of a challenge
	}{
		{challenged(std), true, wanted}, {challenged(raw), true, wanted}, {strings.ToUpper(challenged("")[:20]) + challenged(std)[20:], true, wanted},
		{challenged(std), false, ""}, {strings.Replace(challenged(std), "insufficient_claims", "invalid_token", 1), true, ""},
		{challenged("!"), true, ""}, {challenged(base64.StdEncoding.EncodeToString([]byte("[]"))), true, ""},
		{challenged(base64.StdEncoding.EncodeToString([]byte(`{"a":"` + strings.Repeat("x", 4000) + `"}`))), true, ""}, {"", true, ""},
	} {
		c := newCloud(t, false)
		c.graph = demanding(2, f.header)
		g := c.client(t, func(conf *graph.Config) { conf.CAE = f.cae })
		for range 2 {
			if err := post(t, g); err != nil {
				t.Fatalf("%s: %v", f.header, err)
			}
		}
		c.expect(t, 2, 3)
		tokens, _ := c.got()
		first, second := claimsOf(t, tokens[0].body), claimsOf(t, tokens[1].body)
		if (first["xms_cc"] != nil) != f.cae || (second["xms_cc"] != nil) != f.cae {
			t.Errorf("CAE %v: cp1 is declared otherwise: %v, %v", f.cae, first, second)
		}
		if (second["nbf"] != nil) != (f.want != "") {
			t.Errorf("%s: second token request has the claims %v, want %s", f.header, second, f.want)
		}
	}
}

// claimsOf is access_token of the claims parameter.
func claimsOf(t *testing.T, body string) map[string]any {
	t.Helper()
	form, err := url.ParseQuery(body)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Access map[string]any `json:"access_token"`
	}
	if text := form.Get("claims"); text != "" {
		if err := json.Unmarshal([]byte(text), &claims); err != nil {
			t.Fatal(err)
		}
	}
	return claims.Access
}

// Each call is challenged with claims of its own; one token serves all.
func TestManyChallengesShareOneToken(t *testing.T) {
	c := newCloud(t, false)
	var mu sync.Mutex
	n := 0
	c.graph = func(w http.ResponseWriter, r *http.Request, _ int) {
		mu.Lock()
		n++
		own := fmt.Sprintf(`{"access_token":{"nbf":{"value":"%d"}}}`, n)
		mu.Unlock()
		demanding(2, challenged(base64.StdEncoding.EncodeToString([]byte(own))))(w, r, 0)
	}
	g := c.client(t, func(conf *graph.Config) { conf.CAE = true })
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := post(t, g); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if tokens, _ := c.got(); len(tokens) != 2 {
		t.Errorf("%d token requests, want 2", len(tokens))
	}
}

// Some refusals come as 403 insufficient_claims. Without a challenge, or to a
// client that takes none, that is a permission that lacks.
func TestChallengeAsForbidden(t *testing.T) {
	std := challenged(base64.StdEncoding.EncodeToString([]byte(wanted)))
	for _, f := range []struct {
		header string
		cae    bool
		tokens int
	}{{std, true, 2}, {std, false, 1}, {"", true, 1}} {
		c := newCloud(t, false)
		c.graph = func(w http.ResponseWriter, r *http.Request, _ int) {
			if tokens, _ := c.got(); len(tokens) < 2 {
				reply(http.StatusForbidden, `{"error":{"code":"insufficient_claims"}}`, "WWW-Authenticate", f.header)(w, r, 0)
			}
		}
		g := c.client(t, func(conf *graph.Config) { conf.CAE = f.cae })
		if err := post(t, g); f.tokens == 2 && err != nil {
			t.Error(err)
		} else if f.tokens == 1 {
			kind(t, err, graph.Denied)
		}
		c.expect(t, f.tokens, f.tokens)
	}
}

func TestChallengeThatIsNotMet(t *testing.T) {
	c := newCloud(t, false)
	c.graph = demanding(10, challenged(base64.StdEncoding.EncodeToString([]byte(wanted))))
	g := c.client(t, func(conf *graph.Config) { conf.CAE = true })
	kind(t, post(t, g), graph.Denied)
	c.expect(t, 2, 2)
}
