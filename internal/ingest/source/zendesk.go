package source

import (
	"fmt"
	"strings"
	"time"
)

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
// event.current is not such a path: it is the value of whichever field changed.
//
// The invocation id, in a header, is not signed: the ticket and the time of its
// update are the event's id, or of an event webhook the id in its body. The
// placeholder's time may have no seconds: then two wishes of one ticket within a
// minute are a conflict, or a repetition if they are the same.
func newZendesk(c Config) (Decoder, error) {
	for _, meaning := range []string{Device, Items} {
		for p := range strings.SplitSeq(c.Fields[meaning], "|") {
			if p = strings.TrimSpace(p); strings.HasPrefix(p, "event.") {
				return nil, fmt.Errorf("fields.%s: %s is of whichever field changed; use kind mapped, with map.when looking at body.event.field.id", meaning, p)
			}
		}
	}
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
	fields: map[string]string{
		Ticket:   "ticket_id",
		ID:       "ticket_id",
		Time:     "updated_at",
		Approval: "approval | custom_status | status",
		Device:   "device_id",
		Items:    "app_id",
		Intent:   "action",
		ItemType: "item_type",
	},
	approved: []string{"Approved"},
	time:     zendeskTime,
	wantTime: `a time with its zone; write "{{ticket.updated_at_with_timestamp}}" into the webhook's body`,
}

// zendeskTime reads the placeholder's time, which may have minutes only.
func zendeskTime(s string) (time.Time, bool) {
	if t, ok := zonedTime(s); ok {
		return t, true
	}
	return timeIn(s, "2006-01-02T15:04Z07:00")
}

var zendeskEvent = form{
	fields: map[string]string{
		Ticket:   "detail.id",
		Version:  "id",
		Time:     "time",
		Approval: "detail.status",
	},
	eventID:  true,
	approved: []string{"Approved"},
	approval: zendeskEventApproval,
}

func zendeskEventApproval(r record) (why string, err error) {
	if !says(r.find(Device).value) || !says(r.find(Items).value) {
		return "event webhooks carry no custom fields; connect the webhook to a trigger, and write device_id and app_id into its JSON body", nil
	}
	return "", r.judgeWord()
}
