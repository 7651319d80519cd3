package expression

import (
	"errors"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
)

// library is what expressions may call: CEL's own functions, those of its strings
// extension, base64.decode and base64.encode, cel.bind, and json. Left out are
// the parts of a time, because zones come from the machine's files, and what
// takes more than one pass over a text, or makes texts without a bound.
func library() []cel.EnvOption {
	text, texts := cel.StringType, cel.ListType(cel.StringType)
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(env.NewLibrarySubset().AddExcludedFunctions(partsOfTime()...))),
		cel.OptionalTypes(), ext.Strings(), ext.Encoders(ext.EncodersVersion(0)), ext.Bindings(),
		// These two again, with bounds: cel-go takes the last binding of an overload.
		cel.Function("replace",
			cel.MemberOverload("string_replace_string_string", []*cel.Type{text, text, text}, text, cel.FunctionBinding(replace)),
			cel.MemberOverload("string_replace_string_string_int", []*cel.Type{text, text, text, cel.IntType}, text, cel.FunctionBinding(replace))),
		cel.Function("join",
			cel.MemberOverload("list_join", []*cel.Type{texts}, text, cel.UnaryBinding(func(list ref.Val) ref.Val { return joinTexts(list, types.String("")) })),
			cel.MemberOverload("list_join_string", []*cel.Type{texts, text}, text, cel.BinaryBinding(joinTexts))),
		cel.Function("json", cel.Overload("json_string", []*cel.Type{text}, cel.DynType, cel.UnaryBinding(readJSON))),
	}
	for name, overload := range map[string]cel.FunctionOpt{
		"format":      cel.MemberOverload("string_format", []*cel.Type{text, cel.ListType(cel.DynType)}, text),
		"indexOf":     cel.MemberOverload("string_index_of_string", []*cel.Type{text, text}, cel.IntType),
		"lastIndexOf": cel.MemberOverload("string_last_index_of_string", []*cel.Type{text, text}, cel.IntType),
	} {
		options = append(options, cel.Function(name, overload, cel.DisableDeclaration(true)))
	}
	return options
}

func partsOfTime() (parts []*env.Function) {
	for _, name := range []string{"FullYear", "Month", "DayOfYear", "Date", "DayOfMonth", "DayOfWeek", "Hours", "Minutes", "Seconds", "Milliseconds"} {
		parts = append(parts, env.NewFunction("get"+name))
	}
	return parts
}

// A refusal is an error of a function here: it holds nothing of the body.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(why string) ref.Val { return types.WrapErr(refusal(why)) }

func replace(args ...ref.Val) ref.Val {
	s, old, with, most := string(args[0].(types.String)), string(args[1].(types.String)), string(args[2].(types.String)), -1
	if len(args) > 3 {
		most = int(args[3].(types.Int))
	}
	n := strings.Count(s, old)
	if most >= 0 {
		n = min(n, most)
	}
	if len(s)+n*(len(with)-len(old)) > maxText {
		return refuse("replace() would make more than 256 KiB of text")
	}
	return types.String(strings.Replace(s, old, with, most))
}

func joinTexts(list, between ref.Val) ref.Val {
	texts := list.(traits.Lister)
	var b strings.Builder
	for i := types.Int(0); i < texts.Size().(types.Int); i++ {
		s, ok := texts.Get(i).(types.String)
		if !ok {
			return refuse("join() takes a list of texts; make them with string()")
		}
		if i > 0 {
			b.WriteString(string(between.(types.String)))
		}
		if b.Len()+len(s) > maxText || i > maxText {
			return refuse("join() would make more than 256 KiB of text")
		}
		b.WriteString(string(s))
	}
	return types.String(b.String())
}

// readJSON is for bodies that hold another in a text, as those of SNS do.
func readJSON(v ref.Val) ref.Val {
	text := string(v.(types.String))
	if len(text) > maxText {
		return refuse("json() takes at most 256 KiB of text")
	}
	doc, err := events.JSON([]byte(text), "text that json() was given", source.MaxDepth)
	var bad *events.InvalidError
	if errors.As(err, &bad) {
		return refuse(bad.Error())
	}
	return celValue(doc)
}
