package verify

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of bodies that are read before they are verified.
const (
	maxNesting = 16  // Graph's notifications are 4 deep, and those of SNS 3
	maxNames   = 128 // in one object: each is compared with those before it
)

// A walk goes through a stranger's JSON, and keeps nothing of it but the names
// of the objects that it is in: a tree of a hostile body would be fifty times
// its size. Each step reads one value and reports whether that was possible;
// after one that was not, the walk is over.
type walk struct {
	data  []byte // valid JSON
	at    int
	depth int
	names [][]byte // of the members read, of all open objects
}

// newWalk accepts JSON as package events does: one value in UTF-8. What else it
// asks for, the steps see to.
func newWalk(body []byte) (*walk, bool) {
	return &walk{data: body}, utf8.Valid(body) && json.Valid(body)
}

// next is the first byte of the next token.
func (w *walk) next() byte {
	for isSpace(w.data[w.at]) {
		w.at++
	}
	return w.data[w.at]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// object reads an object, each member's value by a step of the caller's. A name
// that is there twice ends the walk: others would read the other value.
func (w *walk) object(member func(name string) bool) bool {
	own := len(w.names)
	ok := w.list('{', func() bool {
		name, ok := w.text()
		if !ok || len(w.names)-own == maxNames || slices.ContainsFunc(w.names[own:], func(n []byte) bool { return bytes.Equal(n, name) }) {
			return false
		}
		w.names = append(w.names, name)
		w.next()
		w.at++ // the colon
		return member(string(name))
	})
	w.names = w.names[:own]
	return ok
}

// array reads an array, each item by a step of the caller's.
func (w *walk) array(item func() bool) bool { return w.list('[', item) }

func (w *walk) list(open byte, item func() bool) bool {
	if w.next() != open || w.depth == maxNesting {
		return false
	}
	w.depth++
	w.at++
	for w.next() != open+2 { // its end, } or ]
		if w.data[w.at] == ',' {
			w.at++
		}
		if !item() {
			return false
		}
	}
	w.at++
	w.depth--
	return true
}

// skip reads any value.
func (w *walk) skip() bool {
	switch w.next() {
	case '{':
		return w.object(func(string) bool { return w.skip() })
	case '[':
		return w.array(w.skip)
	case '"':
		w.quoted()
		return true
	}
	for w.at < len(w.data) && !isSpace(w.data[w.at]) && strings.IndexByte(",]}", w.data[w.at]) < 0 {
		w.at++
	}
	return true
}

// text reads a string.
func (w *walk) text() ([]byte, bool) {
	if w.next() != '"' {
		return nil, false
	}
	raw := w.quoted()
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	var s string
	err := json.Unmarshal(raw, &s) // escapes are rare
	return []byte(s), err == nil
}

// quoted is a string as it is written, its quotes included.
func (w *walk) quoted() []byte {
	start := w.at
	for w.at++; w.data[w.at] != '"'; w.at++ {
		if w.data[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.data[start:w.at]
}
