package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/metrics"
)

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
	t        testing.TB
	sources  []Source
	broker   *memory
	registry *prometheus.Registry
	log      *await.Log
}

func config(w *world) Config {
	reg := prometheus.NewRegistry()
	w.registry = reg
	return Config{
		Sources: []Source{
			{Name: "desk", Kind: "cloudevents", Checks: signed("standard-webhooks", deskSecret), Tenants: []string{"acme", "globex"}},
			{Name: "root", Kind: "cloudevents", Checks: signed("standard-webhooks", soleSecret), Tenants: []string{"*"}},
			{Name: "snow", Kind: "servicenow", Checks: signed("servicenow", "an-older-key", snowKey), Tenants: []string{"acme"}},
		},
		Tenants:   known,
		Publisher: w.broker, Finder: w.broker, Parker: w.broker, Marks: w.broker,
		Metrics: metrics.New(reg, "test", metrics.Labels{
			Sources: []string{"desk", "root", "snow"}, Tenants: []string{"acme", "globex"},
			Outcomes: words(events.Outcomes), Refusals: Refusals(),
		}),
		Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time { return clock },
	}
}

// signed is the check of a signature of a well-known scheme. Its keys are k1, k2 …
func signed(preset string, secrets ...string) verify.Config {
	scheme, ok := verify.Preset(preset)
	if !ok {
		panic(preset + " is no preset")
	}
	s := &verify.Signature{Scheme: scheme}
	for i, secret := range secrets {
		s.Keys = append(s.Keys, verify.Key{ID: "k" + strconv.Itoa(i+1), Secret: secret})
	}
	return verify.Config{Signature: s}
}

func words(list []events.Outcome) (s []string) {
	for _, o := range list {
		s = append(s, string(o))
	}
	return s
}

// newWorld has the sources of config, unless change says otherwise.
func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, broker: newMemory(), log: &await.Log{}}
	c := config(w)
	for _, f := range change {
		f(&c)
	}
	w.sources = c.Sources
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	t.Cleanup(s.Close)
	return w
}

// withSource changes the source of that name, or adds it.
func withSource(name string, change func(*Source)) func(*Config) {
	return func(c *Config) {
		i := slices.IndexFunc(c.Sources, func(s Source) bool { return s.Name == name })
		if i < 0 {
			i, c.Sources = len(c.Sources), append(c.Sources, Source{Name: name, Tenants: []string{"acme"}})
		}
		change(&c.Sources[i])
	}
}

// unlimited takes all rates away: the clock of tests stands still.
func unlimited(c *Config) {
	none := Rate{PerSecond: -1}
	c.Rate, c.PeerRate = none, none
	for i := range c.Sources {
		c.Sources[i].Rate = none
	}
}

// source is the configuration of the source of that name.
func (w *world) source(name string) Source {
	return w.sources[slices.IndexFunc(w.sources, func(s Source) bool { return s.Name == name })]
}

// do sends a request straight to the handler. Its answer is as documented.
func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	conforms(w.t, r, rec)
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

// from has a request come from an address.
func from(address string, r *http.Request) *http.Request {
	r.RemoteAddr = net.JoinHostPort(address, "1234")
	return r
}

func mac(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// known are the configured tenants.
var known = []string{"acme", "globex", "initech"}
