package ingest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Only where the URL names the source, its own limit counts.
func TestMaxBody(t *testing.T) {
	const large, small = 1 << 20, 100
	w := newWorld(t, withSource("desk", func(s *Source) { s.MaxBody = large }), withSource("snow", func(s *Source) { s.MaxBody = small }))
	for _, c := range []struct {
		path        string
		bytes, code int
		limit       int // that the answer names
	}{
		{"/v1/hooks/desk", large, 401, 0},
		{"/v1/hooks/desk", large + 1, 413, large},
		{"/v1/hooks/snow", small, 401, 0},
		{"/v1/hooks/snow", small + 1, 413, small},
		{"/v1/changes", DefaultMaxBody, 401, 0},
		{"/v1/changes", DefaultMaxBody + 1, 413, DefaultMaxBody},
		{"/v1/hooks/nobody", DefaultMaxBody, 401, 0},
		{"/v1/hooks/nobody", DefaultMaxBody + 1, 413, DefaultMaxBody},
	} {
		for _, length := range []int64{int64(c.bytes), -1} {
			r := post(c.path, strings.Repeat("x", c.bytes))
			r.ContentLength = length
			rec := w.do(r)
			want := ""
			if c.limit > 0 {
				want = fmt.Sprintf("the body has more than %d bytes", c.limit)
			}
			if rec.Code != c.code || !strings.Contains(rec.Body.String(), want) {
				t.Errorf("%d bytes to %s: got %d %s, want %d %s", c.bytes, c.path, rec.Code, rec.Body, c.code, want)
			}
		}
	}
}

// A connection whose body is not read is closed, rather than read on.
func TestUnreadBodyCloses(t *testing.T) {
	for name, c := range map[string]struct {
		request *http.Request
		before  func(*world)
		closes  bool
	}{
		"too large": {post("/v1/changes", strings.Repeat("x", DefaultMaxBody+1)), nil, true},
		"busy":      {post("/v1/changes", "{}"), func(w *world) { w.inFlight.Store(MaxInFlight) }, true},
		"no route":  {post("/v1/nothing", "{}"), nil, true},
		"read":      {post("/v1/changes", "{}"), nil, false},
		"empty":     {post("/v1/changes", ""), nil, false},
		"no body":   {get(ref("acme", "1")), nil, false},
	} {
		w := newWorld(t)
		if c.before != nil {
			c.before(w)
		}
		if got := w.do(c.request).Header().Get("Connection") == "close"; got != c.closes {
			t.Errorf("%s: closes: %t", name, got)
		}
	}
}
