package source

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The kind mapped is for senders that no other kind knows: each meaning has a path
// under fields, or an expression in CEL (https://cel.dev) under map.
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
	name        string                 // of the source
	expressions map[string]*expression // by meaning
	headers     bool                   // that an expression looks at
}

func newMapped(c Config) (Decoder, error) {
	if err := checkMapped(c); err != nil {
		return nil, err
	}
	m := &mapped{name: c.Name, expressions: map[string]*expression{}}
	fields := map[string]string{}
	maps.Copy(fields, c.Fields)
	for _, meaning := range MapMeanings {
		text, ok := c.Map[meaning]
		if !ok {
			continue
		}
		x, err := compileExpression(meaning, text)
		if err != nil {
			return nil, err
		}
		m.expressions[meaning] = x
		m.headers = m.headers || x.uses("headers")
		switch {
		case meaning == Changes:
			fields[Items] = mapField(Changes) // their ids
		case slices.Contains(Meanings, meaning):
			fields[meaning] = mapField(meaning)
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

const mappedTime = wantZonedTime + `, or seconds or milliseconds since 1970; a time without a zone gets one under map.time, as in record.updated + "Z"`

// mapField is an expression's name in the configuration, and the path to what it
// gave.
func mapField(meaning string) string { return "map." + meaning }

// below is the path for documents that are the member of another. People know it
// by its old name.
func (p path) below(member string) (out path) {
	for _, a := range p {
		a.root = member
		out = append(out, a)
	}
	return out
}

// checkMapped refuses a configuration that cannot be meant, or that would take
// any request for an approval.
func checkMapped(c Config) error {
	for _, meaning := range slices.Sorted(maps.Keys(c.Map)) {
		_, both := c.Fields[meaning]
		switch {
		case meaning == Approval:
			return errors.New("map.approval: is called when, and is true or false")
		case !slices.Contains(MapMeanings, meaning):
			return fmt.Errorf("map.%s: is not a meaning; want one of %s", meaning, strings.Join(MapMeanings, ", "))
		case both:
			return fmt.Errorf("map.%s: is under fields too; give one of them", meaning)
		}
	}
	has := func(meaning string) bool { return c.Map[meaning] != "" || c.Fields[meaning] != "" }
	for _, meaning := range []string{Ticket, Device} {
		if !has(meaning) {
			return fmt.Errorf("map.%s: is needed: an expression such as record.%[1]s, or a path under fields", meaning)
		}
	}
	switch {
	case has(When) == has(Approval):
		return errors.New(`map.when: want either this, such as record.status == "approved", or a path in fields.approval; "true" if all requests are approvals`)
	case has(When) && c.Approved != nil:
		return errors.New("approved: is for a path in fields.approval; have map.when compare with these words, or leave them out")
	case has(Items) == has(Changes):
		return errors.New("map.items: want either this, or map.changes, or a path in fields.items")
	case has(Changes) && (has(Intent) || has(ItemType)):
		return errors.New("map.changes: has the intent and the type of each item in it; remove intent and item_type")
	}
	return nil
}

// Accepts takes all JSON, and text/plain, which is what Amazon SNS calls its own.
func (*mapped) Accepts(mediaType string) bool {
	return mediaType == "text/plain" || isJSON(mediaType) || mediaType == structuredType || mediaType == batchType
}
