package source

import (
	"errors"
	"fmt"
	"strings"
)

// Other notations look like paths and would only never find anything: a name may
// be called $ or hold a slash. They are refused when they are configured, with
// what to write.

// foreignNotation refuses JSON pointers and JSONPath. A name that does begin like
// one is written ["/name"].
func foreignNotation(text string) error {
	inside, isPath := strings.CutPrefix(text, "$")
	switch {
	case text[0] == '/':
		return fmt.Errorf("is a JSON pointer; write %s", fromPointer(text))
	case isPath && inside == "":
		return errors.New("is the whole body in JSONPath; write where in it the value is")
	case isPath && (inside[0] == '.' || inside[0] == '['):
		double := strings.NewReplacer("['", `["`, "']", `"]`)
		return fmt.Errorf("is JSONPath; write %s", double.Replace(strings.TrimLeft(inside, ".")))
	}
	return nil
}

// fromPointer is the path of a JSON pointer (RFC 6901).
func fromPointer(text string) string {
	var steps []step
	for token := range strings.SplitSeq(text[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if s, rest, err := bracket("[" + token + "]"); err == nil && rest == "" && s.key == "" && s.name == "" {
			steps = append(steps, s)
		} else if token != "" {
			steps = append(steps, step{name: token})
		}
	}
	return pathText(steps)
}

// foreignBracket refuses what JSONPath and jq have between brackets.
func foreignBracket(inside string) error {
	key, value, filter := strings.Cut(inside, "=")
	bare := func(s string) string { return strings.Trim(s, `='" `) }
	switch {
	case inside == "*":
		return errors.New("has [*], and a path leads to one entry, such as [0] or [name=device]; " +
			"a list of ids is taken whole by the path of the list, and ids out of a list of objects by kind mapped")
	case filter && bare(key) != "" && bare(value) != "" && (strings.ContainsAny(inside, `'"`) || strings.HasPrefix(value, "=")):
		return fmt.Errorf("has [%s]; write [%s=%s]", inside, bare(key), bare(value))
	case !filter && strings.HasPrefix(inside, "'") && bare(inside) != "":
		return fmt.Errorf(`has [%s]; write ["%s"]`, inside, bare(inside))
	}
	return nil
}
