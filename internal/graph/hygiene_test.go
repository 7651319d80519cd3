package graph_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"changerelay/internal/graph"
)

// own is a client with our transport, which trusts the test's server.
func (c *cloud) own(t testing.TB) *graph.Client {
	transport := graph.NewTransport()
	transport.TLSClientConfig = &tls.Config{RootCAs: c.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	t.Cleanup(transport.CloseIdleConnections)
	return c.client(t, func(conf *graph.Config) { conf.Transport = transport })
}

func TestHTTP2IsSpoken(t *testing.T) {
	c := newCloud(t, true)
	c.graph = func(_ http.ResponseWriter, r *http.Request, _ int) {
		if r.ProtoMajor != 2 {
			t.Errorf("call came by %s", r.Proto)
		}
	}
	if err := post(t, c.own(t)); err != nil {
		t.Fatal(err)
	}
}

// A body without end is not read to it, and a header without end not at all.
func TestRepliesAreBounded(t *testing.T) {
	c := newCloud(t, false)
	g := c.own(t)
	endless := func(status int, start string) func(http.ResponseWriter, *http.Request, int) {
		return func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("request-id", "r-1")
			w.WriteHeader(status)
			_, err := io.WriteString(w, start)
			for err == nil {
				_, err = io.WriteString(w, strings.Repeat(" ", 1<<16))
			}
		}
	}
	c.graph = endless(400, `{"error":{"code":"X"}}`)
	kind(t, post(t, g), graph.Refused)
	c.graph = endless(200, `{"deviceActionResults":[]}`)
	kind(t, read(t, g), graph.Unavailable)
	c.graph = reply(204, "", "X-Long", strings.Repeat("x", 1<<20))
	kind(t, post(t, g), graph.InDoubt)
	c.entra = endless(200, `{`)
	kind(t, c.own(t).Warm(t.Context()), graph.Unavailable)
}

// The environment names proxies once for a process, so it takes another one.
func TestProxyFromEnvironment(t *testing.T) {
	const child = "GRAPH_TEST_BEHIND_PROXY"
	if os.Getenv(child) != "" {
		c := newCloud(t, false)
		g := c.client(t, func(conf *graph.Config) {
			conf.Transport, conf.Cloud, conf.Custom = nil, graph.Cloud{Graph: "https://graph.example", Authority: "https://login.example"}, true
		})
		kind(t, g.Warm(t.Context()), graph.Unavailable)
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 10)
	proxy := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	})}
	go proxy.Serve(l)
	defer proxy.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxyFromEnvironment$", "-test.count=1")
	cmd.Env = append(os.Environ(), child+"=1", "HTTPS_PROXY=http://"+l.Addr().String(), "NO_PROXY=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := <-asked; got != "CONNECT login.example:443" {
		t.Errorf("the proxy was asked to %s", got)
	}
}
