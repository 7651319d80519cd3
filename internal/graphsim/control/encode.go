package control

import (
	"net/http"
	"reflect"
	"time"

	"changerelay/internal/graphsim"
)

// encode is decode's way back: what the admin API answers, in its own names. Times are RFC 3339, and
// one that is not yet is left out.
func encode(v any) any { return encodeValue(reflect.ValueOf(v)) }

func encodeValue(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case graphsim.Point:
		if x == graphsim.AfterApply {
			return "after"
		}
		return "before"
	case http.Header:
		return x
	}
	switch v.Kind() {
	case reflect.Struct:
		out := map[string]any{}
		for _, f := range reflect.VisibleFields(v.Type()) {
			if f.Anonymous || f.Type.Kind() == reflect.Func {
				continue
			}
			if t, ok := v.FieldByIndex(f.Index).Interface().(time.Time); !ok || !t.IsZero() {
				out[snake(f.Name)] = encodeValue(v.FieldByIndex(f.Index))
			}
		}
		return out
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = encodeValue(v.Index(i))
		}
		return out
	}
	return v.Interface()
}
