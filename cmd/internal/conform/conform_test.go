package conform

import (
	"slices"
	"testing"
)

func TestCheck(t *testing.T) {
	const schema = `{"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
		"name": {"type": "string", "pattern": "^[a-z]+$"}, "at": {"type": "string", "format": "date-time"}, "a/b": {"type": "array", "items": {"type": "integer"}}}}`
	for _, c := range []struct {
		doc  any
		want []string
	}{
		{map[string]any{"name": "x", "at": "2026-11-23T10:00:00Z"}, nil},
		{map[string]any{}, []string{"/name: is required"}},
		{map[string]any{"name": "X", "more": 1}, []string{"/more: is no key here", "/name: pattern"}},
		{map[string]any{"name": "x", "at": "yesterday"}, []string{"/at: format"}},
		{map[string]any{"name": "x", "a/b": []any{1, "two"}}, []string{"/a~1b/1: type"}},
	} {
		var got []string
		if err := Check([]byte(schema), c.doc, func(at, rule string) { got = append(got, at+": "+rule) }); err != nil {
			t.Fatal(err)
		}
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %q, want %q", c.doc, got, c.want)
		}
	}
}

// A schema needs nothing from elsewhere, and cannot get it.
func TestCheckLoadsNothing(t *testing.T) {
	for _, schema := range []string{`{"$ref": "file:///etc/hostname"}`, `{"$ref": "https://127.0.0.1/"}`, `{`} {
		if err := Check([]byte(schema), nil, func(string, string) {}); err == nil {
			t.Errorf("%s was taken", schema)
		}
	}
}
