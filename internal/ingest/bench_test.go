package ingest

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// BenchmarkChanges is a signed CloudEvent from its bytes to its 202, with a
// broker that costs next to nothing; BenchmarkEcho is what Echo alone costs.
func BenchmarkChanges(b *testing.B) {
	w := newWorld(b, unlimited)
	w.Server.log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	run(b, w.Handler(), change("1", "acme", "a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21"))
}

func BenchmarkEcho(b *testing.B) {
	e := echo.New()
	e.POST("/v1/changes", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	run(b, e, "{}")
}

func run(b *testing.B, h http.Handler, body string) {
	r := desk(deskKey, "/v1/changes", body, clock)
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(body))
		rec := httptest.NewRecorder()
		if h.ServeHTTP(rec, r); rec.Code >= 300 {
			b.Fatal(rec.Code, rec.Body)
		}
	}
}
