package verify

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"changerelay/internal/await"
)

// remote is the configuration of i whose keys are fetched from url.
func (i issuer) remote(url string, client *http.Client) Bearer {
	b := i.ours()
	b.JWKS, b.JWKSURL, b.Client = nil, url, client
	return b
}

// A provider serves an issuer's keys over TLS.
type provider struct {
	*httptest.Server
	keys atomic.Pointer[[]byte]
	hits atomic.Int32
}

func newProvider(t *testing.T, i issuer) *provider {
	p := &provider{}
	p.serve(i)
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.hits.Add(1)
		w.Write(*p.keys.Load())
	}))
	p.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

func (p *provider) serve(i issuer) {
	keys := jwks(i)
	p.keys.Store(&keys)
}

// Many requests with a new key cause one fetch, and all of them are let in.
// Many with a key that nobody has cause none after that.
func TestJWKSRotation(t *testing.T) {
	before, next, nobody := newIssuer("k1"), newIssuer("k2"), newIssuer("k3")
	p := newProvider(t, before)
	c := bearerCheck(t, before.remote(p.URL+"/keys", p.Client()))
	if _, got := c.verify(authorized(before.token(nil)), at); got != "" {
		t.Fatalf("before the rotation: %q", got)
	}
	p.serve(next)
	for _, one := range []struct {
		issuer
		want Reason
	}{{next, ""}, {nobody, BadToken}, {before, BadToken}} {
		token := one.token(nil)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, got := c.verify(authorized(token), at); got != one.want {
					t.Errorf("%s: got %q, want %q", one.kid, got, one.want)
				}
			})
		}
		wg.Wait()
	}
	if n := p.hits.Load(); n != 2 {
		t.Errorf("the keys were fetched %d times, want 2", n)
	}
}

