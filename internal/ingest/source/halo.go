package source

import "strings"

// halo reads webhooks of HaloITSM and HaloPSA (haloitsm.com/guides, kbid 838):
// {"ticket"} with the ticket as the API has it, or the ticket alone. Batching
// puts several occurrences into one delivery: a list of these, or {"tickets"}.
// Custom fields are a list of {"id", "name", "value"}, and Halo puts CF before
// their names; of a selection, the value is a number and "display" its text, so
// that the text goes first. Where both are words and differ, nobody can say which
// is meant. Halo has no field that says approved in all sites: the custom
// field approval does, or a status of that name.
//
// All this is built from descriptions and from answers of the API, not from a
// captured webhook; paths are configuration. Halo signs nothing, and disables a
// webhook after as many failures as it is set to.
var halo = form{
	fields: map[string]string{
		Ticket:   haloPaths("id"),
		ID:       haloPaths("id"),
		Time:     haloPaths("lastactiondate"),
		Approval: haloPaths(haloCustom("approval"), "status_name", "status.name", "status"),
		Device:   haloPaths(haloCustom("intune_device_id")),
		Items:    haloPaths(haloCustom("intune_app_id")),
		Intent:   haloPaths(haloCustom("assignment_action")),
		ItemType: haloPaths(haloCustom("item_type")),
	},
	records:  haloRecords,
	approval: haloApproval,
	check:    checkHalo,
	wantTime: "the ticket's lastactiondate with its zone, such as 2026-11-23T10:00:00Z",
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
func haloCustom(name string) string {
	with, without := "customfields[name=CF"+name+"].", "customfields[name="+name+"]."
	return with + "display | " + with + "value | " + without + "display | " + without + "value"
}

// haloPaths are paths in {"ticket"}, and then in the ticket alone.
func haloPaths(inTicket ...string) string {
	alone := strings.Join(inTicket, " | ")
	return "ticket." + strings.ReplaceAll(alone, " | ", " | ticket.") + " | " + alone
}

func haloApproval(r record) (why string, err error) {
	if err := r.agrees(Approval); err != nil {
		return "", err
	}
	return "", r.judgeWord()
}

func checkHalo(r record) error {
	for _, meaning := range []string{Device, Items, Intent, ItemType} {
		if err := r.agrees(meaning); err != nil {
			return err
		}
	}
	return nil
}

// agrees refuses a field whose text and value are two words. The value of a
// selection is a number, that of several a list, and that of a tick true or false.
func (r record) agrees(meaning string) error {
	f := r.find(meaning)
	field, isText := strings.CutSuffix(f.at.text, ".display")
	if !isText || !f.there || r.own[meaning] { // configuration has said which is meant
		return nil
	}
	v, _ := f.at.beside(r.doc, "value")
	value, _ := v.(string)
	value = strings.TrimSpace(value)
	if strings.Trim(value, "0123456789, ") == "" || strings.EqualFold(value, strings.TrimSpace(words(f.value))) {
		return nil
	}
	return invalid(f.at.text, "says something else than "+field+".value; correct the field in Halo, or set fields."+meaning+" to the one that is meant")
}
