package expression

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"changerelay/internal/ingest/source"
)

// Eval is source.Expression's.
func (x *expression) Eval(e *source.Evaluation) (any, error) {
	v, err := x.run(e)
	if err != nil {
		return nil, err
	}
	switch x.meaning {
	case source.When:
		return x.verdict(v)
	case source.Each:
		return x.records(v)
	case source.Changes:
		return x.changes(v)
	}
	return x.value(v)
}

// run evaluates the expression on the present record. nil is a null, or an optional
// that holds nothing.
func (x *expression) run(e *source.Evaluation) (ref.Val, error) {
	out, details, err := x.program.ContextEval(e.Context, seen{e})
	if spent := details.ActualCost(); spent != nil {
		e.Spent += *spent
	}
	switch {
	case err != nil:
		return nil, x.refuse(err)
	case e.Spent > maxDeliveryCost || e.Context.Err() != nil:
		return nil, x.invalid("the expressions take too many steps for this body together; have the sender send fewer records in one request")
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
