package verify

import (
	"errors"
	"fmt"
	"strings"
)

// A piece is a literal of the signed text, or a place in it.
type piece struct {
	place   string // "id", "timestamp", or "" for a literal
	literal string
}

// compile reads Signed. Each place may be there once, {body} must end it, and
// what follows an id must be a literal: else one text has two readings.
func (v *signature) compile() error {
	head, ok := strings.CutSuffix(v.scheme.Signed, "{body}")
	if !ok {
		return fmt.Errorf("signed: %q does not end with {body}: what is not signed can be swapped", v.scheme.Signed)
	}
	for head != "" {
		p, rest, err := nextPiece(head)
		if err != nil {
			return fmt.Errorf("signed: %w", err)
		}
		v.pieces, head = append(v.pieces, p), rest
	}
	return v.checkPlaces()
}

func nextPiece(s string) (p piece, rest string, err error) {
	for _, place := range []string{"id", "timestamp"} {
		if rest, ok := strings.CutPrefix(s, "{"+place+"}"); ok {
			return piece{place: place}, rest, nil
		}
	}
	n := strings.IndexAny(s[1:], "{}") + 1
	if n == 0 {
		n = len(s)
	}
	if s[0] == '{' || s[0] == '}' {
		return piece{}, "", fmt.Errorf("%q is not a place; the places are {id}, {timestamp} and, last, {body}", s)
	}
	return piece{literal: s[:n]}, s[n:], nil
}

func (v *signature) checkPlaces() error {
	count := map[string]int{}
	for i, p := range v.pieces {
		count[p.place]++
		end := v.terminator(i)
		switch {
		case p.place == "id" && end == "":
			return errors.New("signed: {id} must be followed by a literal, such as a dot")
		case p.place == "timestamp" && end == "" && i+1 < len(v.pieces):
			return errors.New("signed: {timestamp} must be followed by a literal or by {body}")
		case p.place == "timestamp" && end != "" && strings.Contains("0123456789TZ:+-", end[:1]):
			if v.scheme.TimestampFormat == "rfc3339" || end[0] >= '0' && end[0] <= '9' {
				return fmt.Errorf("signed: %q after {timestamp} is part of timestamps itself", end)
			}
		}
	}
	switch {
	case count["id"] > 1 || count["timestamp"] > 1:
		return errors.New("signed: holds a place twice")
	case count["id"] == 1 && !v.id:
		return errors.New("id_header: is not set, but signed holds {id}")
	case count["timestamp"] == 1 && !v.stamp:
		return errors.New("timestamp_header: is not set, but signed holds {timestamp}")
	case count["timestamp"] == 0 && v.stamp:
		return errors.New("signed: lacks {timestamp}: a time that is not signed protects from no replay")
	}
	return nil
}

// terminator is the literal that ends the place at i, or "".
func (v *signature) terminator(i int) string {
	if i+1 < len(v.pieces) {
		return v.pieces[i+1].literal
	}
	return ""
}
