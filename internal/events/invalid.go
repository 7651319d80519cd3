package events

import (
	"errors"
	"strings"
)

// ErrConflict reports that an event with the same source and id, but other
// content, is stored for the device.
var ErrConflict = errors.New("an event with this source and id is stored with other content; give the changed request a new id")

// ErrNotFound reports that no event of that id is stored.
var ErrNotFound = errors.New("no such event is stored: its id is wrong, or the stream's retention is over")

// An InvalidError says why bytes are not an event, to a ticket admin.
type InvalidError struct {
	Field  string // path of the field, such as data.changes[0].item.id; "" for the whole
	Reason string // what is wrong and what would be right
}

func (e *InvalidError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

// isTenant accepts a tenant's name in canonical form: a token of a subject.
func isTenant(s string) bool {
	if s == "" || len(s) > MaxTenant || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return true
}

// isUUID accepts a UUID in canonical form: lower case, with hyphens.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// clip shortens a stranger's text for a message.
func clip(s string) string {
	const most = 80
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
