package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"changerelay/internal/events"
)

// flatObject reads a JSON object of plain values as text: null is no text, a
// number or a truth value is what it is written as. It reads token
// by token because encoding/json, left to itself, keeps the last of two equal
// keys, repairs broken UTF-8 and ignores what follows the object: a reviewer
// and the relay would read different changes. Depth needs no bound: the first
// nested value is refused.
func flatObject(body []byte) (map[string]string, error) {
	if !utf8.Valid(body) {
		return nil, invalid("", "the body is not valid UTF-8; send it as UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil {
		return nil, notJSON(body)
	} else if t != json.Delim('{') {
		return nil, invalid("", "the body is not a JSON object; want one member for each column")
	}
	columns := map[string]string{}
	for d.More() {
		key, value, err := member(d)
		switch {
		case err != nil && errors.As(err, new(*events.InvalidError)):
			return nil, err
		case err != nil:
			return nil, notJSON(body)
		}
		if _, twice := columns[key]; twice {
			return nil, invalid(clip(key), "is given twice; send it once")
		}
		columns[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(body)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalid("", "the body goes on after its object; send one record in a request")
	}
	return columns, nil
}

// member reads a name and its value.
func member(d *json.Decoder) (key, value string, err error) {
	name, err := d.Token()
	if err != nil {
		return "", "", err
	}
	key = name.(string) // the decoder takes nothing else here
	t, err := d.Token()
	if err != nil {
		return "", "", err
	}
	switch v := t.(type) {
	case nil:
		return key, "", nil
	case string:
		return key, v, nil
	case json.Number, bool:
		return key, fmt.Sprint(v), nil
	}
	return "", "", invalid(clip(key), "is not a plain value; send every column as text in quotes, an empty one as \"\"")
}

// notJSON says where the body stops to be JSON; a template that forgot to
// escape a quote is the usual cause.
func notJSON(body []byte) *events.InvalidError {
	var s *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return invalid("", "the body is empty; want a JSON object with one member for each column")
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return invalid("", "the body starts with a byte order mark; send plain UTF-8 without one")
	case !errors.As(json.Unmarshal(body, new(json.RawMessage)), &s):
		return invalid("", "the body is not JSON")
	case s.Offset >= int64(len(bytes.TrimSpace(body))):
		return invalid("", fmt.Sprintf("the body ends at byte %d, before its JSON object is complete", s.Offset))
	}
	return invalid("", fmt.Sprintf("the body is not JSON from byte %d on: look for a missing or unescaped quote, comma or bracket there", s.Offset))
}

// clip makes a stranger's name fit to be shown.
func clip(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	for _, c := range s {
		if !strconv.IsPrint(c) {
			return strconv.Quote(s)
		}
	}
	return s
}
