package control

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// fieldsOf are a struct's fields by their names outside of Go. Embedded ones count as its own;
// functions have no name there.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for _, f := range reflect.VisibleFields(v.Type()) {
		if !f.Anonymous && f.IsExported() && f.Type.Kind() != reflect.Func {
			out[snake(f.Name)] = v.FieldByIndex(f.Index)
		}
	}
	return out
}

func names(m map[string]reflect.Value) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// snake turns CAETokenLife into cae_token_life.
func snake(name string) string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
