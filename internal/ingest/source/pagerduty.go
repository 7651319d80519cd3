package source

import "fmt"

// customFieldsUpdated is the one PagerDuty event that can carry an approval.
const customFieldsUpdated = "incident.custom_field_values.updated"

// pagerDuty reads v3 webhooks (PagerDuty/developer-docs, docs/webhooks):
// {"event": {"id", "event_type", "occurred_at", "data"}}. An incident has no
// approval of its own, and nobody who acknowledges or resolves one approves a
// change by it. So a custom field of the incident says so, and only the event
// that sets this field is an approval: the list changed_custom_fields has it.
// A later edit of another field still shows it among custom_fields, and must not
// say an old wish again. A site that wants another event maps it.
//
// That the event's data is {"incident", "custom_fields", "changed_custom_fields"}
// is from PagerDuty's page on early-access events, not from a capture.
var pagerDuty = form{
	fields: map[string]string{
		Ticket:   "event.data.incident.id",
		Version:  "event.id",
		Time:     "event.occurred_at",
		Approval: "event.data.changed_custom_fields[name=approval].value",
		Device:   "event.data.custom_fields[name=intune_device_id].value",
		Items:    "event.data.custom_fields[name=intune_app_id].value",
		Intent:   "event.data.custom_fields[name=assignment_action].value",
		ItemType: "event.data.custom_fields[name=item_type].value",
	},
	eventID:  true,
	approval: pagerDutyApproval,
	check:    checkPagerDuty,
}

func pagerDutyApproval(r record) (why string, err error) {
	kind, ok := memberOf(r.doc, "event", "event_type").(string)
	if !ok {
		return "", invalid("event.event_type", "is required: it names the event of a v3 webhook; older webhooks are not taken")
	}
	if kind != customFieldsUpdated {
		return fmt.Sprintf("the event is %s; only %s can be an approval", shown(kind), customFieldsUpdated), nil
	}
	if !r.find(Approval).there {
		return "the event does not set the approval: it has no " + r.name(Approval), nil
	}
	return "", r.judgeWord()
}

// checkPagerDuty refuses an approval that names no event: all have an id, and
// without it two of them could be one.
func checkPagerDuty(r record) error {
	_, err := r.need(Version)
	return err
}
