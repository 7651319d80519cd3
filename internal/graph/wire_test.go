package graph_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// A wire is a transport that keeps the last body of a read, for fields that the
// client does not decode, and may edit the body of a POST, for such as the
// client does not send. It is used by one call at a time.
type wire struct {
	base http.RoundTripper
	last []byte
	edit func(body string) string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	ours := strings.HasPrefix(r.URL.Path, "/beta/")
	if ours && r.Body != nil && w.edit != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		edited := w.edit(string(body))
		r = r.Clone(r.Context())
		r.Body, r.GetBody, r.ContentLength = io.NopCloser(strings.NewReader(edited)), nil, int64(len(edited))
	}
	resp, err := w.base.RoundTrip(r)
	if err != nil || !ours || r.Method != http.MethodGet {
		return resp, err
	}
	w.last, err = io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(w.last))
	return resp, err
}

func (w *wire) CloseIdleConnections() {
	if c, ok := w.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// field is the first text of that name in the last read.
func (w *wire) field(name string) string {
	m := regexp.MustCompile(fmt.Sprintf(`"%s"\s*:\s*"([^"]*)"`, regexp.QuoteMeta(name))).FindSubmatch(w.last)
	if m == nil {
		return "(not shown)"
	}
	return string(m[1])
}
