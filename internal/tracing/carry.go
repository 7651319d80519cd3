package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Header is the W3C trace context's, as it stands in messages. HTTP writes it
// Traceparent.
const (
	Header          = "traceparent"
	canonicalHeader = "Traceparent"
)

// Inject puts the span that ctx has into the headers of a message, sampled or not.
func Inject(ctx context.Context, h map[string][]string) {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		h[Header] = []string{format(sc)}
	}
}

// Extract reads what Inject, or anybody, has written: "" if it is not sampled, or
// no traceparent. known says that there was one.
func Extract(h map[string][]string) (parent string, known bool) {
	values := h[Header]
	if values == nil {
		values = h[canonicalHeader]
	}
	if len(values) != 1 { // of two, nobody knows which is meant
		return "", false
	}
	sc := parse(values[0])
	if !sc.IsSampled() {
		return "", sc.IsValid()
	}
	return format(sc), true
}

// ID is the id of the trace that ctx is in, 32 hexadecimal digits; "" if there is
// none, or it is not sampled.
func ID(ctx context.Context) string { return id(trace.SpanContextFromContext(ctx)) }

// IDOf is the id of a trace as Span.Parent and Extract have it; "" of "".
func IDOf(parent string) string {
	if parent == "" {
		return ""
	}
	return id(parse(parent))
}

// RequestID is ID as Graph wants its client-request-id: in the form of a UUID.
func RequestID(ctx context.Context) string {
	s := ID(ctx)
	if s == "" {
		return ""
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// format writes a traceparent of version 00. Of the flags only "sampled" is ours
// to tell.
func format(sc trace.SpanContext) string {
	flags := "-00"
	if sc.IsSampled() {
		flags = "-01"
	}
	return "00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + flags
}

// parse reads a traceparent; what is none is the zero context.
func parse(s string) trace.SpanContext {
	if len(s) > maxParent {
		return trace.SpanContext{}
	}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier(s)))
}

// maxParent bounds what a later version of the header may add, bytes.
const maxParent = 256

// A carrier has a traceparent and nothing else.
type carrier string

func (c carrier) Get(key string) string {
	if key == Header {
		return string(c)
	}
	return ""
}

func (carrier) Set(string, string) {}
func (carrier) Keys() []string     { return []string{Header} }
