package events

import (
	"encoding/json"
	"time"
)

// Encode returns the event as structured-mode CloudEvents JSON. Equal events
// have equal encodings.
//
// It is written by hand, for each request pays for it. A test holds it, byte for
// byte, to what encoding/json makes of an envelope.
func (e Event) Encode() []byte {
	b := make([]byte, 0, e.size())
	b = appendText(append(b, `{"specversion":"1.0","id":`...), e.ID)
	b = appendText(append(b, `,"source":`...), e.Source)
	b = append(b, `,"type":"`+Type+`","time":"`...)
	b = append(e.Time.UTC().AppendFormat(b, time.RFC3339Nano), '"')
	if e.Ticket != "" {
		b = appendText(append(b, `,"subject":`...), e.Ticket)
	}
	b = append(b, `,"datacontenttype":"application/json"`...)
	if e.Arrival {
		b = append(b, `,"arrivaltime":true`...)
	}
	b = appendText(append(b, `,"data":{"tenant":`...), e.Tenant)
	if e.Device != "" {
		b = appendText(append(b, `,"device":`...), e.Device)
	}
	if e.Target != "" {
		b = appendText(append(b, `,"target":`...), string(e.Target))
	}
	return append(appendChanges(append(b, `,"changes":`...), e.Changes), "}}"...)
}

// size is about the length of the encoding, bytes.
func (e Event) size() int {
	const frame, change = 208, 128
	return frame + len(e.ID) + len(e.Source) + len(e.Ticket) + len(e.Tenant) + len(e.Device) + len(e.Target) + change*len(e.Changes)
}

func appendChanges(b []byte, changes []Change) []byte {
	if changes == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, c := range changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"intent":`...), string(c.Intent))
		if c.Item != (Item{}) {
			b = appendText(append(b, `,"item":{"id":`...), c.Item.ID)
			b = appendText(append(b, `,"type":`...), string(c.Item.Type))
			b = append(b, '}')
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendText appends s as a JSON string. encoding/json knows how to escape.
func appendText(b []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	return append(b, encode(s)...)
}

// isPlain reports whether encoding/json writes s as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~', c == '"', c == '\\', c == '&', c == '<', c == '>':
			return false
		}
	}
	return true
}

// An envelope is the CloudEvents form of an Event or a Receipt. Its fields are
// encoded in this order, so that what is encoded is canonical.
type envelope struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Time            string `json:"time"`
	Subject         string `json:"subject,omitempty"` // an invalid event's ticket is not known
	DataContentType string `json:"datacontenttype"`
	ArrivalTime     bool   `json:"arrivaltime,omitempty"` // our extension: see Event.Arrival
	Data            any    `json:"data"`
}

func (v envelope) encode(t time.Time) []byte {
	v.SpecVersion, v.Time, v.DataContentType = "1.0", t.UTC().Format(time.RFC3339Nano), "application/json"
	return encode(v)
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("events: an envelope always encodes: " + err.Error()) // strings, slices and clock times only
	}
	return b
}
