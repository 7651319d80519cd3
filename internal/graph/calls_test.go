package graph_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"changerelay/internal/graph"
)

func TestChangeAssignments(t *testing.T) {
	c := newCloud(t, false)
	c.graph = reply(204, "", "request-id", "r-1", "Date", "Wed, 02 Jan 2030 03:04:05 GMT")
	g := c.client(t)
	set := []graph.Item{{"B", "deviceConfiguration"}, {"a", "application"}}
	r, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(device), set, time.Now().Add(time.Minute), graph.Consent{})
	if err != nil {
		t.Fatal(err)
	}
	_, calls := c.got()
	in := calls[0]
	if in.method != "POST" || in.uri != "/beta/deviceManagement/managedDevices/"+device+"/changeAssignments" {
		t.Errorf("%s %s", in.method, in.uri)
	}
	want := `{"deviceAssignmentItems":[{"itemId":"B","itemType":"deviceConfiguration"},{"itemId":"a","itemType":"application"}]}`
	if in.body != want {
		t.Errorf("body %s", in.body)
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + jwtOf(1), "Accept": "application/json", "Content-Type": "application/json",
		"User-Agent": "relay/test", "Client-Request-Id": r.ClientRequestID,
	} {
		if in.header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, in.header.Get(name), value)
		}
	}
	if r.Status != 204 || r.RequestID != "r-1" || !r.Date.Equal(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("reply %+v", r)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(r.ClientRequestID) {
		t.Errorf("client-request-id %q is not a random UUID", r.ClientRequestID)
	}
}

func TestEmptySetIsAnEmptyArray(t *testing.T) {
	c := newCloud(t, false)
	g := c.client(t)
	for _, set := range [][]graph.Item{nil, {}} {
		if _, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(device), set, time.Time{}, graph.Consent{}); err != nil {
			t.Fatal(err)
		}
	}
	_, calls := c.got()
	for _, in := range calls {
		if in.body != `{"deviceAssignmentItems":[]}` {
			t.Errorf("body %s", in.body)
		}
	}
	if calls[0].header.Get("Client-Request-Id") == calls[1].header.Get("Client-Request-Id") {
		t.Error("two attempts have one client-request-id")
	}
}

// A request is named after what its context is about, and at random if that is
// nothing.
func TestRequestID(t *testing.T) {
	c := newCloud(t, false)
	type key struct{}
	g := c.client(t, func(conf *graph.Config) {
		conf.RequestID = func(ctx context.Context) string { id, _ := ctx.Value(key{}).(string); return id }
	})
	const id = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
	for _, ctx := range []context.Context{context.WithValue(t.Context(), key{}, id), t.Context()} {
		if _, err := g.ActionResult(ctx, graph.ManagedDevice(device)); err == nil {
			t.Fatal("an empty reply is read")
		}
	}
	_, calls := c.got()
	if got := calls[0].header.Get("Client-Request-Id"); got != id {
		t.Errorf("client-request-id %q", got)
	}
	if got := calls[1].header.Get("Client-Request-Id"); got == id || len(got) != len(id) {
		t.Errorf("client-request-id %q without a name", got)
	}
}

func TestMalformedArgumentsAreNotSent(t *testing.T) {
	c := newCloud(t, false)
	g := c.client(t)
	for _, id := range []string{"", ".", "..", "a/b", "a?b", "a%2Fb", "a b", "é", "a('b')", "-a", strings.Repeat("a", 257)} {
		_, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(id), nil, time.Time{}, graph.Consent{})
		kind(t, err, graph.Refused)
		_, err = g.ActionResult(t.Context(), graph.ManagedDevice(id))
		kind(t, err, graph.Refused)
	}
	for _, set := range [][]graph.Item{
		{{"", "application"}}, {{strings.Repeat("a", 41), "application"}}, {{"a\x00", "application"}},
		{{"a", ""}}, {{"a", `x"`}}, {{"a", "application"}, {"A", "deviceConfiguration"}},
	} {
		_, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(device), set, time.Time{}, graph.Consent{})
		kind(t, err, graph.Refused)
	}
	c.expect(t, 0, 0)
}

