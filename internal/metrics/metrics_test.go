package metrics

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var labels = Labels{
	Sources:  []string{"snow", "desk"},
	Tenants:  []string{"acme"},
	Outcomes: []string{"accepted", "invalid"},
	Reasons:  []string{"invalid"},
	Refusals: []string{"bad_signature"},
	Streams:  []string{"CHANGES"},
}

// Names, units and help texts are as Prometheus' own linter wants them.
func TestLint(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	New(reg, "v1.2.3", labels)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// A flood of invented values makes one series a label at most.
func TestCardinality(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := New(reg, "v1.2.3", labels)
	before, err := testutil.GatherAndCount(reg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		s := "stranger-" + strconv.Itoa(i)
		m.Requests.WithLabelValues(s, s).Inc()
		m.Requests.WithLabelValues("snow", s).Inc()
		m.RequestSeconds.WithLabelValues(s).Observe(1)
		m.Refusals.WithLabelValues(s, s).Inc()
		m.Published.WithLabelValues(s, s).Inc()
		m.Outcomes.WithLabelValues(s, s).Inc()
		m.DueDevices.Set(1, s, Waiting)
		m.GraphResponses.WithLabelValues("post", s).Inc()
		m.QuotaCalls.WithLabelValues(s, "write").Inc()
		m.DeadLetters.WithLabelValues(s).Inc()
		m.GraphSeconds.WithLabelValues(s, s).Observe(1)
		m.GraphCalls.WithLabelValues(s).Inc()
	}
	after, err := testutil.GatherAndCount(reg)
	if err != nil {
		t.Fatal(err)
	}
	if after-before > 10 {
		t.Errorf("%d series became %d", before, after)
	}
	if n := testutil.ToFloat64(m.Requests.WithLabelValues("unknown", "unknown")); n != 10_000 {
		t.Errorf("%v strange requests are counted as unknown", n)
	}
}

// Every series is there before it first happens.
func TestStartsAtZero(t *testing.T) {
	body := get(t, New(prometheus.NewRegistry(), "v1.2.3", labels).Admin(nil), "/metrics").Body.String()
	for _, want := range []string{
		`changerelay_ingest_requests_total{code="202",source="snow"} 0`,
		`changerelay_ingest_requests_total{code="401",source="unknown"} 0`,
		`changerelay_outcomes_total{outcome="invalid",stage="reconcile"} 0`,
		`changerelay_graph_calls_total{kind="in_doubt",op="post"} 0`,
		`changerelay_due_devices{state="runnable",tenant="acme"} 0`,
		`changerelay_build_info{goversion="go1.`,
		`changerelay_ingest_request_duration_seconds_bucket{source="desk",le="2.0"} 0`,
		`go_goroutines `, `process_cpu_seconds_total `,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %s", want)
		}
	}
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", "application/openmetrics-text")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

func TestAdmin(t *testing.T) {
	ready := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	for _, c := range []struct {
		path  string
		ready func(context.Context) error
		code  int
		body  string
	}{
		{"/healthz", ready(errors.New("broker away")), 200, "ok\n"},
		{"/readyz", nil, 200, "ok\n"},
		{"/readyz", ready(nil), 200, "ok\n"},
		{"/readyz", ready(errors.New("broker:\nno servers\tavailable")), 503, "broker: no servers available\n"},
		{"/metrics", nil, 200, ""},
		{"/", nil, 404, ""},
	} {
		t.Run(c.path, func(t *testing.T) {
			rec := get(t, New(prometheus.NewRegistry(), "", labels).Admin(c.ready), c.path)
			if rec.Code != c.code || c.body != "" && rec.Body.String() != c.body {
				t.Errorf("got %d %q, want %d %q", rec.Code, rec.Body, c.code, c.body)
			}
			if c.path == "/metrics" && !strings.HasSuffix(rec.Body.String(), "# EOF\n") {
				t.Error("is not OpenMetrics")
			}
		})
	}
}

// A readiness check that hangs does not hang the probe, whether it looks at its
// context or not.
func TestReadyTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		for _, ready := range []func(context.Context) error{
			func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
			func(context.Context) error { <-release; return nil },
		} {
			start := time.Now()
			if err := ask(t.Context(), ready); err == nil || time.Since(start) != ReadyTimeout {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
		}
	})
}

func TestTwiceIsAMistake(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the same registry took the collectors twice")
		}
	}()
	reg := prometheus.NewRegistry()
	New(reg, "", labels)
	New(reg, "", labels)
}
