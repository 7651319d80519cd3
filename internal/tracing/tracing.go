// Package tracing follows events through the relay as OpenTelemetry traces. It is
// off without an endpoint: a nil *Tracer begins nothing, and then no header is
// written and nothing is allocated.
//
//	POST ──► publish ──► (traceparent in CHANGES) ──► fold ──► (in the document) ──► reconcile ──► graph
//	                                                                                    └──► outcome
//
// # Parents and links
//
// A webhook begins a trace of its own. What its sender calls the trace is
// linked, once the sender is verified: a stranger could choose ids that exist,
// or have everything sampled. Whoever publishes to the broker was let in there,
// and its traceparent is the parent.
//
// One event's trace goes on through fold, visit and call. Where several events
// become one unit of work, that has a trace of its own, with links to theirs, at
// most MaxLinks. Each event's trace ends with a span "outcome", which links to
// the unit that brought it.
//
// # Sampling
//
// The decision is made where a trace begins, by its id and the configured part.
// One that was begun elsewhere goes on if it was sampled there and its id is
// within our part too: a publisher cannot make us sample more than we were told
// to. One that is not sampled is told on, so that nobody begins it anew.
// tracestate is not told on: documents would keep a stranger's text.
//
// # Failures
//
// Spans wait in a queue with a bound and are sent in the background; what finds
// no room, and what the collector does not take in a few tries, is dropped and
// counted in the log. No unit of work ever waits.
//
// # Secrets
//
// Attributes are words of the log lines. No error's text becomes one, and no
// answer of the collector is quoted: it may quote the key it was sent.
package tracing

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config says where traces go. Endpoint is required.
type Config struct {
	Endpoint string                          // URL to post to, path included: OTLP over HTTP, protobuf
	Sample   float64                         // part of the traces that are kept, 0 to 1
	Headers  func() (http.Header, error)     // of each request, asked for each time; nil is none
	Roots    *x509.CertPool                  // who may have signed the collector's certificate; nil is the system's
	Service  string                          // service.name
	Version  string                          // service.version
	Log      *slog.Logger                    // nil discards
	client   func(c Config) otlptrace.Client // tests have their own
}

// A Tracer begins traces. A nil one begins none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	queue    *queue
}

// New returns a tracer that sends until Close. It makes no connection yet. Of the
// environment it reads OTEL_RESOURCE_ATTRIBUTES, which operators of clusters set,
// and no other variable of OpenTelemetry's.
func New(c Config) (*Tracer, error) {
	if c.Endpoint == "" {
		return nil, errors.New("configuring tracing: an endpoint is needed")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	client := c.client
	if client == nil {
		client = func(c Config) otlptrace.Client { return newUpload(c) }
	}
	q := newQueue(otlptrace.NewUnstarted(client(c)), c.Log)
	limits := sdk.SpanLimits{AttributeValueLengthLimit: maxText, AttributeCountLimit: maxAttributes, LinkCountLimit: MaxLinks,
		EventCountLimit: 0, AttributePerEventCountLimit: 0, AttributePerLinkCountLimit: maxAttributes}
	r, err := describe(c)
	if err != nil {
		return nil, fmt.Errorf("configuring tracing: %w", err)
	}
	p := sdk.NewTracerProvider(sdk.WithSpanProcessor(q), sdk.WithRawSpanLimits(limits), sdk.WithResource(r),
		sdk.WithSampler(sampler{sdk.TraceIDRatioBased(c.Sample)}))
	go q.run()
	return &Tracer{provider: p, tracer: p.Tracer("changerelay"), queue: q}, nil
}

// describe is the process, as the collector is told of it.
func describe(c Config) (*resource.Resource, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	r, err := resource.New(context.Background(), resource.WithFromEnv(), resource.WithAttributes(
		attribute.String("service.name", c.Service), attribute.String("service.version", c.Version),
		attribute.String("service.instance.id", rand.Text()), attribute.String("host.name", host)))
	if err != nil {
		return nil, errors.New("OTEL_RESOURCE_ATTRIBUTES: want key=value,key=value")
	}
	return r, nil
}

// Close sends what waits, for at most CloseFor, and ends the tracer. What is
// traced after it is dropped.
func (t *Tracer) Close() {
	if t != nil {
		t.queue.close()
	}
}

// Root begins a trace at a time, which may be past. Its span is on the way to be
// the parent of what follows in the context.
func (t *Tracer) Root(ctx context.Context, name string, k Kind, at time.Time) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, s := t.tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithTimestamp(at), trace.WithSpanKind(k))
	return ctx, Span{s}
}

// Join begins a unit of work that others' traces have led to: of one it goes on,
// of several it is a trace of its own with links, of none it is no span. from are
// as Span.Parent, Extract and the ledger have them; "" and what comes twice count
// for nothing.
func (t *Tracer) Join(ctx context.Context, name string, k Kind, at time.Time, from ...string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	var links []trace.Link
	known := map[string]bool{"": true}
	for _, f := range from {
		if known[f] || len(links) == MaxLinks {
			continue
		}
		known[f] = true
		if sc := parse(f); sc.IsSampled() {
			links = append(links, trace.Link{SpanContext: sc})
		}
	}
	o := []trace.SpanStartOption{trace.WithTimestamp(at), trace.WithSpanKind(k)}
	switch len(links) {
	case 0:
		return ctx, Span{}
	case 1:
		ctx = trace.ContextWithRemoteSpanContext(ctx, links[0].SpanContext)
	default:
		o = append(o, trace.WithNewRoot(), trace.WithLinks(links...))
	}
	ctx, s := t.tracer.Start(ctx, name, o...)
	return ctx, Span{s}
}

// Start begins a part of the span that ctx has; without one it is no span.
func Start(ctx context.Context, name string, k Kind) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.SpanContext().IsValid() || parent.SpanContext().IsRemote() {
		return ctx, Span{}
	}
	ctx, s := parent.TracerProvider().Tracer("changerelay").Start(ctx, name, trace.WithSpanKind(k))
	return ctx, Span{s}
}