func TestDeadline(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		c, now := newCloud(t, http2), newClock()
		c.graph = func(_ http.ResponseWriter, r *http.Request, _ int) {
			if r.ProtoAtLeast(2, 0) != http2 {
				t.Errorf("call came by %s", r.Proto)
			}
		}
		send := func(*http.Request) {}
		g := c.client(t, func(conf *graph.Config) {
			base := conf.Transport
			conf.Now = now.Now
			conf.Transport = roundTripper(func(r *http.Request) (*http.Response, error) { send(r); return base.RoundTrip(r) })
		})
		deadline := now.Now().Add(time.Second)
		if _, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(device), nil, deadline, graph.Consent{}); err != nil {
			t.Fatal(err)
		}
		// It passes after the client's own look at it, on the way to the connection.
		send = func(*http.Request) { now.Advance(time.Second) }
		for range 20 {
			_, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(device), nil, now.Now().Add(time.Second), graph.Consent{})
			e := kind(t, err, graph.Unavailable)
			if !strings.Contains(e.Error(), "deadline passed before the request was written") {
				t.Error(e)
			}
		}
		send = func(*http.Request) { t.Error("a late call looked for a connection") }
		_, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(device), nil, deadline, graph.Consent{})
		kind(t, err, graph.Unavailable)
		c.Close() // waits for whatever has arrived
		c.expect(t, 1, 1)
	}
}

func TestDeadlineBetweenHeadersAndBody(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		c, now := newCloud(t, http2), newClock()
		g := c.client(t, func(conf *graph.Config) { conf.Now = now.Now })
		if err := g.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteHeaders: func() { now.Advance(time.Second) }})
		_, err := g.ChangeAssignments(ctx, graph.ManagedDevice(device), nil, now.Now().Add(time.Second), graph.Consent{})
		kind(t, err, graph.Unavailable)
		_, calls := c.got()
		for _, in := range calls {
			if in.body != "" {
				t.Errorf("http2 %v: %s arrived after the deadline", http2, in.body)
			}
		}
	}
}

func TestLostReplyIsInDoubt(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		c := newCloud(t, http2)
		g := c.client(t)
		c.graph = hangUp // after the body was read
		e := kind(t, post(t, g), graph.InDoubt)
		if e.Status != 0 || e.ClientRequestID == "" {
			t.Errorf("%+v", e)
		}
		kind(t, read(t, g), graph.Unavailable) // a read leaves nothing in doubt
	}
}

func TestTimeoutAfterWritingIsInDoubt(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		c := newCloud(t, http2)
		g := c.client(t)
		ctx, cancel := context.WithCancel(t.Context())
		c.graph = func(_ http.ResponseWriter, r *http.Request, _ int) {
			cancel() // the set has arrived, so the caller may give up
			<-r.Context().Done()
			panic(http.ErrAbortHandler) // a reply could still overtake the hang-up
		}
		_, err := g.ChangeAssignments(ctx, graph.ManagedDevice(device), nil, time.Time{}, graph.Consent{})
		kind(t, err, graph.InDoubt)
		_, err = g.ChangeAssignments(ctx, graph.ManagedDevice(device), nil, time.Time{}, graph.Consent{}) // given up before it began
		kind(t, err, graph.Unavailable)
		c.expect(t, 1, 1)
	}
}

func TestNoConnectionIsUnavailable(t *testing.T) {
	c := newCloud(t, false)
	closed := httptest.NewServer(nil)
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, root := range map[string]string{
		"refused": closed.URL, "not TLS": plain.URL, "no such host": "http://graph.invalid",
	} {
		g := c.client(t, func(conf *graph.Config) { conf.Cloud.Graph = "https" + strings.TrimPrefix(root, "http") })
		e := kind(t, post(t, g), graph.Unavailable)
		if e.Err == nil {
			t.Errorf("%s: %v has no cause", name, e)
		}
		kind(t, read(t, g), graph.Unavailable)
	}
}

