package source

import "strings"

// Zendesk has two kinds of webhooks. One is connected to a trigger or an
// automation, and its JSON body is written by an admin, with placeholders such as
// {{ticket.ticket_field_30015291240347}} for the custom fields. That is the one
// to use:
//
//	{"ticket_id": "{{ticket.id}}", "updated_at": "{{ticket.updated_at_with_timestamp}}",
//	 "approval": "approved", "device_id": …, "app_id": …, "action": …}
//
// The approval may be a status in place of such a constant. With the constant the
// trigger's condition must be that the ticket changes to what stands for approved.
//
// The other is subscribed to events and has a fixed body without custom fields,
// so that it is ignored, unless configured paths find a device and items in it.
//
// The invocation id, in a header, is not signed: the ticket and the time of its
// update are the event's id, or of an event webhook the id in its body.
func newZendesk(c Config) (Decoder, error) {
	s := shapes{which: zendeskShape}
	for _, f := range []form{zendeskTrigger, zendeskEvent} {
		d, err := f.compile(c)
		if err != nil {
			return nil, err
		}
		s.forms = append(s.forms, d)
	}
	return s, nil
}

func zendeskShape(doc any) (int, error) {
	m, ok := doc.(map[string]any)
	if !ok {
		return 0, invalid("", "the body is not a JSON object; want one member for each field of the ticket")
	}
	if kind, _ := m["type"].(string); strings.HasPrefix(kind, "zen:event-type:") {
		return 1, nil
	}
	return 0, nil
}

var zendeskTrigger = form{
	prefix: "/zendesk/",
	fields: map[string]string{
		Ticket:   "ticket_id",
		ID:       "ticket_id",
		Time:     "updated_at",
		Approval: "custom_status | approval | status",
		Device:   "device_id",
		Items:    "app_id",
		Intent:   "action",
		ItemType: "item_type",
	},
	approved: []string{"Approved"},
}

var zendeskEvent = form{
	prefix: "/zendesk/",
	fields: map[string]string{
		Ticket:   "detail.id",
		Version:  "id",
		Time:     "time",
		Approval: "detail.status",
	},
	approved: []string{"Approved"},
	approval: zendeskEventApproval,
}

func zendeskEventApproval(r record) (why string, err error) {
	device, _ := r.value(Device)
	items, _ := r.value(Items)
	if !says(device) || !says(items) {
		return "event webhooks carry no custom fields; connect the webhook to a trigger, and write device_id and app_id into its JSON body", nil
	}
	return "", r.judgeWord()
}
