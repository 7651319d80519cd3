package ingest

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A source over its rate is told when to try again; others are not held up, and
// unverified requests in its name take nothing from it.
func TestSourceRate(t *testing.T) {
	at := clock
	w := newWorld(t, func(c *Config) { c.Now = func() time.Time { return at } },
		withSource("snow", func(s *Source) { s.Rate = Rate{PerSecond: 0.1, Burst: 2} }))
	good := func() *http.Request { return snow("/v1/hooks/snow", snowBody) }
	for range 5 {
		w.do(post("/v1/hooks/snow", snowBody))
	}
	for i, want := range []int{202, 200, 429, 429} {
		rec := w.do(good())
		if rec.Code != want {
			t.Errorf("request %d: got %d, want %d", i, rec.Code, want)
		}
		if want == 429 && rec.Header().Get("Retry-After") != "10" {
			t.Errorf("Retry-After is %q", rec.Header().Get("Retry-After"))
		}
	}
	if line := w.lastLine(t); line["outcome"] != "rate_limited" || line["source"] != "snow" {
		t.Errorf("the log has %v", line)
	}
	if n := testutil.ToFloat64(w.metrics.RateLimited.WithLabelValues("snow")); n != 2 {
		t.Errorf("%v are counted", n)
	}
	if rec := w.do(desk(deskKey, "/v1/changes", change("1", "acme", "a"), clock)); rec.Code != 202 {
		t.Errorf("another source got %d", rec.Code)
	}
	at = at.Add(10 * time.Second)
	if rec := w.do(good()); rec.Code != 200 {
		t.Errorf("after the wait it got %d", rec.Code)
	}
}

// Over the rate of all requests nothing is looked at, on no route.
func TestTotalRate(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Rate = Rate{PerSecond: 0.001, Burst: 1} })
	w.do(post("/v1/changes", ""))
	for _, r := range []*http.Request{
		snow("/v1/hooks/snow", snowBody), post("/v1/changes", "{}"), get(ref("acme", "1")),
		httpRequest("GET", "/v1/openapi.json"), httpRequest("OPTIONS", "/v1/hooks/snow"),
	} {
		rec := w.do(r)
		if rec.Code != 429 || rec.Header().Get("Retry-After") != "59" {
			t.Errorf("%s %s: got %d, Retry-After %q", r.Method, r.URL, rec.Code, rec.Header().Get("Retry-After"))
		}
	}
	if line := w.lastLine(t); line["bytes"] != 0.0 {
		t.Errorf("a body was read: %v", line)
	}
	if n := testutil.ToFloat64(w.metrics.RateLimited.WithLabelValues("unknown")); n != 5 {
		t.Errorf("%v are counted", n)
	}
}

func TestLimiters(t *testing.T) {
	for name, c := range map[string]struct {
		rate   Rate
		passes int // of 20 000 at once
	}{
		"usual":    {Rate{}, DefaultRate.Burst},
		"none":     {Rate{PerSecond: -1}, 20000},
		"no burst": {Rate{PerSecond: 7.5}, 7},
		"slow":     {Rate{PerSecond: 0.1}, 1},
		"both":     {Rate{PerSecond: 1, Burst: 50}, 50},
	} {
		l, passes := c.rate.limiter(DefaultRate), 0
		for range 20000 {
			if take(l, clock) == nil {
				passes++
			}
		}
		if passes != c.passes {
			t.Errorf("%s: %d pass, want %d", name, passes, c.passes)
		}
	}
}

// Retry-After is in whole seconds, and short enough for those who would give up.
func TestRetryAfter(t *testing.T) {
	for wait, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", 1001 * time.Millisecond: "2", time.Minute: "59", 1 << 62: "59"} {
		if got := (&limited{wait}).retryAfter(); got != want {
			t.Errorf("%v: got %s, want %s", wait, got, want)
		}
	}
	if n, err := strconv.Atoi(RetryAfter); err != nil || n >= 60 {
		t.Errorf("RetryAfter is %s", RetryAfter)
	}
}
