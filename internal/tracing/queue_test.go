package tracing

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/await"
)

// spans ends that many.
func spans(t *testing.T, tr *Tracer, n int) {
	t.Helper()
	for range n {
		_, s := tr.Root(t.Context(), "work", Internal, time.Now())
		s.End()
	}
}

// While the collector hangs no work waits; what finds no room is dropped, and the
// log has the count.
func TestAHangingCollectorDelaysNothing(t *testing.T) {
	tr, c, log := begin(t)
	release, met := make(chan struct{}), make(chan struct{}, 100)
	c.Answer(func(http.ResponseWriter, *http.Request) bool { met <- struct{}{}; <-release; return false })
	spans(t, tr, batchMost)
	<-met // the batch is on its way, and hangs
	began := time.Now()
	spans(t, tr, queueRoom+300)
	if took := time.Since(began); took > tryFor/2 {
		t.Errorf("the work took %v", took)
	}
	close(release)
	await.State(t, "the log to tell", func() bool { return strings.Contains(log.String(), "spans were dropped") })
	lost := 0
	_, told, _ := strings.Cut(log.String(), " spans=")
	if _, err := fmt.Sscan(told, &lost); err != nil || lost < 300 || !strings.Contains(told, "lower tracing.sample") || strings.Count(told, "\n") != 1 {
		t.Errorf("%v: the log is %s", err, log)
	}
	tr.Close()
	if got := len(c.Spans("work")); got+lost != batchMost+queueRoom+300 {
		t.Errorf("the collector has %d spans, and %d were lost", got, lost)
	}
}

// What a collector quotes reaches no log, and no header does.
func TestACollectorsAnswers(t *testing.T) {
	const key = "key-of-the-collector-not-for-logs"
	for name, c := range map[string]struct {
		status int
		reply  string
		want   string // in the log; "" is that all is well
		calls  int
	}{
		"taken":       {200, "", "", 1},
		"in part":     {200, "\x0a\x02\x08\x02", `spans=2 err="traces export: the collector rejected 2 spans"`, 1},
		"no key":      {401, "Unauthorized: Bearer " + key, `spans=3 err="traces export: the collector answered 401 Unauthorized"`, 1},
		"redirect":    {302, "", `the collector answered 302 Found`, 1},
		"odd":         {299, "<p>" + key, "", 1},
		"unavailable": {503, key, "", 2}, // and then it is taken
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, col, log := begin(t, func(c *Config) {
				c.Headers = func() (http.Header, error) { return http.Header{"Authorization": {"Bearer " + key}}, nil }
			})
			var calls atomic.Int64
			col.Answer(func(w http.ResponseWriter, r *http.Request) bool {
				if n := calls.Add(1); c.status == 503 && n > 1 {
					return false
				}
				w.Header().Set("Location", "/"+key)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.reply))
				return true
			})
			spans(t, tr, 3)
			await.State(t, "the request", func() bool { return int(calls.Load()) == c.calls })
			tr.Close()
			if s := log.String(); !strings.Contains(s, c.want) || (s == "") != (c.want == "") || strings.Contains(s, key) {
				t.Errorf("the log is %q", s)
			}
			if got := int(calls.Load()); got != c.calls {
				t.Errorf("%d requests", got)
			}
		})
	}
}

// A collector that is away costs its tries and no more; nor does a header that
// cannot be read name itself.
func TestNoCollector(t *testing.T) {
	for name, f := range map[string]func(*Config){
		"nobody listens": func(c *Config) { c.Endpoint = "http://127.0.0.1:1/v1/traces?k=" + "secret" },
		"no header": func(c *Config) {
			c.Headers = func() (http.Header, error) { return nil, errors.New("there is no file key") }
		},
	} {
		tr, _, log := begin(t, f)
		spans(t, tr, 3)
		tr.Close() // one try is made
		s := log.String()
		if !strings.Contains(s, "spans=3 ") || strings.Contains(s, "secret") || name == "no header" && !strings.Contains(s, "there is no file key") {
			t.Errorf("%s: the log is %q", name, s)
		}
	}
}

func TestConfig(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("no endpoint is taken")
	}
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "nonsense")
	if _, err := New(Config{Endpoint: "http://h"}); err == nil || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("a bad environment: %v", err)
	}
}
