package graph_test

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/graph"
)

const wrapped = `{"error":{"code":"UnknownError","message":"{\"ErrorCode\":\"Forbidden\",\"Message\":\"{\\\"Message\\\":\\\"no licence\\\"}\"}"}}`

func TestTokenRequestIsMSALs(t *testing.T) {
	c := newCloud(t, false)
	if err := c.client(t).Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens, _ := c.got()
	form, err := url.ParseQuery(tokens[0].body)
	if err != nil {
		t.Fatal(err)
	}
	if tokens[0].header.Get("X-Client-Sku") != "MSAL.Go" || form.Get("client_secret") != secret ||
		!strings.HasPrefix(form.Get("scope"), c.URL+"/.default") || form.Has("claims") {
		t.Errorf("%v %v", tokens[0].header, form)
	}
}

func TestFirstCallsShareOneTokenRequest(t *testing.T) {
	c := newCloud(t, false)
	g := c.client(t)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if _, err := g.Roles(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	c.expect(t, 1, 0)
}

func TestUnauthorizedGetsOneNewToken(t *testing.T) {
	c := newCloud(t, false)
	for _, call := range []func(testing.TB, *graph.Client) error{post, read} {
		c.tokens, c.calls = nil, nil
		c.graph = func(w http.ResponseWriter, r *http.Request, _ int) {
			status := http.StatusOK
			if r.Header.Get("Authorization") == "Bearer "+jwtOf(1) {
				status = http.StatusUnauthorized
			}
			reply(status, `{}`, "request-id", "r-1")(w, r, 0)
		}
		g := c.client(t)
		if err := call(t, g); err != nil {
			t.Fatal(err)
		}
		if err := call(t, g); err != nil {
			t.Fatal(err)
		}
		c.expect(t, 2, 3)
		_, calls := c.got()
		if calls[0].body != calls[1].body || calls[0].header.Get("Client-Request-Id") == calls[1].header.Get("Client-Request-Id") {
			t.Error("the second attempt is not the same set with an id of its own")
		}
	}
}

func TestManyUnauthorizedShareOneNewToken(t *testing.T) {
	c := newCloud(t, false)
	c.graph = func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Header.Get("Authorization") == "Bearer "+jwtOf(1) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	g := c.client(t)
	var all sync.WaitGroup
	for range 20 {
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

func TestUnauthorizedTwiceIsDenied(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	c.graph = reply(401, `{"error":{"code":"InvalidAuthenticationToken","message":"bad"}}`)
	g := c.client(t, func(conf *graph.Config) { conf.Now = now.Now })
	if e := kind(t, post(t, g), graph.Denied); e.Status != 401 || e.Code != "InvalidAuthenticationToken" {
		t.Errorf("%+v", e)
	}
	c.expect(t, 2, 2)
	kind(t, post(t, g), graph.Denied)
	c.expect(t, 2, 3) // no third token yet: the last two were no good
	now.Advance(31 * time.Second)
	kind(t, post(t, g), graph.Denied)
	c.expect(t, 3, 5)
}

// What was granted shows in a new token only, which is waited for neither until
// the old one ends nor after a refusal.
func TestForgottenTokenIsReplacedAtOnce(t *testing.T) {
	c := newCloud(t, false)
	c.graph = reply(401, `{"error":{"code":"InvalidAuthenticationToken","message":"bad"}}`)
	g := c.client(t)
	kind(t, post(t, g), graph.Denied)
	c.expect(t, 2, 2)
	c.graph = func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusNoContent) }
	g.Forget()
	for range 2 {
		if err := post(t, g); err != nil {
			t.Error(err)
		}
	}
	c.expect(t, 3, 4)
}

func TestIntuneRefusalIsNotTheTokensFault(t *testing.T) {
	c := newCloud(t, false)
	c.graph = reply(401, wrapped)
	if e := kind(t, post(t, c.client(t)), graph.Denied); e.Code != "Forbidden" || e.Message != "no licence" {
		t.Errorf("%+v", e)
	}
	c.expect(t, 1, 1)
}

func TestValidTokenDoesNotWaitForTheNext(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	g := c.client(t, func(conf *graph.Config) { conf.Now = now.Now })
	if err := g.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked, answer := make(chan bool), make(chan bool)
	c.entra = func(w http.ResponseWriter, _ *http.Request, n int) {
		asked <- true
		<-answer
		giveToken(w, n)
	}
	now.Advance(56 * time.Minute)
	if err := post(t, g); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := post(t, g); err != nil {
		t.Fatal(err)
	}
	c.expect(t, 2, 2)
	close(answer)
	until(t, func() bool { // the answer takes its way back
		if err := post(t, g); err != nil {
			t.Fatal(err)
		}
		_, calls := c.got()
		return calls[len(calls)-1].header.Get("Authorization") == "Bearer "+jwtOf(2)
	})
	if tokens, _ := c.got(); len(tokens) != 2 {
		t.Errorf("%d token requests, want 2", len(tokens))
	}
}

func TestCallerLeavesAndTheRequestGoesOn(t *testing.T) {
	c := newCloud(t, false)
	asked, answer := make(chan bool, 1), make(chan bool)
	c.entra = func(w http.ResponseWriter, _ *http.Request, n int) {
		asked <- true
		<-answer
		giveToken(w, n)
	}
	g := c.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- g.Warm(ctx) }()
	<-asked
	cancel()
	kind(t, <-left, graph.Unavailable)
	close(answer)
	if err := post(t, g); err != nil {
		t.Fatal(err)
	}
	c.expect(t, 1, 1)
}

