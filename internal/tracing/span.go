package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// A Kind says which side of a conversation a span is.
type Kind = trace.SpanKind

// The kinds.
const (
	Internal = trace.SpanKindInternal
	Server   = trace.SpanKindServer
	Client   = trace.SpanKindClient
	Producer = trace.SpanKindProducer
	Consumer = trace.SpanKindConsumer
)

// A Span is a unit of work in a trace. The zero one is none, and all its methods
// do nothing. Values are set one by one, and not in a list, so that a span that is
// none costs nothing.
type Span struct{ s trace.Span }

// Current is the span that ctx has.
func Current(ctx context.Context) Span {
	if s := trace.SpanFromContext(ctx); s.SpanContext().IsValid() {
		return Span{s}
	}
	return Span{}
}

// In returns ctx with the span, for what is begun with another context than the
// span was.
func (s Span) In(ctx context.Context) context.Context {
	if s.s == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.s)
}

// On reports whether the span is recorded: only then is it worth to gather what
// is said of it.
func (s Span) On() bool { return s.s != nil && s.s.IsRecording() }

// Name names it anew, where more is known.
func (s Span) Name(name string) {
	if s.On() {
		s.s.SetName(name)
	}
}

// Text says something of it; "" says nothing. It must not be an error's text, nor
// an unverified sender's.
func (s Span) Text(key, value string) {
	if s.On() && value != "" {
		s.s.SetAttributes(attribute.String(key, value))
	}
}

// Texts says several things under one key.
func (s Span) Texts(key string, values []string) {
	if s.On() && len(values) > 0 {
		s.s.SetAttributes(attribute.StringSlice(key, values))
	}
}

// Count says a number.
func (s Span) Count(key string, n int) {
	if s.On() {
		s.s.SetAttributes(attribute.Int(key, n))
	}
}

// Link points at a span of another trace, as Parent has it. One of the same trace
// is above it anyway.
func (s Span) Link(to string) {
	if !s.On() || to == "" {
		return
	}
	if sc := parse(to); sc.IsValid() && sc.TraceID() != s.s.SpanContext().TraceID() {
		s.s.AddLink(trace.Link{SpanContext: sc})
	}
}

// Fail says that it went wrong, in one word of the log's.
func (s Span) Fail(word string) {
	if s.On() {
		s.s.SetStatus(codes.Error, word)
		s.s.SetAttributes(attribute.String("error.type", word))
	}
}

// End ends it now.
func (s Span) End() {
	if s.s != nil {
		s.s.End()
	}
}

// EndAt ends it at a time, which may be past.
func (s Span) EndAt(at time.Time) {
	if s.s != nil {
		s.s.End(trace.WithTimestamp(at))
	}
}

// ID is the trace's, 32 hexadecimal digits; "" if it is not sampled.
func (s Span) ID() string {
	if s.s == nil {
		return ""
	}
	return id(s.s.SpanContext())
}

// Parent is the span as a W3C traceparent, for what goes on from it elsewhere; ""
// if it is not sampled.
func (s Span) Parent() string {
	if s.s == nil || !s.s.SpanContext().IsSampled() {
		return ""
	}
	return format(s.s.SpanContext())
}

func id(sc trace.SpanContext) string {
	if !sc.IsSampled() {
		return ""
	}
	return sc.TraceID().String()
}
