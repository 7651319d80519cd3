package ingest

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
)

func value(c any) float64 { return testutil.ToFloat64(c.(prometheus.Collector)) }

// A key past its time is counted when it is all that is wrong with a request.
func TestExpiredKeysAreCounted(t *testing.T) {
	ended, began := clock.Add(-time.Hour), clock.Add(time.Hour)
	secret := func(b *verify.Config) {
		b.Header = &verify.Header{Name: "X-Token", Keys: []verify.Key{{ID: "token", Secret: "a-static-secret-of-tests"}}}
	}
	w := newWorld(t, withSource("desk", func(s *Source) {
		s.Checks.Signature.Keys = []verify.Key{{ID: "old", Secret: deskSecret, NotAfter: ended}, {ID: "next", Secret: soleSecret + "", NotBefore: began}}
		secret(&s.Checks)
	}), withSource("root", func(s *Source) { s.Checks = signed("standard-webhooks", "whsec_dGhlLWtleS1vZi1ub2JvZHktZWxzZQ==") }))
	body := change("1", "acme", "a")
	good := func() *http.Request {
		r := desk(deskKey, "/v1/changes", body, clock)
		r.Header.Set("X-Token", "a-static-secret-of-tests")
		return r
	}
	count := func() float64 { return value(w.metrics.ExpiredKeyUses.WithLabelValues("desk", "signature", "old")) }
	for name, c := range map[string]struct {
		change  func() *http.Request
		counted float64
	}{
		"past its time": {good, 1},
		"of a hook":     {func() *http.Request { r := good(); r.URL.Path = "/v1/hooks/desk"; r.RequestURI = r.URL.Path; return r }, 1},
		"an old request": {func() *http.Request {
			r := desk(deskKey, "/v1/changes", body, clock.Add(-time.Hour))
			r.Header.Set("X-Token", "a-static-secret-of-tests")
			return r
		}, 0},
		"another's": {func() *http.Request {
			r := desk("some-key", "/v1/changes", body, clock)
			r.Header = r.Header.Clone()
			return r
		}, 0},
		"another check":    {func() *http.Request { r := good(); r.Header.Set("X-Token", "not-the-static-secret"); return r }, 0},
		"without the rest": {func() *http.Request { r := good(); r.Header.Del("X-Token"); return r }, 0},
		"not good yet": {func() *http.Request {
			r := desk("the-key-of-another-desk!", "/v1/changes", body, clock)
			r.Header.Set("X-Token", "a-static-secret-of-tests")
			return r
		}, 0},
	} {
		before := count()
		if rec := w.do(c.change()); rec.Code != http.StatusUnauthorized {
			t.Errorf("%s: got %d", name, rec.Code)
		}
		if got := count() - before; got != c.counted {
			t.Errorf("%s: counted %v, want %v", name, got, c.counted)
		}
	}
	if n := value(w.metrics.ExpiredKeyUses.WithLabelValues("desk", "signature", "next")) + value(w.metrics.ExpiredKeyUses.WithLabelValues("desk", "header", "token")); n != 0 {
		t.Errorf("%v uses of keys that are not past their time", n)
	}
	if got, want := value(w.metrics.KeyExpiry.WithLabelValues("desk", "signature", "old")), float64(ended.Unix()); got != want {
		t.Errorf("the key ends at %v, want %v", got, want)
	}
	if got := value(w.metrics.KeyExpiry.WithLabelValues("desk", "header", "token")); got != 0 {
		t.Errorf("a key without an end has %v", got)
	}
}

// Who waits for an outcome is not among the requests being answered.
func TestWaitersAreApart(t *testing.T) {
	w := withEvent(t)
	answered := w.waiting(patient("30s"))
	await.State(t, "the reader to wait", func() bool { return value(w.metrics.Waiters) == 1 && value(w.metrics.InFlight) == 0 })
	w.broker.end(ref("acme", "1"), events.Accepted, true)
	<-answered
	if a, b := value(w.metrics.Waiters), value(w.metrics.InFlight); a != 0 || b != 0 {
		t.Errorf("%v wait and %v are in flight when all is over", a, b)
	}
}
