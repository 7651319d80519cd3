package ingest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"changerelay/internal/events"
	"changerelay/internal/metrics"
)

// A broker in memory: the fake of both interfaces.
type memory struct {
	mu     sync.Mutex
	stored map[string]events.Event
	away   error // Publish and Find fail with it
	panics any   // Publish panics with it

	deadline time.Time // of the last Publish
	ended    error     // what its context said
}

func (b *memory) Publish(ctx context.Context, e events.Event) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deadline, _ = ctx.Deadline()
	b.ended = ctx.Err()
	if b.panics != nil {
		panic(b.panics)
	}
	if b.away != nil {
		return false, b.away
	}
	old, had := b.stored[e.Ref().String()]
	switch {
	case had && old.Digest() != e.Digest():
		return false, events.ErrConflict
	case had:
		return true, nil
	}
	b.stored[e.Ref().String()] = e
	return false, nil
}

func (b *memory) Find(_ context.Context, r events.Ref) (events.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away != nil {
		return events.Receipt{}, b.away
	}
	e, ok := b.stored[r.String()]
	if !ok {
		return events.Receipt{}, events.ErrNotFound
	}
	return events.Receipt{ID: r.String(), Ticket: e.Ticket, Tenant: e.Tenant, Device: e.Device, Changes: e.Changes, Accepted: clock}, nil
}

var clock = time.Date(2026, 11, 22, 15, 43, 0, 0, time.UTC)

// Secrets of the sources under test; a log that holds one is a bug.
const (
	deskKey = "the-desk-key-of-24-bytes"
	snowKey = "the-servicenow-key"
)

var (
	deskSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte(deskKey))
	soleSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("the-key-of-another-desk!"))
)

// A world is a server with its surroundings.
type world struct {
	*Server
	broker   *memory
	registry *prometheus.Registry
	log      *bytes.Buffer
}

func config(w *world) Config {
	reg := prometheus.NewRegistry()
	w.registry = reg
	return Config{
		Sources: []Source{
			{Name: "desk", Kind: "cloudevents", Secrets: []string{deskSecret}, Tenants: []string{"acme", "globex"}},
			{Name: "root", Kind: "cloudevents", Secrets: []string{soleSecret}, Tenants: []string{"*"}},
			{Name: "snow", Kind: "servicenow", Secrets: []string{"an-older-key", snowKey}, Tenants: []string{"acme"}},
		},
		Tenants:   []string{"acme", "globex", "initech"},
		Publisher: w.broker, Finder: w.broker,
		Metrics: metrics.New(reg, "test", metrics.Labels{
			Sources: []string{"desk", "root", "snow"}, Tenants: []string{"acme", "globex"},
			Outcomes: words(events.Outcomes), Refusals: Refusals(),
		}),
		Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time { return clock },
	}
}

func words(list []events.Outcome) (s []string) {
	for _, o := range list {
		s = append(s, string(o))
	}
	return s
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{broker: &memory{stored: map[string]events.Event{}}, log: &bytes.Buffer{}}
	s, err := New(config(w))
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	return w
}

// do sends a request straight to the handler.
func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	return rec
}

// lastLine is the last request's line in the log.
func (w *world) lastLine(t *testing.T) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(w.log.String()), "\n")
	var m map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil {
		t.Fatal(err, lines)
	}
	return m
}

const (
	phone    = "6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11"
	snowBody = `{"number":"CHG0031877","sys_id":"4e1c8a2b","sys_mod_count":"9","sys_updated_on":"2026-11-22 15:42:51","approval":"approved",` +
		`"short_description":"Body-Text-Nobody-Logs","u_intune_device_id":"` + phone + `","u_intune_app_id":"a7d7a9a2"}`
)

// change is a CloudEvent's body.
func change(id, tenant, item string) string {
	return `{"specversion":"1.0","id":"` + id + `","source":"/desk","type":"changerelay.change.v1","time":"2026-11-22T15:42:00Z",` +
		`"subject":"CHG0031337","data":{"tenant":"` + tenant + `","device":"` + phone + `",` +
		`"changes":[{"intent":"remove","item":{"id":"` + item + `","type":"application"}}]}}`
}

// post makes a request without a signature.
func post(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// desk makes a request that a desk has signed.
func desk(key, path, body string, at time.Time) *http.Request {
	r := post(path, body)
	stamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set("Webhook-Id", "msg_1")
	r.Header.Set("Webhook-Timestamp", stamp)
	r.Header.Set("Webhook-Signature", "v1,"+mac(key, "msg_1."+stamp+"."+body))
	return r
}

// snow makes a request that the ServiceNow script has signed.
func snow(path, body string) *http.Request {
	r := post(path, body)
	r.Header.Set("X-Hmac-Signature", mac(snowKey, body))
	return r
}

func mac(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}
