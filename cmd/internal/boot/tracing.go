package boot

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"changerelay/internal/relay"
	"changerelay/internal/tracing"
)

// ourHeaders are those of a request to the collector that are not for the file.
var ourHeaders = []string{"connection", "content-length", "content-type", "host", "transfer-encoding", "user-agent"}

func (d *decoder) checkTracing(t Tracing) {
	u, err := url.Parse(t.Endpoint)
	if t.Endpoint != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		d.bad("tracing.endpoint", "want the http:// or https:// URL of a collector; a key belongs in tracing.headers")
	}
	if !(t.Sample >= 0 && t.Sample <= 1) {
		d.bad("tracing.sample", "want 0 to 1")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		at := "tracing.headers." + name
		d.name(at, name)
		if slices.Contains(ourHeaders, name) {
			d.bad(at, "is not for the file to say")
		}
		d.needSecret(at, t.Headers[name])
	}
}

// url is where spans are posted to.
func (t Tracing) url() string {
	if u, err := url.Parse(t.Endpoint); err == nil && strings.Trim(u.Path, "/") == "" {
		return strings.TrimRight(t.Endpoint, "/") + "/v1/traces"
	}
	return t.Endpoint
}

// read reads the headers. An error names the place of a value, never the value.
func (t Tracing) read() (http.Header, error) {
	h := http.Header{}
	for name, s := range t.Headers {
		value, err := s.Read()
		if err != nil {
			return nil, err
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("%s: the %s has more than one line", s.at, s)
		}
		h.Set(name, value)
	}
	return h, nil
}

// tracer makes the tracer of a process with these roles; nil without an endpoint.
// The headers are read once, so that a missing one stops the start.
func (c *Config) tracer(roles relay.Role, log *slog.Logger) (*tracing.Tracer, error) {
	t := c.Tracing
	if t.Endpoint == "" {
		return nil, nil
	}
	_, err := t.read()
	var roots *x509.CertPool
	if t.CAFile != "" {
		var bad error
		if roots, bad = ReadCA(t.CAFile); bad != nil {
			err = errors.Join(err, fmt.Errorf("tracing.ca_file: %w", bad))
		}
	}
	if err != nil {
		return nil, err
	}
	return tracing.New(tracing.Config{Endpoint: t.url(), Sample: t.Sample, Headers: t.read, Roots: roots,
		Service: service(roles), Version: Version(), Log: log})
}

// service is the process's name to who looks at traces.
func service(roles relay.Role) string {
	switch roles {
	case relay.Ingest:
		return "changerelay-ingest"
	case relay.Worker:
		return "changerelay-worker"
	}
	return "changerelay-standalone"
}
