package expression

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"

	"changerelay/internal/ingest/source"
)

// An expression is what configuration gives for a meaning, ready to run. It is
// safe for concurrent use.
type expression struct {
	meaning, text string
	ast           *ast.AST
	program       cel.Program
}

// environment is made when the first mapped source is, and never changes.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewCustomEnv(slices.Concat(library(), variables(), []cel.EnvOption{
		cel.EnableIdentifierEscapeSyntax(),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxRegex),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()),
	})...)
})

// compile checks an expression as far as that can be done without a body. Its
// errors name the meaning, the place and the remedy.
func compile(meaning, text string) (*expression, error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("making the environment of expressions: %w", err)
	}
	bad := func(format string, args ...any) (*expression, error) {
		return nil, fmt.Errorf("%s: "+format, append([]any{source.MapField(meaning)}, args...)...)
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
