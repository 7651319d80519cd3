package tracing

import (
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// A sampler decides whether a trace is kept:
//
//	begun here           if its id is within the part
//	begun elsewhere      if it was kept there, and its id is within the part
//	of several traces    if any of them is kept
//	goes on in here      as it was decided
type sampler struct{ part sdk.Sampler }

func (s sampler) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	var keep bool
	switch {
	case parent.IsValid() && !parent.IsRemote():
		keep = parent.IsSampled()
	case parent.IsValid():
		keep = parent.IsSampled() && s.within(p)
	case len(p.Links) > 0:
		keep = true // Join links to none but those that are kept
	default:
		keep = s.within(p)
	}
	if keep {
		return sdk.SamplingResult{Decision: sdk.RecordAndSample}
	}
	return sdk.SamplingResult{Decision: sdk.Drop}
}

func (s sampler) within(p sdk.SamplingParameters) bool {
	return s.part.ShouldSample(p).Decision == sdk.RecordAndSample
}

func (s sampler) Description() string { return "changerelay/" + s.part.Description() }
