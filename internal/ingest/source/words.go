package source

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Ticket systems write one value in many ways: as itself, as the text of it, as
// an option {"id", "value"}, as a reference {"link", "value"}, doubled as
// {"display_value", "value"}, or as a list with one of these.

// words is a plain value as text. A value that is not plain is "".
func words(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		if inner, ok := option(v); ok {
			return words(inner)
		}
	case []any:
		if len(v) == 1 {
			return words(v[0])
		}
	}
	return ""
}

// isPlain reports whether words can say all that v does.
func isPlain(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		inner, ok := option(v)
		return ok && isPlain(inner)
	case []any:
		return len(v) == 0 || len(v) == 1 && isPlain(v[0])
	}
	return true
}

// option is the value of an object that is one. The choice that a cascading
// list makes in its second column, its child, is more than one value can say.
func option(m map[string]any) (value any, ok bool) {
	value, ok = m["value"]
	_, deeper := value.(map[string]any)
	return value, ok && !deeper && m["child"] == nil
}

// says reports whether v is more than an empty field.
func says(v any) bool { return !isPlain(v) || strings.TrimSpace(words(v)) != "" }

// unset says why a text is not what somebody filled in, or "". Templates write
// such words for an empty field, and one of them would be taken for an item's id.
func unset(text string) string {
	switch {
	case isPlaceholder(text):
		return "has a placeholder that the sender did not replace; correct its name in the sender's template"
	case slices.Contains([]string{"null", "undefined", "none", "nil", "nan", "n/a"}, strings.ToLower(text)):
		return "has a word that stands for an empty field; have the sender leave it empty, or fill it in"
	}
	return ""
}

func isPlaceholder(text string) bool {
	return slices.ContainsFunc([]string{"{{", "}}", "{%", "${", "<%"}, func(mark string) bool { return strings.Contains(text, mark) })
}
