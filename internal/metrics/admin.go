package metrics

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Bounds of the admin handler.
const (
	ReadyTimeout  = 2 * time.Second  // longest that ready may take: kubelet probes give up soon after
	ScrapeTimeout = 10 * time.Second // longest that a scrape may take: Prometheus' own default
	MaxScrapes    = 3                // scrapes at once: a pair of Prometheus servers and a person
)

// Admin serves /metrics, /healthz and /readyz. It belongs on a listener of its
// own that no stranger can reach. Ready may be nil, and must be safe for
// concurrent use.
//
// Healthz is 200 while the process can answer at all: a broker that is away is
// no reason to restart a pod, only to send it nothing.
func (m *Metrics) Admin(ready func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: MaxScrapes,
		Timeout:             ScrapeTimeout,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		line(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := ask(r.Context(), ready); err != nil {
			line(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		line(w, http.StatusOK, "ok")
	})
	return mux
}

// ask bounds ready even when it ignores its context. Then its goroutine stays
// until ready returns; kubelet's next probe starts another.
func ask(ctx context.Context, ready func(context.Context) error) error {
	if ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, ReadyTimeout)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- ready(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return errors.New("not ready: no answer from the readiness check within " + ReadyTimeout.String())
	}
}

// line answers with one line of text.
func line(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, strings.Join(strings.Fields(text), " ")+"\n") // the prober has gone
}
