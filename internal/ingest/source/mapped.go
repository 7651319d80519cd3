package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The kind mapped is for senders that no other kind knows: each meaning has a path
// under fields, or an expression in CEL (https://cel.dev) under map. Here is what
// the kind is made of; package expression is the language.
//
//	sources:
//	  helpdesk:
//	    kind: mapped
//	    tenants: [acme]
//	    secrets: [{ file: /run/secrets/helpdesk }]
//	    fields:
//	      ticket: ticket.number
//	      device: ticket.custom_fields[name=intune_device_id].value
//	    map:
//	      when: record.ticket.status == "approved"
//	      id: record.ticket.id
//	      version: record.?ticket.revision
//	      time: timestamp(record.ticket.updated_at)
//	      items: record.ticket.apps.filter(a, a.managed).map(a, a.intune_id)
//	      intent: '{"put back": "restore", "take off": "remove"}[record.ticket.action]'
//
// An expression sees the JSON document as body; the record, which is an entry of
// the list that each gives, or else the body; delivery.id, which is "" if nothing
// vouches for it; delivery.received, a timestamp; the name of the source; and
// headers, by their lower-case names, with those alone that something vouches for:
// headers["ce-subject"]. A member that may be missing is read as record.?member,
// or tested with has(record.member); null and a missing optional leave a meaning
// out. Whole numbers are ints. json(text) reads a document out of a text, as
// Amazon SNS sends them: each: '[json(body.Message)]'.
//
// Look words up, as intent does, and a word that nobody thought of is refused; the
// second half of a ? : would take it for a wish.
//
// Besides the meanings that paths have, map has
//
//	when     whether the record is an approval; false is ignored
//	each     the records in the body
//	changes  [{"intent", "id", "type"}, ...] in place of items, intent and item_type
//
// What is needed is a ticket, a device, items or changes, and either when or a
// path for approval; a sender that sends nothing but approvals has when: "true".
//
// What is not JSON is not read: no forms, no XML.
const (
	When    = "when"
	Each    = "each"
	Changes = "changes"
)

// MapMeanings lists what may have an expression.
var MapMeanings = []string{Each, When, Ticket, ID, Version, Time, Device, Items, ItemType, Intent, Tenant, Changes}

// mapped is a form whose records are documents of two members: record, what the
// sender sent, and map, what the expressions made of it.
type mapped struct {
	formDecoder
	name        string                // of the source
	language    Language              // nil: nothing is decoded
	expressions map[string]Expression // by meaning; empty without a language
	headers     bool                  // that an expression looks at
}

func newMapped(c Config) (Decoder, error) { return mappedIn(language, c) }

// mappedIn makes the decoder in a program that has the language, or nil. Without,
// all is checked but what the expressions say.
func mappedIn(l Language, c Config) (Decoder, error) {
	if err := checkMapped(c); err != nil {
		return nil, err
	}
	m := &mapped{name: c.Name, language: l, expressions: map[string]Expression{}}
	if err := m.compileMap(c.Map); err != nil {
		return nil, err
	}
	fields := map[string]string{}
	maps.Copy(fields, c.Fields)
	for meaning := range c.Map {
		switch {
		case meaning == Changes:
			fields[Items] = MapField(Changes) // their ids
		case slices.Contains(Meanings, meaning):
			fields[meaning] = MapField(meaning)
		}
	}
	base := form{time: epochTime, wantTime: mappedTime}
	var err error
	if m.formDecoder, err = base.compile(Config{Name: c.Name, Tenant: c.Tenant, Fields: fields, Approved: c.Approved}); err != nil {
		return nil, err
	}
	for meaning := range c.Fields {
		m.paths[meaning] = m.paths[meaning].below("record")
	}
	return m, nil
}

// compileMap compiles the expressions, if the program can.
func (m *mapped) compileMap(texts map[string]string) error {
	for _, meaning := range MapMeanings {
		text, ok := texts[meaning]
		if !ok {
			continue
		}
		if strings.TrimSpace(text) == "" {
			return fmt.Errorf("%s: is empty; give an expression such as record.id, or leave it out", MapField(meaning))
		}
		if m.language == nil {
			continue
		}
		x, err := m.language.Compile(meaning, text)
		if err != nil {
			return err
		}
		m.expressions[meaning] = x
		m.headers = m.headers || x.Uses("headers")
	}
	return nil
}

const mappedTime = wantZonedTime + `, or seconds or milliseconds since 1970; a time without a zone gets one under map.time, as in record.updated + "Z"`

// MapField is an expression's name in the configuration, and the path to what it
// gave.
func MapField(meaning string) string { return "map." + meaning }

// below is the path for documents that are the member of another. People know it
// by its old name.
func (p path) below(member string) (out path) {
	for _, a := range p {
		a.root = member
		out = append(out, a)
	}
	return out
}

// Accepts takes all JSON, and text/plain, which is what Amazon SNS calls its own.
func (*mapped) Accepts(mediaType string) bool {
	return mediaType == "text/plain" || isJSON(mediaType) || mediaType == structuredType || mediaType == batchType
}
