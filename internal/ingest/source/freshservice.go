package source

import "strings"

// A freshworks is one of the two products of that company that send webhooks in
// the same ways. The Workflow Automator's action "Trigger Webhook" has
//
//   - "simple" content: ticked fields in one object named after the product,
//     {"freshservice_webhook": {"ticket_id", "ticket_status", …}}, where a custom
//     field is ticket_cf_<name>;
//   - "advanced" content: a template of the administrator's own. Usual ones have
//     {"ticket"} and {"custom_fields"}.
//
// The names in simple content are those that public receivers expect, with and
// without ticket_ before them; Freshworks documents none.
//
// Both products sign nothing, have no delivery id, and put values into a
// template as they are. A quote in a subject makes a body that is not JSON: it
// is refused, and nothing here guesses what was meant. The content should have
// the time of the update. Without it an event is named by its bytes, so that the
// same wish at another time is taken for a repetition, and dated when it arrives,
// up to a day late: calls beyond 1000 an hour wait for the next hour.
type freshworks struct {
	wrapper  string
	simple   []string // names of the approval in simple content
	advanced string   // and its path in a template
}

// freshservice has an approval. It cannot be ticked in all content; a status of
// that name stands for it in simple content, not in a template that could have
// it.
var freshservice = freshworks{
	"freshservice_webhook",
	[]string{"approval_status", "status"},
	"ticket.approval_status_name | ticket.approval_status",
}

// freshdesk has no approvals: a status of that name stands for one.
var freshdesk = freshworks{
	"freshdesk_webhook",
	[]string{"status"},
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
	for _, other := range []string{"freshservice", "freshdesk"} {
		if m[other+"_webhook"] != nil {
			return 0, invalid(other+"_webhook", "is of another product; configure the source as kind "+other)
		}
	}
	return 0, nil
}

func (f freshworks) simpleContent() form {
	named := func(names ...string) string {
		var paths []string
		for _, name := range names {
			paths = append(paths, f.wrapper+".ticket_"+name, f.wrapper+"."+name)
		}
		return strings.Join(paths, " | ")
	}
	custom := func(name string) string {
		return named("cf_"+name) + " | " + f.wrapper + ".custom_fields." + name
	}
	return f.form(named(f.simple...), named("id"), named("updated_at"), custom)
}

func (f freshworks) advancedContent() form {
	custom := func(name string) string {
		return "custom_fields." + name + " | ticket.custom_fields." + name + " | ticket.cf_" + name
	}
	return f.form(f.advanced, "ticket.id | ticket.ticket_id", "ticket.updated_at", custom)
}

func (f freshworks) form(approval, id, updated string, custom func(name string) string) form {
	return form{
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
		wantTime: "the time of the update with its zone, such as 2026-11-23T10:00:00Z; or send none, and the event has the time of its arrival",
	}
}
