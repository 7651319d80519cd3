package graph_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/graph"
)

// identityEnv are the variables that MSAL looks for another source in.
var identityEnv = []string{"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "MSI_ENDPOINT", "MSI_SECRET", "IMDS_ENDPOINT"}

// imds is the token endpoint of a virtual machine, on loopback.
func imds(t *testing.T, answer http.HandlerFunc) http.RoundTripper {
	for _, name := range identityEnv {
		t.Setenv(name, "")
	}
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "169.254.169.254" {
			t.Errorf("a token was asked of %s", r.URL.Host)
		}
		r = r.Clone(r.Context())
		r.URL.Host = to.Host
		return s.Client().Transport.RoundTrip(r)
	})
}

func managed(m *graph.ManagedIdentity, now func() time.Time) func(*graph.Config) {
	return func(c *graph.Config) {
		c.ClientID, c.Credential, c.Now = "", graph.Credential{ManagedIdentity: m}, now
	}
}

func TestManagedIdentity(t *testing.T) {
	const user = "99999999-2222-3333-4444-555555555555"
	for _, clientID := range []string{"", user} {
		c, now := newCloud(t, false), newClock()
		var asked atomic.Int32
		g := c.client(t, managed(&graph.ManagedIdentity{ClientID: clientID, Transport: imds(t, func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if r.URL.Path != "/metadata/identity/oauth2/token" || r.Header.Get("Metadata") != "true" || q.Get("resource") != c.URL || q.Get("client_id") != clientID || q.Has("claims") {
				t.Errorf("%s %v", r.URL, r.Header)
			}
			giveToken(w, int(asked.Add(1)))
		})}, now.Now))
		for n := range 3 {
			if err := post(t, g); err != nil {
				t.Fatal(err)
			}
			_, calls := c.got()
			if calls[n].header.Get("Authorization") != "Bearer "+jwtOf(n+1) {
				t.Error("the token is not the machine's newest: MSAL's own cache answered")
			}
			now.Advance(2 * time.Hour)
		}
		c.expect(t, 0, 3)
	}
}

func TestManagedIdentityFails(t *testing.T) {
	c := newCloud(t, false)
	for _, f := range []struct {
		status int
		body   string
		want   string
	}{
		{400, `{"error":"invalid_request","error_description":"Identity not found ` + secret + `"}`, "may have no such managed identity"},
		{404, ``, "404"}, {429, ``, "429"}, {500, `<html>` + secret, "500"}, {200, `{"access_token":"` + jwtOf(1) + `"`, "no usable reply"},
		{302, ``, "302"},
	} {
		var asked atomic.Int32
		transport := imds(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			reply(f.status, f.body, "Location", "https://elsewhere.example/")(w, r, 0)
		})
		e := kind(t, c.client(t, managed(&graph.ManagedIdentity{Transport: transport}, time.Now)).Warm(t.Context()), graph.Unavailable)
		if !strings.Contains(e.Error(), f.want) || leaks(e) != "" {
			t.Errorf("%d: %v %s", f.status, e, leaks(e))
		}
		if asked.Load() != 1 {
			t.Errorf("%d: asked %d times, want once: the back-off is ours", f.status, asked.Load())
		}
	}
}

func TestManagedIdentityConfig(t *testing.T) {
	c := newCloud(t, false)
	imds(t, nil)
	for want, spoil := range map[string]func(*graph.Config){
		"neither ClientID nor CAE":                    func(c *graph.Config) { c.ClientID = "x" },
		"has neither ClientID nor":                    func(c *graph.Config) { c.CAE = true },
		"ManagedIdentity.ClientID is not":             func(c *graph.Config) { c.Credential.ManagedIdentity.ClientID = "a b" },
		"exactly one of Secret, Certificate, Federat": func(c *graph.Config) { c.Credential.Secret = func() (string, error) { return "s", nil } },
	} {
		conf := c.config()
		managed(&graph.ManagedIdentity{}, nil)(&conf)
		spoil(&conf)
		if _, err := graph.New(conf); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
	t.Setenv("MSI_ENDPOINT", "http://127.0.0.1:1/"+secret) // Cloud Shell
	conf := c.config()
	managed(&graph.ManagedIdentity{ClientID: "x"}, nil)(&conf)
	if _, err := graph.New(conf); err == nil || !strings.Contains(err.Error(), "use the system-assigned one") || leaks(err) != "" {
		t.Error(err)
	}
}
