package ingest

import (
	"strings"
	"testing"

	"changerelay/internal/ingest/verify"
)

// A source whose secrets cannot be read lets nobody in and says that it will pass;
// the others go on, and so does it when a reload brings them.
func TestSourceIsOffline(t *testing.T) {
	offline := func(s *Source) { s.Checks, s.Offline = verify.Config{}, true }
	w := newWorld(t, withSource("snow", offline))
	answers := func(what string, code int) {
		t.Helper()
		rec := w.do(snow("/v1/hooks/snow", snowBody))
		if rec.Code != code {
			t.Errorf("%s: got %d %s, want %d", what, rec.Code, rec.Body, code)
		}
		if code == 503 && (rec.Header().Get("Retry-After") != RetryAfter || !strings.Contains(rec.Body.String(), `"unavailable"`) || w.lastLine(t)["reason"] != "keys_away") {
			t.Errorf("%s: got %s, and the log has %v", what, rec.Body, w.lastLine(t))
		}
	}
	answers("offline", 503)
	if rec := w.do(desk(deskKey, "/v1/changes", change("1", "acme", "a"), clock)); rec.Code != 202 {
		t.Errorf("another source: got %d %s", rec.Code, rec.Body)
	}
	sources := config(&world{log: w.log}).Sources
	if err := w.Reload(sources, known); err != nil {
		t.Fatal(err)
	}
	answers("back", 202)
	for i := range sources {
		if sources[i].Name == "snow" {
			offline(&sources[i])
		}
	}
	if err := w.Reload(sources, known); err != nil {
		t.Fatal(err)
	}
	answers("offline again", 503)
}