// A server that gives no keys, in whatever way, means that they are away. When
// the check is closed nothing of it is left.
func TestJWKSAway(t *testing.T) {
	i := newIssuer("k1")
	hang := make(chan struct{})
	elsewhere := newProvider(t, i)
	for name, answer := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503); w.Write(jwks(i)) },
		"no JSON":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"no keys":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"keys":[]}`) },
		"more than 1 MiB": func(w http.ResponseWriter, _ *http.Request) {
			w.Write(append(jwks(i), bytes.Repeat([]byte(" "), maxKeySet)...))
		},
		"another host":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"plain HTTP":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://"+r.Host, http.StatusFound) },
		"a circle":         func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) },
		"nothing, for now": func(_ http.ResponseWriter, r *http.Request) { <-hang },
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewTLSServer(answer)
			c := bearerCheck(t, i.remote(s.URL, s.Client()))
			if _, got := c.verify(authorized(i.token(nil)), at); got != KeysAway {
				t.Errorf("got %q, want %q", got, KeysAway)
			}
			c.close()
			await.State(t, "the fetcher to be gone", func() bool { return !strings.Contains(stacks(), "verify.(*fetcher)") })
			if name == "nothing, for now" {
				close(hang)
			}
			s.Close()
		})
	}
	if n := elsewhere.hits.Load(); n != 0 {
		t.Errorf("followed a redirect to another host %d times", n)
	}
	await.State(t, "every connection to be gone", func() bool { return !strings.Contains(stacks(), "net/http.(*persistConn)") })
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// A redirect on the same host is followed.
func TestJWKSRedirect(t *testing.T) {
	i := newIssuer("k1")
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
			return
		}
		w.Write(jwks(i))
	}))
	t.Cleanup(s.Close)
	if _, got := bearerCheck(t, i.remote(s.URL+"/old", s.Client())).verify(authorized(i.token(nil)), at); got != "" {
		t.Errorf("got %q", got)
	}
}

// Without a client of their own, checks trust the system's roots: the test's
// server is not among them.
func TestJWKSUntrusted(t *testing.T) {
	i := newIssuer("k1")
	p := newProvider(t, i)
	if _, got := bearerCheck(t, i.remote(p.URL, nil)).verify(authorized(i.token(nil)), at); got != KeysAway {
		t.Errorf("got %q, want %q", got, KeysAway)
	}
}

// A script answers fetches without a network, so that a test has its own time.
type script struct {
	mu   sync.Mutex
	keys []byte // nil: the network is down
	hang bool
	hits int
}

func (s *script) set(keys []byte, hang bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.hang = keys, hang
}

func (s *script) fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	keys, hang := s.keys, s.hang
	s.hits++
	s.mu.Unlock()
	if hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if keys == nil {
		return nil, errors.New("no route to host")
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(keys)), Request: r}, nil
}

// A sly server answers with a redirect, or with no end.
type sly struct {
	location string
	hits     atomic.Int32
	read     atomic.Int64
}

func (s *sly) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.hits.Add(1); s.location == "" {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(s), Request: r}, nil
	}
	return &http.Response{StatusCode: 302, Header: http.Header{"Location": {s.location}}, Body: http.NoBody, Request: r}, nil
}

func (s *sly) Read(b []byte) (int, error) {
	s.read.Add(int64(len(b)))
	return copy(b, bytes.Repeat([]byte(" "), len(b))), nil
}

// A redirect is followed three times, on the same host, over https; and of an
// answer no more than 1 MiB is read.
func TestJWKSBounds(t *testing.T) {
	for location, hits := range map[string]int32{
		"": 1, "/more": 1 + maxRedirects, "http://issuer.example/keys": 1, "https://issuer.example:8443/keys": 1, "https://x.example/keys": 1,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &sly{location: location}
			c := must(newBearer(newIssuer("k1").remote("https://issuer.example/keys", &http.Client{Transport: s}))).(*bearer)
			synctest.Wait()
			c.close()
			if n := s.hits.Load(); n != hits {
				t.Errorf("%q: %d requests, want %d", location, n, hits)
			}
			if n := s.read.Load(); n > 2*maxKeySet {
				t.Errorf("read %d bytes", n)
			}
		})
	}
}

// timed runs a test of a check in a bubble whose time is its own; a goroutine
// that the check leaves behind fails it.
func timed(t *testing.T, i issuer, s *script, test func(t *testing.T, verify func(issuer) (Reason, time.Duration))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := must(newBearer(i.remote("https://issuer.example/keys", &http.Client{Transport: s}))).(*bearer)
		defer c.close()
		test(t, func(by issuer) (Reason, time.Duration) {
			from := time.Now()
			_, reason := c.verify(authorized(by.token(nil)), at)
			return reason, time.Since(from)
		})
	})
}

// A first fetch that fails is tried again in the background, less and less
// often, and a request waits for none of it.
func TestJWKSRetry(t *testing.T) {
	i, s := newIssuer("k1"), &script{}
	timed(t, i, s, func(t *testing.T, verify func(issuer) (Reason, time.Duration)) {
		synctest.Wait()
		if got, took := verify(i); got != KeysAway || took != 0 {
			t.Errorf("got %q after %v", got, took)
		}
		n := s.fetches()
		time.Sleep(10 * time.Minute)
		if n = s.fetches() - n; n < 10 || n > 16 {
			t.Errorf("%d more fetches in 10 minutes", n)
		}
		s.set(jwks(i), false)
		time.Sleep(lastRetry)
		synctest.Wait()
		if got, took := verify(i); got != "" || took != 0 {
			t.Errorf("got %q after %v", got, took)
		}
	})
}

// A server that hangs keeps a request for 2 s at most, and a request whose key
// is there not at all.
func TestJWKSHang(t *testing.T) {
	i, nobody, s := newIssuer("k1"), newIssuer("k9"), &script{hang: true}
	timed(t, i, s, func(t *testing.T, verify func(issuer) (Reason, time.Duration)) {
		if got, took := verify(i); got != KeysAway || took != longestWait {
			t.Errorf("at the start: %q after %v", got, took)
		}
		s.set(jwks(i), false)
		time.Sleep(fetchTimeout + firstRetry)
		s.set(nil, true)
		if got, took := verify(nobody); got != KeysAway || took != longestWait {
			t.Errorf("an unknown kid: %q after %v", got, took)
		}
		if got, took := verify(i); got != "" || took != 0 {
			t.Errorf("a known one: %q after %v", got, took)
		}
	})
}

// Keys are fetched every hour and kept while that fails; unknown ones cause a
// fetch a minute.
func TestJWKSRefresh(t *testing.T) {
	i, next, nobody, s := newIssuer("k1"), newIssuer("k2"), newIssuer("k9"), &script{}
	s.set(jwks(i), false)
	timed(t, i, s, func(t *testing.T, verify func(issuer) (Reason, time.Duration)) {
		synctest.Wait()
		for range 600 {
			if got, _ := verify(nobody); got != BadToken {
				t.Fatalf("an unknown kid: %q", got)
			}
			time.Sleep(time.Second)
		}
		if n := s.fetches(); n != 11 {
			t.Errorf("%d fetches in 10 minutes, want the first and 10", n)
		}
		s.set(nil, false)
		time.Sleep(3 * fetchEvery)
		if got, took := verify(i); got != "" || took != 0 {
			t.Errorf("while the issuer is away: %q after %v", got, took)
		}
		s.set(jwks(next), false)
		time.Sleep(fetchEvery)
		if got, _ := verify(next); got != "" {
			t.Errorf("the next key: %q", got)
		}
		if got, _ := verify(i); got != BadToken {
			t.Errorf("the last key: %q", got)
		}
	})
}

// A check of a closed Verifier knows its keys, and fetches and waits no more.
func TestJWKSClosed(t *testing.T) {
	i, nobody, s := newIssuer("k1"), newIssuer("k9"), &script{}
	s.set(jwks(i), false)
	synctest.Test(t, func(t *testing.T) {
		b := i.remote("https://issuer.example/keys", &http.Client{Transport: s})
		v := must(New(Config{Bearer: &b}))
		c := v.checks[0].(*bearer)
		synctest.Wait()
		v.Close()
		v.Close()
		select {
		case <-c.keys.Storage().(*fetcher).ended:
		default:
			t.Error("Close did not wait for the fetcher")
		}
		from := time.Now()
		for by, want := range map[issuer]Reason{i: "", nobody: KeysAway} {
			if _, got := c.verify(authorized(by.token(nil)), at); got != want {
				t.Errorf("%s: got %q, want %q", by.kid, got, want)
			}
		}
		if n := s.fetches(); n != 1 || time.Since(from) != 0 {
			t.Errorf("%d fetches, and %v", n, time.Since(from))
		}
	})
}
