package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/graph"
)

const (
	device = "9f1a2b3c-0000-4000-8000-00000000abcd"
	secret = "s3cr3t~value.nobody-may_see"
)

// seen is one request that arrived at Graph, with its whole body.
type seen struct {
	method, uri, from, body string
	header                  http.Header
}

// cloud is Graph and Entra on one TLS server. Both handlers may be replaced
// by a test before it makes calls.
type cloud struct {
	*httptest.Server
	entra func(w http.ResponseWriter, r *http.Request, n int) // n counts token requests from 1
	graph func(w http.ResponseWriter, r *http.Request, n int) // n counts calls from 1

	forget bool // keep no call, only their number

	discoveries atomic.Int32 // look-ups of the endpoints

	mu     sync.Mutex // guards the rest
	tokens []seen
	calls  []seen
	many   int
}

func newCloud(t testing.TB, http2 bool) *cloud {
	c := &cloud{
		entra: func(w http.ResponseWriter, _ *http.Request, n int) { giveToken(w, n) },
		graph: func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusNoContent) },
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /contoso.example/v2.0/.well-known/openid-configuration", c.discover)
	mux.HandleFunc("POST /contoso.example/oauth2/v2.0/token", func(w http.ResponseWriter, r *http.Request) {
		c.entra(w, r, c.note(&c.tokens, r))
	})
	mux.HandleFunc("/beta/", func(w http.ResponseWriter, r *http.Request) {
		c.graph(w, r, c.note(&c.calls, r))
	})
	c.Server = httptest.NewUnstartedServer(mux)
	c.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.EnableHTTP2 = http2
	c.StartTLS()
	t.Cleanup(c.Close)
	return c
}

func (c *cloud) discover(w http.ResponseWriter, _ *http.Request) {
	c.discoveries.Add(1)
	root := c.URL + "/contoso.example"
	_ = json.NewEncoder(w).Encode(map[string]string{
		"issuer": root + "/v2.0", "authorization_endpoint": root + "/oauth2/v2.0/authorize", "token_endpoint": root + "/oauth2/v2.0/token",
	})
}

func (c *cloud) note(list *[]seen, r *http.Request) int {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forget {
		c.many++
		return c.many
	}
	*list = append(*list, seen{r.Method, r.RequestURI, r.RemoteAddr, string(body), r.Header.Clone()})
	return len(*list)
}

func (c *cloud) got() (tokens, calls []seen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]seen{}, c.tokens...), append([]seen{}, c.calls...)
}

func (c *cloud) expect(t *testing.T, tokens, calls int) {
	t.Helper()
	gotTokens, gotCalls := c.got()
	if len(gotTokens) != tokens || len(gotCalls) != calls {
		t.Errorf("%d token requests and %d calls arrived, want %d and %d", len(gotTokens), len(gotCalls), tokens, calls)
	}
}

// jwtOf is the nth token: long enough to be told from a word.
func jwtOf(n int) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"typ":"JWT","alg":"none"}`) + "." +
		part(fmt.Sprintf(`{"n":%d,"roles":["DeviceManagementManagedDevices.PrivilegedOperations.All"]}`, n)) + ".sig"
}

func giveToken(w http.ResponseWriter, n int) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3600,"access_token":%q}`, jwtOf(n))
}

func reply(status int, body string, header ...string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func (c *cloud) config() graph.Config {
	return graph.Config{
		TenantID: "contoso.example", ClientID: "11111111-2222-3333-4444-555555555555",
		Credential: graph.Credential{Secret: func() (string, error) { return secret, nil }},
		Cloud:      graph.Cloud{Graph: c.URL, Authority: c.URL}, Custom: true,
		Transport: c.Client().Transport, UserAgent: "relay/test",
	}
}

func (c *cloud) client(t testing.TB, change ...func(*graph.Config)) *graph.Client {
	t.Helper()
	conf := c.config()
	for _, f := range change {
		f(&conf)
	}
	g, err := graph.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func post(t testing.TB, g *graph.Client) error {
	_, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(device), []graph.Item{{"a-1", "application"}}, time.Time{}, graph.Consent{})
	return err
}

func read(t testing.TB, g *graph.Client) error {
	_, err := g.ActionResult(t.Context(), graph.ManagedDevice(device))
	return err
}

func kind(t testing.TB, err error, want graph.Kind) *graph.Error {
	t.Helper()
	e, ok := err.(*graph.Error)
	if !ok {
		t.Fatalf("error is %v, want one of kind %s", err, want)
	}
	if e.Kind != want {
		t.Fatalf("%v: kind is %s, want %s", e, e.Kind, want)
	}
	return e
}

// roundTripper is a transport in front of another.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// hangUp ends the connection without a reply.
func hangUp(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) }
