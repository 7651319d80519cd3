package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"changerelay/internal/events"
)

// An evaluation is the work on one delivery.
type evaluation struct {
	ctx   context.Context
	vars  map[string]any
	spent uint64 // cost units, by all expressions so far
}

// run evaluates an expression on the present record. nil is a null, or an optional
// that holds nothing.
func (e *evaluation) run(x *expression) (ref.Val, error) {
	out, details, err := x.program.ContextEval(e.ctx, e.vars)
	if spent := details.ActualCost(); spent != nil {
		e.spent += *spent
	}
	switch {
	case err != nil:
		return nil, x.refuse(err)
	case e.spent > maxDeliveryCost || e.ctx.Err() != nil:
		return nil, invalid(mapField(x.meaning), "the expressions take too many steps for this body together; have the sender send fewer records in one request")
	}
	for {
		optional, ok := out.(*types.Optional)
		switch {
		case out == types.NullValue, ok && !optional.HasValue():
			return nil, nil
		case !ok:
			return out, nil
		}
		out = optional.GetValue()
	}
}

// refuse says why an expression gave nothing. Of CEL's own words only those pass
// that cannot hold what the sender wrote: bodies have secrets in them.
func (x *expression) refuse(err error) *events.InvalidError {
	return invalid(mapField(x.meaning), x.place(err)+x.reason(err))
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
	case isKey && x.uses("headers") && strings.Contains(x.text, `"`+key+`"`):
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

// list runs an expression that gives a list.
func (e *evaluation) list(x *expression) ([]ref.Val, error) {
	v, err := e.run(x)
	if err != nil {
		return nil, err
	}
	return x.list(v)
}

// list is the entries of a list that an expression gave.
func (x *expression) list(v ref.Val) ([]ref.Val, error) {
	l, ok := v.(traits.Lister)
	if !ok {
		return nil, x.wrong(v)
	}
	n := l.Size().(types.Int)
	if n > MaxRecords {
		return nil, invalid(mapField(x.meaning), fmt.Sprintf("gives a list of %d; at most %d are taken", n, MaxRecords))
	}
	var list []ref.Val
	for i := range n {
		list = append(list, l.Get(i))
	}
	return list, nil
}

// wrong is the error of a result that its meaning cannot have.
func (x *expression) wrong(v ref.Val) error {
	got := "null"
	if v != nil {
		got = typeName(v.Type().TypeName())
	}
	return invalid(mapField(x.meaning), fmt.Sprintf("gives %s; want %s", got, wantOf(x.meaning)))
}

// value runs the expression of a meaning that an event has one of. It gives text,
// or for items a list of texts, or nil.
func (e *evaluation) value(x *expression) (any, error) {
	v, err := e.run(x)
	if err != nil || v == nil {
		return nil, err
	}
	switch _, isList := v.(traits.Lister); {
	case x.meaning == Time:
		v = clock(v)
	case x.meaning == Items && isList:
		return x.texts(v)
	}
	text, ok := plainText(v)
	if !ok {
		return nil, x.wrong(v)
	}
	return text, nil
}

func (x *expression) texts(v ref.Val) (any, error) {
	list, err := x.list(v)
	if err != nil {
		return nil, err
	}
	texts := []any{}
	for i, e := range list {
		text, ok := plainText(e)
		if !ok {
			return nil, invalid(fmt.Sprintf("%s[%d]", mapField(x.meaning), i), "want an item's id, as text")
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// clock writes the times that are not text. Seconds and milliseconds cannot be
// taken for each other: the seconds of any time that an event may have are
// milliseconds of 1970.
func clock(v ref.Val) ref.Val {
	t, ok := v.(types.Timestamp)
	if n, isInt := v.(types.Int); isInt {
		const milliseconds = 100_000_000_000 // in 1973; as seconds, in the year 5138
		t, ok = types.Timestamp{Time: time.Unix(int64(n), 0)}, true
		if n >= milliseconds {
			t.Time = time.UnixMilli(int64(n))
		}
	}
	if !ok {
		return v
	}
	return types.String(t.UTC().Format(time.RFC3339Nano))
}
