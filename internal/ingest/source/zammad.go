package source

// zammad reads the webhook of a trigger (admin-docs.zammad.org, Webhook):
// {"ticket", "article"}, the ticket with the attributes that the site has added
// to its tickets under Objects. Zammad has no approvals: a state of that name
// stands for one. The trigger must run only when the state changes to it: each
// update of the ticket is another event, and a newer word on its items.
//
// The ticket's id and the time of its update name the event, not the delivery:
// X-Zammad-Delivery is outside the signature, so whoever repeats a captured body
// can choose it.
var zammad = form{
	fields: map[string]string{
		Ticket:   "ticket.number",
		ID:       "ticket.id",
		Time:     "ticket.updated_at",
		Approval: "ticket.state",
		Device:   "ticket.intune_device_id",
		Items:    "ticket.intune_app_id",
		Intent:   "ticket.assignment_action",
		ItemType: "ticket.item_type",
	},
}
