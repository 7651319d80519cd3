package source

import (
	"strings"
	"time"
)

// A freshworks is one of the two products of that company that send webhooks in
// the same ways. The Workflow Automator's action "Trigger Webhook" has
//
//   - "simple" content: ticked fields in one object named after the product,
//     {"freshservice_webhook": {"ticket_id", "ticket_status", …}}, where a custom
//     field is ticket_cf_<name>;
//   - "advanced" content: a template of the administrator's own. Usual ones have
//     {"ticket"} and {"custom_fields"}.
//
// The names in simple content are those that public receivers expect; Freshworks
// documents none.
//
// Both products sign nothing, have no delivery id, and put values into a
// template as they are. A quote in a subject makes a body that is not JSON: it
// is refused, and nothing here guesses what was meant. The content should have
// the time of the update. Without it an event is named by its bytes, so that the
// same wish at another time is taken for a repetition, and dated when it arrives,
// up to a day late: calls beyond 1000 an hour wait for the next hour.
type freshworks struct {
	prefix, wrapper  string
	simple, advanced string // paths of the approval
}

// freshservice has an approval. It cannot be ticked in all content; a status of
// that name stands for it in simple content, not in a template that could have
// it.
var freshservice = freshworks{
	"/freshservice/", "freshservice_webhook",
	"freshservice_webhook.ticket_approval_status | freshservice_webhook.ticket_status",
	"ticket.approval_status_name | ticket.approval_status",
}

// freshdesk has no approvals: a status of that name stands for one.
var freshdesk = freshworks{
	"/freshdesk/", "freshdesk_webhook",
	"freshdesk_webhook.ticket_status",
	"ticket.status_name | ticket.status",
}

func (f freshworks) decoder(c Config) (Decoder, error) {
	s := shapes{which: f.shape}
	for _, content := range []form{f.advancedContent(), f.simpleContent()} {
		d, err := content.compile(c)
		if err != nil {
			return nil, err
		}
		s.forms = append(s.forms, d)
	}
	return s, nil
}

// shape is the place of a body's form: simple content is known by its wrapper.
func (f freshworks) shape(doc any) (int, error) {
	m, ok := doc.(map[string]any)
	if !ok {
		return 0, invalid("", "the body is not a JSON object; want {\"ticket\", \"custom_fields\"}, or simple content")
	}
	if m[f.wrapper] != nil {
		return 1, nil
	}
	return 0, nil
}

func (f freshworks) simpleContent() form {
	custom := func(name string) string { return f.wrapper + ".ticket_cf_" + name }
	id := f.wrapper + ".ticket_id | " + f.wrapper + ".id"
	return f.form(f.simple, id, f.wrapper+".ticket_updated_at", custom)
}

func (f freshworks) advancedContent() form {
	custom := func(name string) string {
		return "custom_fields." + name + " | ticket.custom_fields." + name + " | ticket.cf_" + name
	}
	return f.form(f.advanced, "ticket.id | ticket.ticket_id", "ticket.updated_at", custom)
}

func (f freshworks) form(approval, id, updated string, custom func(name string) string) form {
	return form{
		prefix: f.prefix,
		fields: map[string]string{
			Ticket:   id,
			ID:       id,
			Time:     updated,
			Approval: approval,
			Device:   custom("intune_device_id"),
			Items:    custom("intune_app_id"),
			Intent:   custom("assignment_action"),
			ItemType: custom("item_type"),
		},
		time:     freshTime,
		wantTime: "the time of the update with its zone, such as 2026-11-23T10:00:00Z; or send none, and the event has the time of its arrival",
	}
}

// freshTime reads RFC 3339, as the API writes it, and 2026-11-23 10:00:00 UTC,
// as placeholders may. What a locale makes of a time has no zone.
func freshTime(s string) (time.Time, bool) {
	if t, ok := zonedTime(s); ok {
		return t, true
	}
	utc, ok := strings.CutSuffix(s, " UTC")
	t, err := time.Parse(time.DateTime, utc)
	return t, ok && err == nil && len(utc) == len(time.DateTime)
}
