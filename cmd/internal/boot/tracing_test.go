package boot

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"changerelay/internal/relay"
)

func TestTracingURL(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://collector:4318":           "http://collector:4318/v1/traces",
		"https://collector/":              "https://collector/v1/traces",
		"https://otlp.example/in/v1/own":  "https://otlp.example/in/v1/own",
		"http://collector:4318/v1/traces": "http://collector:4318/v1/traces",
	} {
		if got := (Tracing{Endpoint: endpoint}).url(); got != want {
			t.Errorf("%s: %s, want %s", endpoint, got, want)
		}
	}
}

// A header is read at the start and again for each request, and no error has its
// value.
func TestTracingHeaders(t *testing.T) {
	dir := t.TempDir()
	file, config := filepath.Join(dir, "key"), filepath.Join(dir, "relay.yaml")
	c, err := Parse(config, []byte(tenant+"tracing: {endpoint: 'http://127.0.0.1:1', headers: {authorization: {file: key}}, ca_file: ca.pem}\n"))
	if err != nil {
		t.Fatal(err)
	}
	at := config + ":6:53: tracing.headers.authorization: "
	if _, err := c.tracer(relay.Ingest, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), at+"there is no file "+file) || !strings.Contains(err.Error(), "tracing.ca_file: ") {
		t.Errorf("a missing file: %v", err)
	}
	for value, want := range map[string]string{"Bearer " + password + "\n": "Bearer " + password, password + "\n" + password: "", "": ""} {
		write(t, file, value)
		h, err := c.Tracing.read()
		if got := h.Get("Authorization"); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", value, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), password) || !strings.HasPrefix(err.Error(), at)) {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestNoTracerWithoutAnEndpoint(t *testing.T) {
	c, err := Parse("relay.yaml", []byte(tenant))
	if err != nil {
		t.Fatal(err)
	}
	if tr, err := c.tracer(relay.Worker, nil); tr != nil || err != nil {
		t.Errorf("%v, %v", tr, err)
	}
}
