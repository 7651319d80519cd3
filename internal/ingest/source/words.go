package source

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
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

// notPlain says why v is no plain text or number, or "".
func notPlain(v any) string {
	if _, isBool := v.(bool); isBool {
		return "is true or false; want text or a number"
	}
	if isPlain(v) {
		return ""
	}
	switch v := v.(type) {
	case map[string]any:
		return notOption(v)
	case []any:
		if len(v) > 1 {
			return fmt.Sprintf("is a list of %d; want one plain value, or the path to one entry of it", len(v))
		}
		return notPlain(v[0])
	}
	return ""
}

func notOption(m map[string]any) string {
	has := func(name string) bool { _, there := m[name]; return there }
	switch {
	case has("display_value") && !has("value"):
		return "is a reference's display value without its value; have the sender send the value"
	case has("child"):
		return "is a cascading choice; set the path to one of its columns, .value or .child.value"
	}
	return "is an object; want one plain value: text, a number, or an option with a value; or the path to the member that has it"
}

// says reports whether v is more than an empty field.
func says(v any) bool { return !isPlain(v) || strings.TrimSpace(words(v)) != "" }

// unset says why a text is not what somebody filled in, or "". People and forms
// write such words for an empty field, and one of them would be taken for an
// item's id.
func unset(text string) string {
	if slices.Contains([]string{"none", "n/a"}, strings.ToLower(text)) {
		return "has a word that stands for an empty field; have the sender leave it empty, or fill it in"
	}
	return unfilled(text)
}

// unfilled says why a text is what a program made of a field that is not there,
// or "".
func unfilled(text string) string {
	switch {
	case slices.ContainsFunc([]string{"{{", "}}", "{%", "${", "<%"}, func(mark string) bool { return strings.Contains(text, mark) }):
		return "has a placeholder that the sender did not replace; correct its name in the sender's template"
	case slices.Contains([]string{"null", "undefined", "nil", "nan"}, strings.ToLower(text)):
		return "has a word that scripts write for a field that is not there; correct the field's name in the sender's script, or have it leave the value empty"
	}
	return ""
}

// shown is a sender's word for a reason: short, and without what a terminal would
// act on.
func shown(word string) string {
	var b strings.Builder
	for i, c := range []rune(word) {
		switch {
		case i == maxShown:
			return strconv.Quote(b.String()) + "…"
		case !unicode.IsPrint(c):
			c = '?'
		}
		b.WriteRune(c)
	}
	return strconv.Quote(b.String())
}
