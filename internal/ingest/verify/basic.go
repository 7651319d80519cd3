package verify

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// A basic checks a name and a password (RFC 7617).
type basic struct{ keys []key }

// newBasic keeps digests of name:password. The name holds no colon, so that the
// first colon of what is presented ends the name, and the two texts are equal
// only when both parts are.
func newBasic(c Basic, least int) (check, error) {
	if c.User == "" || strings.ContainsFunc(c.User, func(r rune) bool { return r == ':' || r < ' ' || r == 0x7f }) {
		return nil, errors.New("user: want a name without a colon and control characters (RFC 7617)")
	}
	keys, err := newStatic(c.Keys, least, func(password string) string { return c.User + ":" + password })
	return &basic{keys}, err
}

func (c *basic) verify(r *Request, now time.Time) (Delivery, Reason) {
	pair, refusal := readBasic(r.Header)
	id, mismatch := chooseStatic(c.keys, now, pair)
	return letIn("basic", id, refusal, mismatch)
}

// readBasic returns the name, a colon and the password of a request. The word
// Basic is taken as RFC 7617 writes it. RFC 9110, section 11.1, leaves the letter
// case open; here one credential has one text.
func readBasic(h http.Header) (pair string, refusal Reason) {
	const scheme = "Basic "
	value, refusal := single(h, "Authorization")
	switch {
	case refusal != "":
		return "", refusal
	case len(value) > MaxHeader || !strings.HasPrefix(value, scheme):
		return "", BadHeader
	}
	decoded, err := strictBase64(value[len(scheme):])
	if err != nil || !strings.Contains(string(decoded), ":") {
		return "", BadHeader
	}
	return string(decoded), ""
}

func (c *basic) about() about {
	return about{name: "basic", keys: ids(c.keys), ends: ends(c.keys), weak: weakKeys(c.keys)}
}
