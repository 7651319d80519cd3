package ingest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// approval is the delivery of snowBody's nth version.
func approval(n int) *http.Request {
	return snow("/v1/hooks/snow", strings.Replace(snowBody, `"sys_mod_count":"9"`, fmt.Sprintf(`"sys_mod_count":"%d"`, n), 1))
}

// withRate gives snow a rate of two at once.
func withRate(c *Config) {
	withSource("snow", func(s *Source) { s.Rate = Rate{PerSecond: 0.1, Burst: 2} })(c)
}

// A source over its rate is told when to try again; others are not held up, and
// unverified requests in its name take nothing from it.
func TestSourceRate(t *testing.T) {
	at := clock
	w := newWorld(t, func(c *Config) { c.Now = func() time.Time { return at } }, withRate)
	for range 5 {
		w.do(post("/v1/hooks/snow", snowBody))
	}
	for i, want := range []int{202, 202, 429, 429} {
		rec := w.do(approval(i))
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
	if rec := w.do(approval(2)); rec.Code != 202 {
		t.Errorf("after the wait it got %d", rec.Code)
	}
}

// What brings something costs a source's rate, and nothing else does: who repeats
// a captured request keeps nobody out.
func TestWhatCostsTheRate(t *testing.T) {
	sent := 1
	batch := func() *http.Request { // of one that is stored with other content, and a new one
		sent++
		version := func(n int) string { return fmt.Sprintf(`"sys_mod_count":"%d"`, n) }
		conflict := strings.NewReplacer(`"sys_mod_count":"9"`, version(1), "a7d7a9a2", "another").Replace(snowBody)
		return snow("/v1/hooks/snow", `{"result":[`+conflict+","+strings.Replace(snowBody, `"sys_mod_count":"9"`, version(sent), 1)+"]}")
	}
	for name, c := range map[string]struct {
		request func() *http.Request
		code    int
		costs   bool
	}{
		"repeated":     {func() *http.Request { return approval(1) }, 200, false},
		"not approved": {func() *http.Request { return snow("/v1/hooks/snow", `{"approval":"requested"}`) }, 200, false},
		"unsupported":  {func() *http.Request { r := approval(2); r.Header.Set("Content-Type", "text/plain"); return r }, 415, false},
		"half a batch": {batch, 409, true},
		"invalid":      {func() *http.Request { return snow("/v1/hooks/snow", "{") }, 422, true},
	} {
		w := newWorld(t, withRate)
		w.do(approval(1)) // leaves one
		for range 30 {
			if code := w.do(c.request()).Code; code != c.code && !(c.costs && code == 429) {
				t.Errorf("%s: got %d, want %d", name, code, c.code)
			}
		}
		if code := w.do(approval(3)).Code; (code == 429) != c.costs {
			t.Errorf("%s: a new approval then got %d", name, code)
		}
	}
}

// Requests that came at once, and were looked at before one of them was counted,
// are owed for.
func TestRateIsOwed(t *testing.T) {
	l := Rate{PerSecond: 1, Burst: 1}.limiter(DefaultRate)
	x := &exchange{now: clock, finding: finding{sender: &sender{requests: l}}}
	for range 3 {
		if err := look(l, clock); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		x.spend()
	}
	for seconds, free := range map[int]bool{0: false, 2: false, 3: true} {
		if err := look(l, clock.Add(time.Duration(seconds)*time.Second)); (err == nil) != free {
			t.Errorf("after %d s: %v", seconds, err)
		}
	}
}

// Over the rate of all requests nothing is looked at; what is stored can be read.
func TestTotalRate(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Rate = Rate{PerSecond: 0.001, Burst: 1} })
	w.do(post("/v1/changes", ""))
	for _, r := range []*http.Request{snow("/v1/hooks/snow", snowBody), post("/v1/changes", "{}"), httpRequest("OPTIONS", "/v1/hooks/snow")} {
		rec := w.do(r)
		if rec.Code != 429 || rec.Header().Get("Retry-After") != "59" {
			t.Errorf("%s %s: got %d, Retry-After %q", r.Method, r.URL, rec.Code, rec.Header().Get("Retry-After"))
		}
	}
	if line := w.lastLine(t); line["bytes"] != 0.0 {
		t.Errorf("a body was read: %v", line)
	}
	if n := testutil.ToFloat64(w.metrics.RateLimited.WithLabelValues("unknown")); n != 3 {
		t.Errorf("%v are counted", n)
	}
	if got := w.do(get(ref("acme", "1"))).Code; got != 404 {
		t.Errorf("a receipt is answered %d", got)
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
