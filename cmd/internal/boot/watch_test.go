package boot

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/await"
	"changerelay/internal/metrics"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
)

// A watched is a watcher of real files, whose looks and signals are the test's.
type watched struct {
	t       *testing.T
	dir     string
	log     *await.Log
	w       *watcher
	ticks   chan time.Time
	hangups chan os.Signal
	reports chan bool

	mu      sync.Mutex
	applied []relay.Change
	served  []map[string]Tenant // to the worker
	refuse  error
}

func watchFiles(t *testing.T, contents map[string]string) *watched {
	t.Helper()
	dir, c := files(t, contents)
	r := &watched{t: t, dir: dir, log: new(await.Log), ticks: make(chan time.Time), hangups: make(chan os.Signal), reports: make(chan bool, 100)}
	var err error
	if r.w, err = c.watch(relay.Ingest|relay.Worker, slog.New(slog.NewTextHandler(r.log, nil))); err != nil {
		t.Fatal(err)
	}
	r.w.ticks, r.w.hangups, r.w.worker = r.ticks, r.hangups, r
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.w.run(ctx, r.apply, func(ok bool) { r.reports <- ok }) }()
	t.Cleanup(func() { stop(); <-done })
	return r
}

func (r *watched) Work(context.Context, *nats.Conn, *stream.Streams, *metrics.Metrics) error {
	return nil
}

func (r *watched) Reload(c *Config) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.served = append(r.served, c.Tenants)
	return nil
}

func (r *watched) apply(s relay.Change) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse == nil {
		r.applied = append(r.applied, s)
	}
	return r.refuse
}

func (r *watched) write(name, text string) {
	r.t.Helper()
	write(r.t, filepath.Join(r.dir, name), text)
}

// look lets the watcher look so often; all looks but the last are over.
func (r *watched) look(times int) {
	for range times {
		r.ticks <- time.Time{}
	}
}

// want waits for the next report, after enough looks.
func (r *watched) want(ok bool, applied int) {
	r.t.Helper()
	select {
	case got := <-r.reports:
		if got != ok {
			r.t.Fatalf("reported %v, want %v\n%s", got, ok, r.log)
		}
	case <-time.After(30 * time.Second):
		r.t.Fatalf("there was no report\n%s", r.log)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.applied) != applied {
		r.t.Fatalf("applied %d times, want %d\n%s", len(r.applied), applied, r.log)
	}
}

// quiet wants nothing to have been read again.
func (r *watched) quiet() {
	r.t.Helper()
	r.look(4)
	select {
	case got := <-r.reports:
		r.t.Fatalf("reported %v\n%s", got, r.log)
	default:
	}
}

// logged wants lines in the log. They are there before the report.
func (r *watched) logged(parts ...string) {
	r.t.Helper()
	for _, p := range parts {
		if !strings.Contains(r.log.String(), strings.ReplaceAll(p, "FILE", filepath.Join(r.dir, "relay.yaml"))) {
			r.t.Errorf("the log lacks %s:\n%s", p, r.log)
		}
	}
}

func hook(name, secret string) string {
	return fmt.Sprintf("  %s:\n    kind: freshservice\n    tenants: [acme]\n    header: {name: X-Token, secrets: [{file: %s}]}\n", name, secret)
}
