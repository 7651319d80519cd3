package graph_test

import (
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"changerelay/internal/graph"
)

// Calls leave no goroutine and no connection behind: 5 000 of them, or with
// GRAPH_TEST_CALLS=all 100 000, of which every tenth fails.
func TestNothingLeaks(t *testing.T) {
	const workers = 8 // below the idle connections that are kept
	calls := 5_000
	if os.Getenv("GRAPH_TEST_CALLS") == "all" {
		calls = 100_000
	}
	for name, http2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			connections, conns := new(atomic.Int32), sync.Map{}
			c := newCloud(t, http2)
			c.forget = true
			c.graph = func(w http.ResponseWriter, r *http.Request, n int) {
				if _, old := conns.LoadOrStore(r.RemoteAddr, true); !old {
					connections.Add(1)
				}
				if n%10 == 0 {
					reply(429, `{"error":{"code":"TooManyRequests","message":"slow down"}}`, "Retry-After", "1")(w, r, n)
				}
			}
			g := c.own(t)
			if err := post(t, g); err != nil {
				t.Fatal(err)
			}
			before := runtime.NumGoroutine()
			var left atomic.Int64
			left.Store(int64(calls))
			var all sync.WaitGroup
			for range workers {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						if err := post(t, g); err != nil {
							kind(t, err, graph.Throttled)
						}
					}
				})
			}
			all.Wait()
			if n := connections.Load(); n > 3*workers || http2 && n > 2 {
				t.Errorf("%d calls took %d connections", calls, n)
			}
			c.CloseClientConnections()
			until(t, func() bool { return runtime.NumGoroutine() <= before })
		})
	}
}
