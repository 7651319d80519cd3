package events

import (
	"encoding/json"
	"errors"
	"strconv"
)

// errSyntax says that the scanner stands where JSON does not go on.
var errSyntax = errors.New("not JSON")

// A scanner reads JSON from left to right. It takes what encoding/json takes,
// which a fuzz test holds it to, but for a name that an object has twice.
type scanner struct {
	data    string // valid UTF-8; strings without escapes are parts of it
	at      int
	deepest int
	values  int // read so far
}

// value reads the next value, whose containers are at the given depth. Its
// *InvalidErrors are paths from there.
func (s *scanner) value(depth int) (any, error) {
	s.space()
	if s.at == len(s.data) {
		return nil, errSyntax
	}
	if s.values++; s.values > MaxValues {
		return nil, &InvalidError{"", "is one of more than " + strconv.Itoa(MaxValues) + " values; send less in one request"}
	}
	switch c := s.data[s.at]; {
	case c == '"':
		return s.text()
	case c == '{' || c == '[':
		if depth > s.deepest {
			return nil, &InvalidError{"", "is nested deeper than " + strconv.Itoa(s.deepest) + " levels; send it flatter"}
		}
		s.at++
		if c == '{' {
			return s.object(depth)
		}
		return s.array(depth)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	return s.word()
}

func (s *scanner) object(depth int) (any, error) {
	m := map[string]any{}
	for first := true; !s.take('}'); first = false {
		if !first && !s.take(',') || !s.next('"') {
			return nil, errSyntax
		}
		key, err := s.text()
		if err != nil || !s.take(':') {
			return nil, errSyntax
		}
		if _, twice := m[key]; twice {
			return nil, &InvalidError{name(key), "is given twice; send it once"}
		}
		if m[key], err = s.value(depth + 1); err != nil {
			return nil, within(name(key), err)
		}
	}
	return m, nil
}

func (s *scanner) array(depth int) (any, error) {
	a := []any{}
	for first := true; !s.take(']'); first = false {
		if !first && !s.take(',') {
			return nil, errSyntax
		}
		v, err := s.value(depth + 1)
		if err != nil {
			return nil, within("["+strconv.Itoa(len(a))+"]", err)
		}
		a = append(a, v)
	}
	return a, nil
}

// text reads a string. One with an escape is rare, and encoding/json reads it.
func (s *scanner) text() (string, error) {
	start, escaped := s.at, false
	for s.at++; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; {
		case c < ' ':
			return "", errSyntax
		case c == '\\':
			escaped = true
			s.at++
		case c == '"':
			s.at++
			if !escaped {
				return s.data[start+1 : s.at-1], nil
			}
			var t string
			if json.Unmarshal([]byte(s.data[start:s.at]), &t) != nil {
				return "", errSyntax
			}
			return t, nil
		}
	}
	return "", errSyntax
}

// number reads what RFC 8259 calls one, and keeps its digits.
func (s *scanner) number() (any, error) {
	start := s.at
	s.skip("-")
	if !s.skip("0") && s.digits() == 0 {
		return nil, errSyntax
	}
	if s.skip(".") && s.digits() == 0 {
		return nil, errSyntax
	}
	if s.skip("eE") {
		if s.skip("+-"); s.digits() == 0 {
			return nil, errSyntax
		}
	}
	return json.Number(s.data[start:s.at]), nil
}

func (s *scanner) digits() (n int) {
	for s.skip("0123456789") {
		n++
	}
	return n
}

// word reads null, true or false.
func (s *scanner) word() (any, error) {
	for word, v := range words {
		if end := s.at + len(word); end <= len(s.data) && s.data[s.at:end] == word {
			s.at = end
			return v, nil
		}
	}
	return nil, errSyntax
}

var words = map[string]any{"null": nil, "true": true, "false": false}

// space skips what may stand between tokens.
func (s *scanner) space() {
	for s.skip(" \t\r\n") {
	}
}

// skip takes one byte if it is one of these.
func (s *scanner) skip(these string) bool {
	if s.at == len(s.data) {
		return false
	}
	for i := range len(these) {
		if s.data[s.at] == these[i] {
			s.at++
			return true
		}
	}
	return false
}

// take takes the byte if it is the next token.
func (s *scanner) take(c byte) bool {
	if !s.next(c) {
		return false
	}
	s.at++
	return true
}

// next reports whether the byte is the next token.
func (s *scanner) next(c byte) bool {
	s.space()
	return s.at < len(s.data) && s.data[s.at] == c
}