func TestUntrustedCertificateIsUnavailable(t *testing.T) {
	c := newCloud(t, false)
	strict := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}
	g := c.client(t, func(conf *graph.Config) {
		base := conf.Transport
		conf.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Path, "/beta/") {
				return strict.RoundTrip(r)
			}
			return base.RoundTrip(r)
		})
	})
	e := kind(t, post(t, g), graph.Unavailable)
	if !strings.Contains(e.Error(), "certificate") {
		t.Errorf("%v does not say why", e)
	}
	c.expect(t, 1, 0)
}

func TestRedirectIsNotFollowed(t *testing.T) {
	c := newCloud(t, false)
	g := c.client(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		c.graph = reply(status, "", "Location", c.URL+"/beta/elsewhere")
		kind(t, post(t, g), graph.InDoubt)
		kind(t, read(t, g), graph.Unavailable)
	}
	c.expect(t, 1, 10)
}

// The bodies are read, so that one connection does until the 503.
func TestConnections(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		c := newCloud(t, http2)
		g := c.client(t)
		for _, status := range []int{400, 429, 503, 200, 200} {
			c.graph = reply(status, strings.Repeat("x", 1000), "request-id", "r-1")
			if err := post(t, g); (err == nil) != (status == 200) {
				t.Fatal(err)
			}
		}
		_, calls := c.got()
		var from []string
		for _, in := range calls {
			from = append(from, in.from)
		}
		a, b := from[0], from[3]
		if a == b || !reflect.DeepEqual(from, []string{a, a, a, b, b}) {
			t.Errorf("http2 %v: connections %v: want one until the 503, and another after it", http2, from)
		}
	}
}

func TestRoles(t *testing.T) {
	c := newCloud(t, false)
	roles, err := c.client(t).Roles(t.Context())
	if err != nil || !reflect.DeepEqual(roles, []string{"DeviceManagementManagedDevices.PrivilegedOperations.All"}) {
		t.Errorf("%v, %v", roles, err)
	}
	for _, opaque := range []string{"opaque", "a.b.c", "a.!.c", "a.eyJyb2xlcyI6MX0.c"} {
		c.entra = reply(200, `{"expires_in":3600,"access_token":"`+opaque+`"}`)
		_, err := c.client(t).Roles(t.Context())
		kind(t, err, graph.Unavailable)
	}
}

// A reason goes along in base64, whatever is in it, and a code that stands in a
// header as it is.
func TestConsent(t *testing.T) {
	c := newCloud(t, false)
	g := c.client(t)
	const code = "3f1c2b7a-5e0d-4c8b-9a61-7d2e4f6a8b0c"
	for _, by := range []graph.Consent{{}, {Why: "changerelay: CHG0031337"}, {Why: strings.Repeat("é", 2000), Code: code}, {Why: "a\r\nX: b", Code: "a\r\nb"}} {
		if _, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(device), nil, time.Time{}, by); err != nil {
			t.Fatal(err)
		}
	}
	_, calls := c.got()
	why := func(n int) string {
		b, err := base64.StdEncoding.DecodeString(calls[n].header.Get("x-msft-approval-justification"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if why(0) != "" || why(1) != "changerelay: CHG0031337" || why(2) != strings.Repeat("é", 1024) || why(3) != "a\r\nX: b" {
		t.Errorf("reasons %q, %q, %q, %q", why(0), why(1), why(2), why(3))
	}
	for n, want := range []string{"", "", code, ""} {
		if got := calls[n].header.Get("x-msft-approval-code"); got != want {
			t.Errorf("call %d has the code %q, want %q", n, got, want)
		}
	}
}
