package expression

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/interpreter"

	"changerelay/internal/ingest/source"
)

// variables are what expressions see: no file, no network, no clock, and no header
// that nothing vouches for.
func variables() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Variable("body", cel.DynType),
		cel.Variable("record", cel.DynType),
		cel.Variable("source", cel.StringType),
		cel.Variable("delivery.id", cel.StringType),
		cel.Variable("delivery.received", cel.TimestampType),
		cel.Variable("headers", cel.MapType(cel.StringType, cel.StringType)),
	}
}

// seen is the work on a delivery, as CEL asks for the variables.
type seen struct{ *source.Evaluation }

// ResolveName is interpreter.Activation's.
func (s seen) ResolveName(name string) (v any, found bool) {
	switch name {
	case "body":
		v = s.Body.Seen
	case "record":
		v = s.Record.Seen
	case "source":
		v = s.Source
	case "delivery.id":
		v = s.DeliveryID
	case "delivery.received":
		v = s.Received
	case "headers":
		v = s.Headers.Seen
	}
	return v, v != nil
}

// Parent is interpreter.Activation's.
func (seen) Parent() interpreter.Activation { return nil }

// Uses reports whether the expression looks at a variable.
func (x *expression) Uses(variable string) bool {
	for _, r := range x.ast.ReferenceMap() {
		if r.Name == variable {
			return true
		}
	}
	return false
}

// misuse says which variable the expression must not look at, or "".
func (x *expression) misuse() string {
	switch {
	case x.meaning == source.Each && x.Uses("record"):
		return "there is no record yet; take the records out of body"
	case x.meaning != source.When && x.meaning != source.Each && x.Uses("delivery.received"):
		// A second delivery of one event would differ from the first.
		return "must not look at delivery.received, which is new each time; leave out what the sender does not say"
	}
	return ""
}
