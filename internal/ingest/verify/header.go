package verify

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A header checks a static secret in a header.
type header struct {
	name, prefix string
	keys         []key
}

func newHeader(c Header, least int) (check, error) {
	if !isHeader(c.Name) {
		return nil, fmt.Errorf("name: %q is not a header's name", c.Name)
	}
	if strings.TrimLeft(c.Prefix, " ") != c.Prefix {
		return nil, fmt.Errorf("prefix: %q starts with a space, which a header cannot carry", c.Prefix)
	}
	keys, err := newStatic(c.Keys, least, itself)
	return &header{c.Name, c.Prefix, keys}, err
}

func (c *header) verify(r *Request, now time.Time) (Delivery, Reason) {
	secret, refusal := c.read(r.Header)
	id, mismatch := chooseStatic(c.keys, now, secret)
	return letIn("header", id, refusal, mismatch)
}

// read returns what stands after the prefix, which is literal: the word Bearer of
// Authorization too has the letter case that is configured.
func (c *header) read(h http.Header) (secret string, refusal Reason) {
	value, refusal := single(h, c.name)
	switch {
	case refusal != "":
		return "", refusal
	case len(value) > MaxHeader || !strings.HasPrefix(value, c.prefix) || len(value) == len(c.prefix):
		return "", BadHeader
	}
	return value[len(c.prefix):], ""
}

func (c *header) about() about {
	return about{name: "header", keys: ids(c.keys), ends: ends(c.keys), weak: weakKeys(c.keys)}
}
