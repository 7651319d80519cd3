package expression

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// celValue is decoded JSON as expressions see it. All of it is made at once: CEL
// asks for the sizes of values again and again, and what is made on the way is
// measured anew each time. events.JSON bounds how many values there are.
func celValue(v any) ref.Val {
	switch v := v.(type) {
	case string:
		return types.String(v)
	case bool:
		return types.Bool(v)
	case json.Number:
		return number(v.String())
	case []any:
		list := make([]ref.Val, 0, len(v))
		for _, e := range v {
			list = append(list, celValue(e))
		}
		return types.NewRefValList(types.DefaultTypeAdapter, list)
	case map[string]any:
		members := make(map[string]ref.Val, len(v))
		for name, e := range v {
			members[name] = celValue(e)
		}
		return object{types.NewMap(types.DefaultTypeAdapter, members), v}
	}
	return types.NullValue
}

// number is an int if it is whole, else a uint or a double, if that is the same
// number; a number that none of them can hold stays the text of its digits.
func number(text string) ref.Val {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.Int(n)
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return types.Uint(n)
	}
	digits, _, _ := strings.Cut(strings.ToLower(text), "e")
	digits = strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(digits), "0")
	f, err := strconv.ParseFloat(text, 64)
	const exact, smallest = 15, 1e-300 // digits that every double keeps; above the denormal ones
	if err != nil || len(digits) > exact || math.Abs(f) < smallest && digits != "" {
		return types.String(text)
	}
	return types.Double(f)
}

// An object is a JSON object. Loops see its members in the order of their names:
// in Go's random order, two deliveries of one body could be two events.
type object struct {
	traits.Mapper
	doc map[string]any // for paths
}

func (o object) Iterator() traits.Iterator {
	return types.NewStringList(types.DefaultTypeAdapter, slices.Sorted(maps.Keys(o.doc))).Iterator()
}

// AggregateSize is remembered by the Mapper.
func (o object) AggregateSize(s types.AggregateSizer) uint32 { return s.AggregateSize(o.Mapper) }

// plainText is the text of a value that an expression gave: "" for null and for
// optional.none().
func plainText(v ref.Val) (text string, ok bool) {
	switch v := v.(type) {
	case types.String:
		return string(v), true
	case types.Int:
		return strconv.FormatInt(int64(v), 10), true
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10), true
	case types.Double:
		f := float64(v)
		return strconv.FormatFloat(f, 'f', -1, 64), !math.IsNaN(f) && !math.IsInf(f, 0)
	case types.Null:
		return "", true
	case *types.Optional:
		if !v.HasValue() {
			return "", true
		}
		return plainText(v.GetValue())
	}
	return "", false
}

// goValue is what paths lead into: the document that v was made of, or nil if an
// expression made v.
func goValue(v ref.Val) any {
	if o, ok := v.(object); ok {
		return o.doc
	}
	return nil
}
