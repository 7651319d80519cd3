package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"changerelay/internal/events"
)

// Binary mode of CloudEvents carries the attributes in ce- headers
// (cloudevents/spec, http-protocol-binding.md 3.1). A signature over the body
// leaves those open: who has seen one good request could send its body again
// under another id, time or ticket. So it is taken only where the source's
// checks vouch for each ce- header that is there, which RFC 9421 does for the
// headers it lists.
const cePrefix = "ce-"

// isBinary reports whether a request is in binary mode: whether it has the
// header that all of those must have.
func isBinary(h http.Header) bool {
	for name := range h {
		if strings.EqualFold(name, cePrefix+"specversion") {
			return true
		}
	}
	return false
}

// decodeBinary writes the event in structured mode and has it parsed as such,
// so that both modes have one parser and one opinion.
func decodeBinary(d Delivery) (Decoded, error) {
	envelope, err := attributes(d)
	if err != nil {
		return Decoded{}, err
	}
	if foreign := ofOthers(envelope); foreign != nil {
		return Decoded{}, foreign
	}
	if len(d.Body) > events.MaxBytes {
		return Decoded{}, invalid("", fmt.Sprintf("the body has %d bytes; at most %d are taken", len(d.Body), events.MaxBytes))
	}
	// Without this look, a body such as {},"subject":"x" would add attributes.
	if _, err := events.JSON(d.Body, "body", events.MaxDepth-1); err != nil {
		return Decoded{}, err
	}
	envelope["data"] = json.RawMessage(d.Body)
	text, err := json.Marshal(envelope)
	if err != nil {
		return Decoded{}, invalid("", "the body is not JSON; want an object with tenant, device, target and changes")
	}
	e, err := events.Parse(text, d.Now)
	if err == nil {
		err = notOurs(e)
	}
	if err != nil {
		return Decoded{}, inHeaders(err)
	}
	return Decoded{Events: []events.Event{e}}, nil
}

// attributes are those of the ce- headers, decoded.
func attributes(d Delivery) (map[string]any, error) {
	found := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(d.Header)) {
		header, values := strings.ToLower(key), d.Header[key]
		name, ok := strings.CutPrefix(header, cePrefix)
		if !ok {
			continue
		}
		_, twice := found[name]
		switch {
		case d.Covers == nil || !d.Covers(header):
			return nil, invalid(header, "is not vouched for: the signature does not cover it; sign the ce- headers with RFC 9421, or send structured mode, "+structuredType)
		case twice || len(values) != 1:
			return nil, invalid(header, "is given twice; send it once")
		case name == "data" || name == "datacontenttype":
			return nil, invalid(header, "is not a header of binary mode: the data is the body, and Content-Type says its type")
		}
		value, err := decodeAttribute(values[0])
		if err != nil {
			return nil, invalid(header, err.Error())
		}
		found[name] = value
	}
	return found, nil
}

// decodeAttribute reads the value of a ce- header (3.1.3.2): once
// percent-encoded, and by senders of older versions in double quotes.
func decodeAttribute(s string) (string, error) {
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

// inHeaders names the fields of a refused event where binary mode has them.
func inHeaders(err error) error {
	var e *events.InvalidError
	if !errors.As(err, &e) || e.Field == "" {
		return err
	}
	switch inBody, ok := strings.CutPrefix(e.Field, "data."); {
	case ok:
		return invalid(inBody, e.Reason)
	case e.Field == "data":
		return invalid("body", e.Reason)
	}
	return invalid(cePrefix+e.Field, e.Reason)
}
