package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode reads data as one JSON value: objects are map[string]any, arrays
// []any, numbers json.Number. It reads token by token because encoding/json,
// left to itself, takes the last of two equal keys, matches names in any case,
// repairs broken UTF-8 and ignores what follows the value: what one program
// checked, another would read differently.
func decode(data []byte) (any, error) {
	switch {
	case len(data) > MaxBytes:
		return nil, &InvalidError{"", fmt.Sprintf("the event has %d bytes; at most %d are taken", len(data), MaxBytes)}
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return nil, &InvalidError{"", "the event starts with a byte order mark; send plain UTF-8 without one"}
	case !utf8.Valid(data):
		return nil, &InvalidError{"", "the event is not valid UTF-8; send it as UTF-8"}
	case len(bytes.TrimSpace(data)) == 0:
		return nil, &InvalidError{"", "the event is empty; want a JSON object"}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := value(d, 1)
	if invalid := (*InvalidError)(nil); errors.As(err, &invalid) {
		return nil, invalid
	} else if err != nil {
		return nil, syntaxError(data, d.InputOffset())
	}
	end := d.InputOffset()
	if _, err := d.Token(); err != io.EOF {
		return nil, &InvalidError{"", fmt.Sprintf("the event is followed by more text after byte %d; send one event in a message", end)}
	}
	return v, nil
}

// value reads the next value, whose containers are at the given depth.
// Its *InvalidErrors are paths from there; other errors are the decoder's.
func value(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	opened, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth > MaxDepth {
		return nil, &InvalidError{"", fmt.Sprintf("is nested deeper than %d levels; an event needs 5", MaxDepth)}
	}
	if opened == '{' {
		return object(d, depth)
	}
	return array(d, depth)
}

func object(d *json.Decoder, depth int) (map[string]any, error) {
	m := map[string]any{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key := t.(string) // the decoder takes nothing else here
		if _, twice := m[key]; twice {
			return nil, &InvalidError{name(key), "is given twice; send it once"}
		}
		if m[key], err = value(d, depth+1); err != nil {
			return nil, within(name(key), err)
		}
	}
	_, err := d.Token() // the closing brace, or why there is none
	return m, err
}

func array(d *json.Decoder, depth int) ([]any, error) {
	a := []any{}
	for d.More() {
		v, err := value(d, depth+1)
		if err != nil {
			return nil, within("["+strconv.Itoa(len(a))+"]", err)
		}
		a = append(a, v)
	}
	_, err := d.Token()
	return a, err
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

// syntaxError says where data stops to be JSON. The decoder's own offset is
// that of the token before; a second reading knows the byte.
func syntaxError(data []byte, near int64) error {
	if s := (*json.SyntaxError)(nil); errors.As(json.Unmarshal(data, new(json.RawMessage)), &s) {
		near = max(s.Offset-1, 0)
		if strings.HasPrefix(s.Error(), "unexpected end") {
			near = s.Offset
		}
	}
	line := 1 + bytes.Count(data[:near], []byte("\n"))
	if near >= int64(len(data)) {
		return &InvalidError{"", fmt.Sprintf("the event is not complete JSON: it ends at byte %d, line %d, before the last bracket is closed", near, line)}
	}
	c, _ := utf8.DecodeRune(data[near:])
	return &InvalidError{"", fmt.Sprintf("the event is not JSON: %q is not expected at byte %d, line %d; look for a missing quote, comma or bracket there", c, near, line)}
}
