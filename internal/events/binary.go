package events

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Binary mode of CloudEvents has the attributes in headers and the data as the
// body. What is common to the bindings that we take is here (cloudevents/spec,
// http-protocol-binding.md 3.1 and nats-protocol-binding.md 3.1 of 1.0.3): a
// header is named ce- and the attribute's name, in letters of any case, and its
// value is percent-encoded.

// HeaderPrefix stands before an attribute's name in the name of its header.
const HeaderPrefix = "ce-"

// Attributes are those of the ce- headers, by name and decoded. refuse, if it is
// not nil, may refuse a header of that lower-case name by its error; the other
// errors are *InvalidError.
func Attributes(header map[string][]string, refuse func(name string) error) (map[string]string, error) {
	found := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(header)) { // so that equal messages are refused in equal words
		full, values := lower(key), header[key]
		attribute, ok := strings.CutPrefix(full, HeaderPrefix)
		if !ok {
			continue
		}
		if refuse != nil {
			if err := refuse(full); err != nil {
				return nil, err
			}
		}
		_, twice := found[attribute]
		switch {
		case twice || len(values) != 1:
			return nil, &InvalidError{HeaderPrefix + name(attribute), "is given twice; send it once"}
		case attribute == "data":
			return nil, &InvalidError{full, "is not a header of binary mode: the data is the body"}
		}
		value, err := DecodeAttribute(values[0])
		if err != nil {
			return nil, &InvalidError{HeaderPrefix + name(attribute), err.Error()}
		}
		found[attribute] = value
	}
	return found, nil
}

// DecodeAttribute reads the value of a ce- header (3.1.3.2): once percent-encoded,
// and by senders of older versions in double quotes.
func DecodeAttribute(s string) (string, error) {
	if strings.HasPrefix(s, `"`) {
		inner, ok := unquote(s)
		if !ok {
			return "", errors.New("starts with a quote that does not end it; percent-encode the value instead")
		}
		s = inner
	}
	decoded, err := url.PathUnescape(s)
	switch {
	case err != nil:
		return "", errors.New("is not percent-encoded: a % wants two hexadecimal digits after it; write % as %25")
	case !utf8.ValidString(decoded):
		return "", errors.New("is not UTF-8 once percent-decoded; encode the bytes of its UTF-8")
	}
	return decoded, nil
}

// unquote reads a quoted-string of RFC 9110 5.6.4.
func unquote(s string) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), i == len(s)-1
		case '\\':
			if i++; i == len(s) {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", false
}

// ParseBinary reads an event in binary mode, of its attributes and its body. It is
// Parse of the same event in structured mode, but that a refusal names the field
// where binary mode has it: ce-id, and device instead of data.device.
func ParseBinary(attributes map[string]string, body []byte, now time.Time) (Event, error) {
	if len(body) > MaxBytes {
		return Event{}, &InvalidError{"", fmt.Sprintf("the body has %d bytes; at most %d are taken", len(body), MaxBytes)}
	}
	data, err := JSON(body, "body", MaxDepth-1)
	if err != nil {
		return Event{}, err
	}
	if whole, ok := data.(map[string]any); ok && whole["specversion"] != nil {
		return Event{}, &InvalidError{"body", "is an event in structured mode, and the ce- headers are those of one in binary mode; send one of the two"}
	}
	top := map[string]any{"data": data}
	for attribute, value := range attributes {
		top[attribute] = value
		if truth, ok := words[value].(bool); ok && attribute == "arrivaltime" {
			top[attribute] = truth // headers have only text
		}
	}
	e, err := parse(top, now)
	return e, inHeaders(err)
}

// inHeaders names the field of a refusal where binary mode has it.
func inHeaders(err error) error {
	e, ok := err.(*InvalidError)
	if !ok || e.Field == "" {
		return err
	}
	switch inBody, ok := strings.CutPrefix(e.Field, "data."); {
	case ok:
		return &InvalidError{inBody, e.Reason}
	case e.Field == "data":
		return &InvalidError{"body", e.Reason}
	}
	return &InvalidError{HeaderPrefix + e.Field, e.Reason}
}