func TestBrokenTokenEndpointIsNotHammered(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	c.entra = reply(503, "")
	g := c.client(t, func(conf *graph.Config) { conf.Now = now.Now })
	for range 10 {
		if e := kind(t, post(t, g), graph.Unavailable); e.Status != 503 {
			t.Fatalf("%+v", e)
		}
	}
	c.expect(t, 1, 0)
	for n := 2; n < 10; n++ {
		now.Advance(30 * time.Second)
		kind(t, post(t, g), graph.Unavailable)
		e := kind(t, post(t, g), graph.Unavailable)
		if e.RetryAfter <= 0 || e.RetryAfter > 30*time.Second {
			t.Errorf("held for %v", e.RetryAfter)
		}
		c.expect(t, n, 0)
	}
	c.entra = reply(429, "", "Retry-After", "120")
	now.Advance(30 * time.Second)
	kind(t, post(t, g), graph.Unavailable)
	now.Advance(119 * time.Second)
	kind(t, post(t, g), graph.Unavailable)
	c.expect(t, 10, 0)
	c.entra = func(w http.ResponseWriter, _ *http.Request, n int) { giveToken(w, n) }
	now.Advance(time.Second)
	if err := post(t, g); err != nil {
		t.Fatal(err)
	}
}

func TestValidTokenOutlivesABrokenEndpoint(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	g := c.client(t, func(conf *graph.Config) { conf.Now = now.Now })
	if err := g.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	failed := make(chan bool, 10)
	c.entra = func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(500); failed <- true }
	now.Advance(56 * time.Minute)
	if err := post(t, g); err != nil {
		t.Fatal(err)
	}
	<-failed
	if err := post(t, g); err != nil {
		t.Fatal(err)
	}
	now.Advance(4 * time.Minute)
	kind(t, post(t, g), graph.Unavailable)
}

func TestTokenFailures(t *testing.T) {
	c := newCloud(t, false)
	for _, f := range []struct {
		status  int
		body    string
		want    graph.Kind
		code    string
		message string
	}{
		{401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret"}`, graph.Denied, "invalid_client", "AADSTS7000215"},
		{400, `{"error":"unauthorized_client","error_description":"AADSTS700016: x"}`, graph.Denied, "unauthorized_client", "AADSTS700016"},
		{400, `{"error":"invalid_request","error_description":"AADSTS90002: x"}`, graph.Unavailable, "invalid_request", "AADSTS90002"},
		{400, `{"error":"made_up","error_description":"who knows"}`, graph.Unavailable, "", ""},
		{503, `{"error":"temporarily_unavailable"}`, graph.Unavailable, "temporarily_unavailable", ""},
		{500, `<html>`, graph.Unavailable, "", ""},
	} {
		c.entra = reply(f.status, f.body)
		e := kind(t, c.client(t).Warm(t.Context()), f.want)
		if e.Op != "getting token" || e.Status != f.status || e.Code != f.code || e.Message != f.message {
			t.Errorf("%s: %+v", f.body, e)
		}
	}
	for _, body := range []string{``, `{}`, `[]`, `{"expires_in":3600}`, `{"expires_in":3600,"access_token":"a\nb"}`} {
		c.entra = reply(200, body)
		kind(t, c.client(t).Warm(t.Context()), graph.Unavailable)
	}
	c.entra = hangUp
	kind(t, c.client(t).Warm(t.Context()), graph.Unavailable)
}

func TestShortTokens(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	c.entra = reply(200, `{"expires_in":60,"access_token":"`+jwtOf(1)+`"}`)
	g := c.client(t, func(conf *graph.Config) { conf.Now = now.Now })
	for range 10 {
		if err := post(t, g); err != nil {
			t.Fatal(err)
		}
		now.Advance(time.Second)
	}
	c.expect(t, 1, 10) // a cache that wants five minutes more would have asked each time
}

func TestRotatedSecretIsTaken(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	var current atomic.Value
	current.Store("first")
	g := c.client(t, func(conf *graph.Config) {
		conf.Now = now.Now
		conf.Credential.Secret = func() (string, error) { return current.Load().(string), nil }
	})
	for _, s := range []string{"first", "second"} {
		current.Store(s)
		if err := g.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		now.Advance(2 * time.Hour)
	}
	tokens, _ := c.got()
	for n, want := range []string{"client_secret=first", "client_secret=second"} {
		if !strings.Contains(tokens[n].body, want) {
			t.Errorf("token request %d has not %s", n+1, want)
		}
	}
}

// until tries again until the state is there; the test's own time limit ends it.
func until(t *testing.T, there func() bool) {
	t.Helper()
	for !there() {
		runtime.Gosched()
	}
}
