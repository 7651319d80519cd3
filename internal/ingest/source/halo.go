package source

import "strings"

// halo reads webhooks of HaloITSM and HaloPSA (haloitsm.com/guides, kbid 838):
// {"ticket"} with the ticket as the API has it, or the ticket alone. Batching
// puts several occurrences into one delivery: a list of these, or {"tickets"}.
// Custom fields are a list of {"id", "name", "value"}, and Halo puts CF before
// their names; of a selection, the value is a number and "display" its text.
// Halo has no field that says approved in all sites: the custom
// field approval does, or a status of that name.
//
// All this is built from descriptions and from answers of the API, not from a
// captured webhook; paths are configuration. Halo signs nothing, and disables a
// webhook after as many failures as it is set to.
var halo = form{
	prefix: "/halo/",
	fields: map[string]string{
		Ticket:   haloPaths("id"),
		ID:       haloPaths("id"),
		Version:  haloPaths("lastactiondate"),
		Time:     haloPaths("lastactiondate"),
		Approval: haloPaths(haloCustom("approval", "value"), "status_name", "status.name", "status"),
		Device:   haloPaths(haloCustom("intune_device_id", "value")),
		Items:    haloPaths(haloCustom("intune_app_id", "value")),
		Intent:   haloPaths(haloCustom("assignment_action", "display"), haloCustom("assignment_action", "value")),
		ItemType: haloPaths(haloCustom("item_type", "display"), haloCustom("item_type", "value")),
	},
	records: haloRecords,
}

// haloRecords takes a batch apart.
func haloRecords(doc any) ([]any, error) {
	if tickets, ok := memberOf(doc, "tickets").([]any); ok {
		return tickets, nil
	}
	switch doc := doc.(type) {
	case []any:
		return doc, nil
	case map[string]any:
		return []any{doc}, nil
	}
	return nil, invalid("", "the body is neither a ticket nor a list of tickets; want a JSON object or array")
}

// haloCustom is the path of a custom field in a ticket.
func haloCustom(name, member string) string {
	return "customfields[name=CF" + name + "]." + member + " | customfields[name=" + name + "]." + member
}

// haloPaths are paths in {"ticket"}, and then in the ticket alone.
func haloPaths(inTicket ...string) string {
	alone := strings.Join(inTicket, " | ")
	return "ticket." + strings.ReplaceAll(alone, " | ", " | ticket.") + " | " + alone
}
