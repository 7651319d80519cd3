package source

import (
	"fmt"
	"slices"
	"strings"

	"changerelay/internal/events"
)

var jsmEnvelope = form{
	media: []string{"application/json", "text/json", structuredType},
	fields: map[string]string{
		Ticket:   "data.ticket | subject",
		Version:  "id",
		Time:     "time",
		Approval: "data.approval | data.status",
		Device:   "data.device_id",
		Items:    "data.app_id",
		Intent:   "data.action",
		ItemType: "data.item_type",
	},
	eventID:  true,
	approved: []string{"Approved"},
	approval: jsmType,
	time:     millisTime,
	wantTime: jsmTime,
}

const jsmTime = "a time with its zone, as the smart value {{issue.updated}} gives without a format, or milliseconds since 1970"

// jsmType judges an envelope: by its approval, or if it has none by its type,
// such as itsm.change.approved or itsm.change.approved.v1.
func jsmType(r record) (why string, err error) {
	kind, _ := memberOf(r.doc, "type").(string)
	switch {
	case memberOf(r.doc, "specversion") != "1.0":
		return "", invalid("specversion", "want 1.0")
	case kind == events.Type:
		return "", invalid("type", "is of changerelay's own events; configure the source as kind cloudevents")
	case words(memberOf(r.doc, "id")) == "":
		return "", invalid("id", "is required: it tells two runs of the rule apart")
	case r.find(Approval).there || r.own[Approval]:
		return "", r.judgeWord()
	case !r.approves(deed(kind)):
		return fmt.Sprintf("the envelope's type is %s, which does not say %s; send a type such as itsm.change.approved, or data.approval", shown(kind), r.wanted()), nil
	}
	return "", nil
}

// deed is what a type says has happened: its last part that is no version, and ""
// if it says what has not. Any part would not do: approved.revoked is no approval,
// and neither is not.approved.
func deed(kind string) string {
	parts := strings.Split(kind, ".")
	if slices.ContainsFunc(parts, func(part string) bool { return strings.EqualFold(part, "not") }) {
		return ""
	}
	for len(parts) > 1 && isDigits(strings.TrimPrefix(parts[len(parts)-1], "v")) {
		parts = parts[:len(parts)-1]
	}
	return parts[len(parts)-1]
}
