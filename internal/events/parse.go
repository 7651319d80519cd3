package events

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse reads an event from structured-mode CloudEvents JSON. It is strict: no
// part of the event itself is guessed, repaired or ignored, for what a sender
// meant and what a device gets must be the same. Only attributes that
// CloudEvents calls extensions, such as traceparent, pass unread. Its errors
// are *InvalidError.
func Parse(data []byte, now time.Time) (Event, error) {
	v, err := decode(data)
	if err != nil {
		return Event{}, err
	}
	return parse(v, now)
}

// parse reads an event from decoded JSON.
func parse(v any, now time.Time) (Event, error) {
	var r reader
	e := r.event(v)
	if r.err != nil {
		return Event{}, r.err
	}
	return New(e, now)
}

// A reader takes an event's fields out of decoded JSON and keeps the first
// refusal. It judges names and JSON types; New judges what they say.
type reader struct{ err *InvalidError }

func (r *reader) refuse(path, reason string) {
	if r.err == nil {
		r.err = &InvalidError{path, reason}
	}
}

// The names that CloudEvents and we give a meaning, in the order of Encode.
var attributes = []string{"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "data"}

func (r *reader) event(v any) Event {
	top, ok := v.(map[string]any)
	if !ok {
		r.refuse("", "the event is "+kind(v)+"; want a JSON object")
		return Event{}
	}
	if s := r.text(top, "", "specversion"); s != "1.0" {
		r.refuse("specversion", given(s, "is not a version taken here")+`; want "1.0"`)
	}
	if s := r.text(top, "", "type"); s != Type {
		r.refuse("type", given(s, "is not an event type taken here")+"; want "+Type)
	}
	e := Event{ID: r.text(top, "", "id"), Source: r.text(top, "", "source"), Ticket: r.text(top, "", "subject")}
	if s := r.text(top, "", "time"); s != "" {
		if e.Time, ok = parseTime(s); !ok {
			r.refuse("time", fmt.Sprintf("%q is not an RFC 3339 time with a zone; write it like 2026-11-23T10:00:00Z", clip(s)))
		}
	}
	if s := r.text(top, "", "datacontenttype"); top["datacontenttype"] != nil {
		if media, _, err := mime.ParseMediaType(s); err != nil || media != "application/json" {
			r.refuse("datacontenttype", fmt.Sprintf("%q is not taken; want application/json", clip(s)))
		}
	}
	if s := r.text(top, "", "dataschema"); s == "" && top["dataschema"] != nil {
		r.refuse("dataschema", "is empty; give a URI or leave it out")
	}
	if e.Arrival, ok = top["arrivaltime"].(bool); !ok && top["arrivaltime"] != nil {
		r.refuse("arrivaltime", "is "+kind(top["arrivaltime"])+"; want true if nobody states a time, or leave it out")
	}
	r.extensions(top)

	data := r.object(top["data"], "data", "tenant", "device", "target", "changes")
	e.Tenant, e.Device = r.text(data, "data.", "tenant"), r.text(data, "data.", "device")
	if e.Target = Target(r.text(data, "data.", "target")); e.Target == "" && data["target"] != nil {
		r.refuse("data.target", "is empty; give a route to a device or leave it out")
	}
	changes, ok := data["changes"].([]any)
	if !ok && data["changes"] != nil {
		r.refuse("data.changes", "is "+kind(data["changes"])+"; want an array of changes")
	}
	for i, v := range changes {
		c, err := readChange(v)
		if err != nil {
			r.refuse(changePath(i)+err.Field, err.Reason)
			break
		}
		e.Changes = append(e.Changes, c)
	}
	return e
}

// readChange takes one change; the error's field is what comes after its path.
func readChange(v any) (Change, *InvalidError) {
	var r reader
	change := r.object(v, "", "intent", "item")
	c := Change{Intent: Intent(r.text(change, ".", "intent"))}
	if c.Intent == RestoreAll {
		if change["item"] != nil { // an empty one too, which New would not see
			r.refuse(".item", noItem)
		}
		return c, r.err
	}
	item := r.object(change["item"], ".item", "id", "type")
	c.Item = Item{ID: r.text(item, ".item.", "id"), Type: ItemType(r.text(item, ".item.", "type"))}
	return c, r.err
}

// extensions refuses the attributes that are neither known nor in the form of
// a CloudEvents extension.
func (r *reader) extensions(top map[string]any) {
	for _, key := range others(top, attributes) {
		switch {
		case key == "data_base64":
			r.refuse(key, "is not taken; send the change as a JSON object in data")
		case !isExtension(key):
			r.refuse(name(key), unknown(key, attributes, "an attribute; the name of an extension has 1 to 20 of a-z and 0-9"))
		}
		switch v := top[key].(type) {
		case map[string]any, []any:
			r.refuse(key, "is "+kind(v)+"; the value of an extension is text, an integer, true or false")
		case json.Number:
			if _, err := strconv.ParseInt(v.String(), 10, 32); err != nil {
				r.refuse(key, fmt.Sprintf("%s is not a 32-bit integer; send other numbers as text", clip(v.String())))
			}
		}
	}
}

// object takes v as an object that has no other fields than names.
func (r *reader) object(v any, path string, names ...string) map[string]any {
	m, ok := v.(map[string]any)
	switch {
	case v == nil:
		r.refuse(path, "is required: an object with "+list(names, "and"))
	case !ok:
		r.refuse(path, "is "+kind(v)+"; want an object with "+list(names, "and"))
	}
	for _, key := range others(m, names) {
		r.refuse(path+"."+name(key), unknown(key, names, "a known field; want only "+list(names, "and")))
	}
	return m
}

// others are the keys of m that are none of names, sorted, so that equal events
// are refused in equal words.
func others(m map[string]any, names []string) (keys []string) {
	for key := range m {
		if !slices.Contains(names, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// text takes the field of m as a string, "" if it is absent or null, which
// CloudEvents holds for the same.
func (r *reader) text(m map[string]any, path, field string) string {
	v := m[field]
	s, ok := v.(string)
	if !ok && v != nil {
		r.refuse(path+field, "is "+kind(v)+"; want text in quotes")
	}
	return s
}

// unknown is why a key is refused; mostly it is a known one in other letters.
func unknown(key string, names []string, what string) string {
	for _, n := range names {
		if strings.EqualFold(n, key) {
			return "must be spelled " + n + ", in these letters"
		}
	}
	return "is not " + what
}

func given(s, wrong string) string {
	if s == "" {
		return "is required"
	}
	return fmt.Sprintf("%q %s", clip(s), wrong)
}

func kind(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return "text"
	case json.Number:
		return "a number"
	case bool:
		return "true or false"
	}
	return "null"
}

// list writes words for a sentence: a, b and c.
func list[S ~string](words []S, last string) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" " + last + " ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

func isExtension(key string) bool {
	for i := range len(key) {
		if c := key[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return key != "" && len(key) <= 20
}
