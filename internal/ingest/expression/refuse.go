package expression

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
)

// refuse says why an expression gave nothing. Of CEL's own words only those pass
// that cannot hold what the sender wrote: bodies have secrets in them.
func (x *expression) refuse(err error) *events.InvalidError {
	return x.invalid(x.place(err) + x.reason(err))
}

func (x *expression) reason(err error) string {
	var cancelled interpreter.EvalCancelledError
	var own refusal
	message := err.Error()
	key, isKey := strings.CutPrefix(message, "no such key: ")
	switch {
	case errors.As(err, &cancelled) || errors.Is(err, interpreter.InterruptError{}):
		return "takes too many steps for this body; have the sender send less in one request, or look at less of it"
	case errors.As(err, &own):
		return own.Error()
	case isKey && x.Uses("headers") && strings.Contains(x.text, `"`+key+`"`):
		return fmt.Sprintf("there is no %q; of headers only those are there that the signature covers, and that are given once", key)
	case isKey && strings.Contains(x.text, key):
		return fmt.Sprintf("there is no %q; if it may be missing, test it with has(), or read it with .? in place of the dot", key)
	case isKey:
		return "there is no member of that name; test it with in, or read it with [?name]"
	case strings.HasPrefix(message, "no such overload"):
		return "a value is not what this takes, such as null or a number in place of text; test it, or convert it with string() or int()"
	case strings.HasPrefix(message, "index "):
		return "the list has no such place; test its size() before, or read it with [?0]"
	case strings.HasPrefix(message, "optional.none() dereference"):
		return "the optional holds nothing; give another value with orValue()"
	case message == "division by zero", message == "modulus by zero", message == "integer overflow":
		return message
	}
	return "a value of the body is not what this takes; test it before"
}

// place is where in the expression an error arose.
func (x *expression) place(err error) string {
	var at *types.Err
	if !errors.As(err, &at) || at.NodeID() == 0 {
		return ""
	}
	start := x.ast.SourceInfo().GetStartLocation(at.NodeID())
	return fmt.Sprintf("line %d, column %d: ", start.Line(), start.Column()+1)
}

// wrong is the error of a result that its meaning cannot have.
func (x *expression) wrong(v ref.Val) error {
	got := "null"
	if v != nil {
		got = typeName(v.Type().TypeName())
	}
	return x.invalid(fmt.Sprintf("gives %s; want %s", got, wantOf(x.meaning)))
}

func (x *expression) invalid(reason string) *events.InvalidError {
	return &events.InvalidError{Field: source.MapField(x.meaning), Reason: reason}
}

// invalidAt is of an entry of the list that the expression gave.
func (x *expression) invalidAt(i int, reason string) *events.InvalidError {
	return &events.InvalidError{Field: fmt.Sprintf("%s[%d]", source.MapField(x.meaning), i), Reason: reason}
}
