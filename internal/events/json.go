package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode reads an event's JSON.
func decode(data []byte) (any, error) {
	if len(data) > MaxBytes {
		return nil, &InvalidError{"", fmt.Sprintf("the event has %d bytes; at most %d are taken", len(data), MaxBytes)}
	}
	return JSON(data, "event", MaxDepth)
}

// JSON reads data as one JSON value (RFC 8259): objects are map[string]any,
// arrays []any, numbers json.Number. encoding/json, left to itself, takes the
// last of two equal keys, matches names in any case, repairs broken UTF-8 and
// ignores what follows the value: what one program checked, another would read
// differently. Its tokens can be checked for that, at ten times the cost.
//
// Containers may be nested depth deep. Its errors are *InvalidError and call the
// value what.
func JSON(data []byte, what string, depth int) (any, error) {
	refuse := func(format string, args ...any) (any, error) {
		return nil, &InvalidError{"", "the " + what + " " + fmt.Sprintf(format, args...)}
	}
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return refuse("starts with a byte order mark; send plain UTF-8 without one")
	case !utf8.Valid(data):
		return refuse("is not valid UTF-8; send it as UTF-8")
	case len(bytes.TrimSpace(data)) == 0:
		return refuse("is empty; want a JSON object")
	}
	s := scanner{data: string(data), deepest: depth}
	v, err := s.value(1)
	if err == errSyntax {
		return refuse("%s", syntaxError(data))
	}
	if err != nil {
		return nil, err
	}
	end := s.at
	if s.space(); s.at < len(data) {
		return refuse("is followed by more text after byte %d; send one JSON value", end)
	}
	return v, nil
}

// within puts a step before the path of a refusal.
func within(step string, err error) error {
	invalid, ok := err.(*InvalidError)
	switch {
	case !ok:
		return err
	case invalid.Field == "" || invalid.Field[0] == '[':
		return &InvalidError{step + invalid.Field, invalid.Reason}
	}
	return &InvalidError{step + "." + invalid.Field, invalid.Reason}
}

// name is a key of a stranger's object as a step of a path.
func name(key string) string {
	for _, c := range key {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return strconv.Quote(clip(key))
		}
	}
	if key == "" {
		return `""`
	}
	return clip(key)
}

// syntaxError says where data stops to be JSON.
func syntaxError(data []byte) string {
	near := int64(len(data))
	if s := (*json.SyntaxError)(nil); errors.As(json.Unmarshal(data, new(json.RawMessage)), &s) && !strings.HasPrefix(s.Error(), "unexpected end") {
		near = max(s.Offset-1, 0)
	}
	line := 1 + bytes.Count(data[:near], []byte("\n"))
	if near >= int64(len(data)) {
		return fmt.Sprintf("is not complete JSON: it ends at byte %d, line %d, before the last bracket is closed", near, line)
	}
	c, _ := utf8.DecodeRune(data[near:])
	return fmt.Sprintf("is not JSON: %q is not expected at byte %d, line %d; look for a missing quote, comma or bracket there", c, near, line)
}
