package expression

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"changerelay/internal/ingest/source"
)

// kindsOf are the types that the expression of a meaning may have. What is dyn,
// because it comes from the body, is looked at when it is there.
func kindsOf(meaning string) []types.Kind {
	switch meaning {
	case source.When:
		return []types.Kind{types.BoolKind}
	case source.Each, source.Changes:
		return []types.Kind{types.ListKind}
	case source.Items:
		return []types.Kind{types.ListKind, types.StringKind}
	case source.Time:
		return []types.Kind{types.StringKind, types.IntKind, types.DoubleKind, types.TimestampKind, types.NullTypeKind}
	}
	return []types.Kind{types.StringKind, types.IntKind, types.UintKind, types.DoubleKind, types.NullTypeKind}
}

func returns(meaning string, t *cel.Type) bool {
	if t.Kind() == types.OpaqueKind && t.TypeName() == "optional_type" && meaning != source.When {
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
	case source.When:
		return "true or false"
	case source.Each:
		return "a list: the records"
	case source.Changes:
		return `a list of {"intent": "remove", "id": "...", "type": "application"}`
	case source.Items:
		return "a list of ids, or text with commas, semicolons or line breaks between them"
	case source.Time:
		return "a timestamp, RFC 3339 text, or seconds or milliseconds since 1970"
	}
	return "text or a number; convert it with string()"
}
