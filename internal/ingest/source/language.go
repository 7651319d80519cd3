package source

import (
	"context"
	"errors"
	"time"
)

// A Language is what the expressions of kind mapped are written in. It is CEL: the
// package expression, which registers itself in a program that imports it. It is
// apart because it is megabytes, and a worker, which reads the same configuration
// file, runs no expression. In a program without a language a mapped source is
// checked as far as that goes without, and nothing is decoded.
type Language interface {
	// Compile checks the expression of a meaning. Its errors name the meaning.
	Compile(meaning, text string) (Expression, error)
	// Value is decoded JSON as expressions see it.
	Value(doc any) Value
}

// An Expression is ready to run. It is safe for concurrent use.
type Expression interface {
	// Uses reports whether the expression looks at a variable.
	Uses(variable string) bool
	// Eval runs it on the present record. What it gives depends on its meaning:
	//
	//	when     bool
	//	each     []Value, at most MaxRecords
	//	changes  []events.Change, not nil
	//	items    string, or []any of strings, or nil for none
	//	others   string, or nil for none
	//
	// Or its error is *events.InvalidError, which says nothing that the body does.
	Eval(*Evaluation) (any, error)
}

// A Value is a document in two forms.
type Value struct {
	Seen any // as expressions see it; the language's own
	Doc  any // as paths do: decoded JSON, or nil if an expression made it
}

// An Evaluation is the work on one delivery: what its expressions see, and what
// they have spent. It is one goroutine's.
type Evaluation struct {
	Context    context.Context // ends after MaxDecodeTime
	Body       Value
	Record     Value // the present one; none is there for each
	Headers    Value // by their lower-case names
	Source     string
	DeliveryID string // "" if nothing vouches for it
	Received   time.Time
	Spent      uint64 // by all expressions so far, in the language's units
}

var language Language // nil: none

// Register gives the program its language. It is for an init function, and panics
// if there is one.
func Register(l Language) {
	if language != nil {
		panic("source: the language of kind mapped is registered twice")
	}
	language = l
}

// errNoLanguage is no fault of a sender, who is to try again at a program that can.
var errNoLanguage = errors.New("decoding for a source of kind mapped: this program is built without the language of expressions")
