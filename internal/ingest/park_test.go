package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// What a verified sender sent and nothing can read is kept as it came; nothing
// else is.
func TestPark(t *testing.T) {
	broken := strings.Replace(snowBody, `"`, ``, 1)
	with := func(r *http.Request, name, value string) *http.Request { r.Header.Set(name, value); return r }
	for name, c := range map[string]struct {
		request *http.Request
		body    string // that is parked
	}{
		"broken":             {snow("/v1/hooks/snow", broken), broken},
		"wrong field":        {snow("/v1/hooks/snow", strings.Replace(snowBody, phone, "phone", 1)), strings.Replace(snowBody, phone, "phone", 1)},
		"unknown tenant":     {desk("the-key-of-another-desk!", "/v1/changes", change("1", "acne", "a"), clock), ""},
		"deep":               {snow("/v1/hooks/snow", strings.Repeat("[", 10000)), strings.Repeat("[", 10000)},
		"bad gzip":           {packed("plainly not gzip"), "plainly not gzip"},
		"broken inside gzip": {packed(gz(broken)), gz(broken)},
		"conflict":           {desk(deskKey, "/v1/changes", change("stored", "acme", "b"), clock), ""},
		"forbidden":          {desk(deskKey, "/v1/changes", change("1", "initech", "a"), clock), ""},
		"not approved":       {snow("/v1/hooks/snow", `{"approval":"requested"}`), ""},
		"unsupported":        {with(snow("/v1/hooks/snow", broken), "Content-Type", "text/plain"), ""},
		"unverified":         {post("/v1/hooks/snow", broken), ""},
		"unknown source":     {snow("/v1/hooks/nobody", broken), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, withPacked)
			w.do(desk(deskKey, "/v1/changes", change("stored", "acme", "a"), clock))
			rec := w.do(c.request)
			if parked := strings.Contains(rec.Body.String(), `"parked":true`); parked != (c.body != "") || parked != (rec.Code == 422) {
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
			if c.body == "" {
				if len(w.broker.parked) != 0 {
					t.Errorf("%v is parked", w.broker.parked)
				}
				return
			}
			p := w.broker.parked[0]
			if string(p.Body) != c.body || p.Source != w.lastLine(t)["source"] || p.Reason == "" || !p.At.Equal(clock) {
				t.Errorf("%+v is parked", p)
			}
			if n := testutil.ToFloat64(w.metrics.Parked.WithLabelValues(p.Source)); n != 1 {
				t.Errorf("%v are counted", n)
			}
		})
	}
}

// A body that cannot be parked must come again.
func TestParkAway(t *testing.T) {
	w := newWorld(t)
	w.broker.away = errors.New("nats: no responders")
	rec := w.do(snow("/v1/hooks/snow", "{"))
	if rec.Code != 503 || rec.Header().Get("Retry-After") != RetryAfter || strings.Contains(rec.Body.String(), "parked") {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

// A leaked secret cannot fill DEAD: beyond a small rate a body is not kept, and
// the sender hears that. It has nothing to do with the broker, so it is no 503.
func TestParkRate(t *testing.T) {
	at := clock
	w := newWorld(t, func(c *Config) { c.Now = func() time.Time { return at } })
	send := func(body string, kept bool) {
		t.Helper()
		rec := w.do(snow("/v1/hooks/snow", body))
		if rec.Code != 422 || !strings.Contains(rec.Body.String(), fmt.Sprintf(`"parked":%t`, kept)) || w.lastLine(t)["parked"] != kept {
			t.Errorf("got %d %s, want it kept: %t", rec.Code, rec.Body, kept)
		}
	}
	for i := range ParkRate.Burst {
		send(fmt.Sprintf("{%d", i), true)
	}
	w.broker.away = errors.New("nats: no responders")
	send("{more", false)
	w.broker.away = nil
	if n := testutil.ToFloat64(w.metrics.Parked.WithLabelValues("snow")); int(n) != ParkRate.Burst || len(w.broker.parked) != ParkRate.Burst {
		t.Errorf("%v are counted, and %d kept", n, len(w.broker.parked))
	}
	at = at.Add(10 * time.Second)
	send("{later", true)
	send("{again", false)
}
