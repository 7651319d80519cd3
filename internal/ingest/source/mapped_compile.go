package source

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// An expression is what configuration gives for a meaning, ready to run. It is
// safe for concurrent use.
type expression struct {
	meaning, text string
	ast           *ast.AST
	program       cel.Program
}

// environment is what expressions see: no file, no network, no clock, and no header
// that nothing vouches for.
// It is made when the first mapped source is, and never changes.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewCustomEnv(append(library(),
		cel.Variable("body", cel.DynType),
		cel.Variable("record", cel.DynType),
		cel.Variable("source", cel.StringType),
		cel.Variable("delivery.id", cel.StringType),
		cel.Variable("delivery.received", cel.TimestampType),
		cel.Variable("headers", cel.MapType(cel.StringType, cel.StringType)),
		cel.EnableIdentifierEscapeSyntax(),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxRegex),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()),
	)...)
})

// compileExpression checks an expression as far as that can be done without a
// body. Its errors name the meaning, the place and the remedy.
func compileExpression(meaning, text string) (*expression, error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("making the environment of expressions: %w", err)
	}
	bad := func(format string, args ...any) (*expression, error) {
		return nil, fmt.Errorf("%s: "+format, append([]any{mapField(meaning)}, args...)...)
	}
	if strings.TrimSpace(text) == "" {
		return bad("is empty; give an expression such as record.id, or leave it out")
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		return bad("line %d, column %d: %s", first.Location.Line(), first.Location.Column()+1, explain(first.Message))
	}
	x := expression{meaning: meaning, text: text, ast: checked.NativeRep()}
	if got := checked.OutputType(); !returns(meaning, got) {
		return bad("gives %s; want %s", typeName(got.String()), wantOf(meaning))
	}
	if why := x.misuse(); why != "" {
		return bad("%s", why)
	}
	x.program, err = env.Program(checked, cel.CostTracking(newPrices()), cel.CostLimit(maxCost), cel.InterruptCheckFrequency(checkEvery), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return bad("cannot be planned: %w", err)
	}
	return &x, nil
}

// explain adds a remedy to what CEL says.
func explain(message string) string {
	message = strings.TrimSuffix(strings.Join(strings.Fields(message), " "), " (in container '')")
	switch {
	case strings.HasPrefix(message, "undeclared reference"):
		return message + "; there are body, record, delivery.id, delivery.received, headers and source, and text stands in quotes"
	case strings.HasPrefix(message, "found no matching overload"):
		return message + "; convert with string(), int() or timestamp()"
	case strings.HasPrefix(message, "Syntax error"):
		return message + "; look for a missing quote, bracket or operator there"
	}
	return message
}

// kindsOf are the types that the expression of a meaning may have. What is dyn,
// because it comes from the body, is looked at when it is there.
func kindsOf(meaning string) []types.Kind {
	switch meaning {
	case When:
		return []types.Kind{types.BoolKind}
	case Each, Changes:
		return []types.Kind{types.ListKind}
	case Items:
		return []types.Kind{types.ListKind, types.StringKind}
	case Time:
		return []types.Kind{types.StringKind, types.IntKind, types.DoubleKind, types.TimestampKind, types.NullTypeKind}
	}
	return []types.Kind{types.StringKind, types.IntKind, types.UintKind, types.DoubleKind, types.NullTypeKind}
}

func returns(meaning string, t *cel.Type) bool {
	if t.Kind() == types.OpaqueKind && t.TypeName() == "optional_type" && meaning != When {
		t = t.Parameters()[0]
	}
	return t.Kind() == types.DynKind || t.Kind() == types.TypeParamKind || slices.Contains(kindsOf(meaning), t.Kind())
}

// typeName is a type as expressions write it.
func typeName(s string) string {
	return strings.NewReplacer("google.protobuf.Timestamp", "timestamp", "google.protobuf.Duration", "duration").Replace(s)
}

// wantOf says what the expression of a meaning must give.
func wantOf(meaning string) string {
	switch meaning {
	case When:
		return "true or false"
	case Each:
		return "a list: the records"
	case Changes:
		return `a list of {"intent": "remove", "id": "...", "type": "application"}`
	case Items:
		return "a list of ids, or text with commas, semicolons or line breaks between them"
	case Time:
		return "a timestamp, RFC 3339 text, or seconds or milliseconds since 1970"
	}
	return "text or a number; convert it with string()"
}

// uses reports whether the expression looks at a variable.
func (x expression) uses(variable string) bool {
	for _, r := range x.ast.ReferenceMap() {
		if r.Name == variable {
			return true
		}
	}
	return false
}

// misuse says which variable the expression must not look at, or "".
func (x expression) misuse() string {
	switch {
	case x.meaning == Each && x.uses("record"):
		return "there is no record yet; take the records out of body"
	case x.meaning != When && x.meaning != Each && x.uses("delivery.received"):
		// A second delivery of one event would differ from the first.
		return "must not look at delivery.received, which is new each time; leave out what the sender does not say"
	}
	return ""
}
