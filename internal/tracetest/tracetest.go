// Package tracetest is a collector of traces inside a test: an HTTP server that
// decodes OTLP as the real ones do. It shares no code with package tracing: the
// schema is OpenTelemetry's. Only tests import it.
package tracetest

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A Link is a span that another points at.
type Link struct{ Trace, ID string }

// A Span is one that the collector was sent. Ids are hexadecimal.
type Span struct {
	Trace, ID, Parent string // Parent is "" of a root
	Name, Kind        string
	Start, End        time.Time
	Failed            string // the status' words; "" if it went well
	Attrs             map[string]string
	Links             []Link
	Service           map[string]string // the resource
}

// A Collector keeps every span that it is sent.
type Collector struct {
	URL string // to post to

	mu      sync.Mutex
	spans   []Span
	headers []http.Header
	raw     []byte
	answer  func(http.ResponseWriter, *http.Request) bool
}

// New runs a collector until the test ends.
func New(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.URL = s.URL + "/v1/traces"
	return c
}

// Answer has f answer requests whose spans are not to be kept: it says which.
func (c *Collector) Answer(f func(http.ResponseWriter, *http.Request) (answered bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c.mu.Lock()
	c.headers = append(c.headers, r.Header.Clone())
	c.raw = append(c.raw, body...)
	answer := c.answer
	c.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	var data tracepb.TracesData
	if err == nil {
		err = proto.Unmarshal(body, &data)
	}
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, fmt.Sprintf("no OTLP: %v", err), http.StatusBadRequest)
		return
	}
	c.keep(&data)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *Collector) keep(data *tracepb.TracesData) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range data.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				c.spans = append(c.spans, read(s, attrs(rs.Resource.Attributes)))
			}
		}
	}
}

func read(s *tracepb.Span, service map[string]string) Span {
	o := Span{
		Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
		Name: s.Name, Kind: strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_")), Attrs: attrs(s.Attributes), Service: service,
		Start: time.Unix(0, int64(s.StartTimeUnixNano)), End: time.Unix(0, int64(s.EndTimeUnixNano)),
	}
	if s.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		o.Failed = cmp.Or(s.Status.Message, "error")
	}
	for _, l := range s.Links {
		o.Links = append(o.Links, Link{hex.EncodeToString(l.TraceId), hex.EncodeToString(l.SpanId)})
	}
	return o
}

func attrs(list []*commonpb.KeyValue) map[string]string {
	m := map[string]string{}
	for _, kv := range list {
		m[kv.Key] = value(kv.Value)
	}
	return m
}

func value(v *commonpb.AnyValue) string {
	switch x := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return x.StringValue
	case *commonpb.AnyValue_IntValue:
		return fmt.Sprint(x.IntValue)
	case *commonpb.AnyValue_BoolValue:
		return fmt.Sprint(x.BoolValue)
	case *commonpb.AnyValue_ArrayValue:
		var list []string
		for _, e := range x.ArrayValue.Values {
			list = append(list, value(e))
		}
		return strings.Join(list, " ")
	}
	return fmt.Sprint(v)
}

// Spans are those of a name, in the order in which they began; of "" all.
func (c *Collector) Spans(name string) []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Span
	for _, s := range c.spans {
		if name == "" || s.Name == name {
			list = append(list, s)
		}
	}
	slices.SortStableFunc(list, func(a, b Span) int { return a.Start.Compare(b.Start) })
	return list
}

// Headers are those of every request, also of those that Answer has answered.
func (c *Collector) Headers() []http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.headers)
}

// Raw is every byte of all requests' bodies.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.raw)
}

// Tree draws a trace, children below their parents, for errors of tests.
func (c *Collector) Tree(trace string) string {
	var b strings.Builder
	all := c.Spans("")
	var below func(parent, indent string)
	below = func(parent, indent string) {
		for _, s := range all {
			if s.Trace == trace && s.Parent == parent {
				fmt.Fprintf(&b, "%s%s %v links %d %s\n", indent, s.Name, s.Attrs, len(s.Links), s.Failed)
				below(s.ID, indent+"  ")
			}
		}
	}
	below("", "")
	return b.String()
}
