package ingest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"changerelay/internal/ingest/verify"
)

// Verifiers see a request as it was sent.
func TestRequest(t *testing.T) {
	for name, c := range map[string]struct {
		target      string
		path, query string
	}{
		"plain":     {"/v1/hooks/a", "/v1/hooks/a", ""},
		"as it is":  {"/v1/hooks/%61?b=%20&c", "/v1/hooks/%61", "b=%20&c"},
		"two marks": {"/v1/hooks/a?b?c", "/v1/hooks/a", "b?c"},
		"absolute":  {"http://example.com/v1/hooks/a?b", "/v1/hooks/a", "b"},
	} {
		q := request(httptest.NewRequest(http.MethodPost, c.target, nil), []byte("body"))
		if q.Method != "POST" || q.Authority != "example.com" || q.Path != c.path || q.Query != c.query || string(q.Body) != "body" {
			t.Errorf("%s: got %+v", name, q)
		}
	}
}

// All checks of a source must pass, and the log names them and their keys.
func TestSeveralChecks(t *testing.T) {
	w := newWorld(t, withSource("snow", func(s *Source) {
		s.Checks.Header = &verify.Header{Name: "X-Token", Keys: []verify.Key{{ID: "now", Secret: "a-static-secret-of-enough-bytes"}}}
	}))
	if rec := w.do(snow("/v1/hooks/snow", snowBody)); rec.Code != 401 || w.lastLine(t)["reason"] != "missing_header" {
		t.Errorf("with one of two: got %d %v", rec.Code, w.lastLine(t))
	}
	r := snow("/v1/hooks/snow", snowBody)
	r.Header.Set("X-Token", "a-static-secret-of-enough-bytes")
	if rec := w.do(r); rec.Code != 202 {
		t.Errorf("with both: got %d %s", rec.Code, rec.Body)
	}
	if line := w.lastLine(t); line["checks"] != "signature header" || line["keys"] != "signature/k2 header/now" {
		t.Errorf("the log has %v", line)
	}
}

// Of several senders' reasons the log has the one that says most.
func TestMostTellingReason(t *testing.T) {
	w := newWorld(t)
	w.do(desk(deskKey, "/v1/changes", "{}", clock.AddDate(0, 0, -1))) // desk is asked before root
	if line := w.lastLine(t); line["reason"] != "outside_tolerance" {
		t.Errorf("got %v", line)
	}
}
