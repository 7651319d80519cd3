package promtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"changerelay/internal/await"
)

// target serves one gauge.
func target(t *testing.T, v *atomic.Int64) (address string) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(w, "# TYPE tried gauge\ntried{sort=\"a\"} %d\n", v.Load())
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

const rules = `groups:
  - name: tried
    rules:
      - record: sort:tried:double
        expr: tried * 2
      - alert: Tried
        expr: tried > 5
        labels: {severity: page}
        annotations: {summary: "{{ $labels.sort }} is {{ $value }}"}
`

func TestServer(t *testing.T) {
	var first, second atomic.Int64
	first.Store(1)
	second.Store(7)
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	s := Start(t, Options{Targets: map[string][]string{"one": {target(t, &first)}}, Rules: []string{file}})

	await.State(t, "the rule's series", func() bool {
		got := s.Query("sort:tried:double")
		return len(got) == 1 && got[0].Value == 2 && got[0].Labels["sort"] == "a" && got[0].Labels["job"] == "one"
	})
	if got := s.Query("1 + 1"); len(got) != 1 || got[0].Value != 2 {
		t.Errorf("1 + 1 is %v", got)
	}
	if got := s.Query("nothing"); len(got) != 0 {
		t.Errorf("a metric that nobody has: %v", got)
	}
	if got := s.Firing("Tried"); len(got) != 0 {
		t.Errorf("it fires too early: %v", got)
	}

	first.Store(6)
	await.State(t, "the alert", func() bool { return len(s.Firing("Tried")) == 1 })
	if a := s.Firing("Tried")[0]; a.Labels["severity"] != "page" || !strings.HasPrefix(a.Annotations["summary"], "a is ") || a.ActiveAt.IsZero() {
		t.Errorf("the alert is %+v", a)
	}
	first.Store(0)
	await.State(t, "the alert's end", func() bool { return len(s.Alerts()) == 0 })

	s.Scrape(map[string][]string{"two": {target(t, &second)}})
	await.State(t, "the new target alone", func() bool {
		got := s.Query("tried")
		return len(got) == 1 && got[0].Value == 7 && got[0].Labels["job"] == "two"
	})
}
