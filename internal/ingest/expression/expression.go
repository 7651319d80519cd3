// Package expression is the language in which configuration says what a ticket of
// kind mapped is: CEL (https://cel.dev), bounded. What an expression sees and gives
// is said where the kind is, in package source.
//
//	when: record.status == "approved"
//	  │ Compile, at the start: its type must be one that the meaning may have
//	  ▼
//	Expression ──Eval, for each record──► plain Go, or *events.InvalidError
//	               ▲
//	               └ one Evaluation for a delivery: all its expressions share its cost and its time
//
// Expressions are the operator's, but what they work on is the sender's: a harmless
// expression over a hostile body must end too, in little memory, and no error may
// repeat what the sender wrote. limits.go has the bounds; cost.go says what a call
// costs. Expressions see no file, no network and no clock.
//
// A program that decodes imports this package for its effect, as others import
// image/png:
//
//	import _ "changerelay/internal/ingest/expression"
//
// The package stands apart from source, and is the only one that imports cel-go,
// because a worker reads the same configuration file as ingest and runs none of its
// expressions. cel-go would be a quarter of the worker's binary, and six of some
// forty megabytes that it takes under load.
package expression

import "changerelay/internal/ingest/source"

func init() { source.Register(language{}) }

// language is CEL, as source asks for it. It is safe for concurrent use.
type language struct{}

// Compile is source.Language's.
func (language) Compile(meaning, text string) (source.Expression, error) {
	x, err := compile(meaning, text)
	if err != nil {
		return nil, err
	}
	return x, nil
}

// Value is source.Language's.
func (language) Value(doc any) source.Value { return source.Value{Seen: celValue(doc), Doc: doc} }
