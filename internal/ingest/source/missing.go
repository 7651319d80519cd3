package source

import (
	"fmt"
	"slices"
	"strings"

	"changerelay/internal/events"
)

// meant says of each meaning what is wanted of a sender.
var meant = map[string]string{
	Ticket:   "the ticket's number",
	ID:       "the id that tells two tickets apart",
	Version:  "the record's version",
	Time:     "the time of the decision",
	Approval: "the word that says whether the record is approved",
	Device:   "the device's id in Intune, a UUID",
	Items:    "the ids of the apps or policies in Intune",
	ItemType: "the items' type",
	Intent:   "remove or restore",
	Tenant:   "the tenant's name",
}

// missing is the error of a meaning that must say something.
func (r record) missing(meaning string) *events.InvalidError {
	if f := r.find(meaning); f.there {
		return invalid(f.at.text, "is empty; want "+meant[meaning])
	}
	return r.absent(meaning)
}

// absent is the error of a path that leads nowhere. It names all the places that
// were looked at, and the one that has what was looked for, if it can be found.
func (r record) absent(meaning string) *events.InvalidError {
	p := r.paths[meaning]
	if p == nil {
		return invalid(meaning, fmt.Sprintf("is looked for nowhere; set fields.%s to the path of %s", meaning, meant[meaning]))
	}
	reason := "is not in the body" + neither(p[1:])
	if at := p.elsewhere(r.doc); at != "" && isTelling(meaning) {
		return invalid(p[0].text, fmt.Sprintf("%s; the body has %s: if that is meant, set fields.%s to it", reason, at, meaning))
	}
	return invalid(p[0].text, fmt.Sprintf("%s; have the sender send %s, or set fields.%s to the path that has it%s",
		reason, meant[meaning], meaning, r.orElse(meaning)))
}

// neither lists the other places, but no more than a line holds.
func neither(p path) string {
	const most = 3
	var texts []string
	for _, a := range p[:min(len(p), most)] {
		texts = append(texts, a.text)
	}
	if more := len(p) - most; more > 0 {
		texts = append(texts, fmt.Sprintf("%d others", more))
	}
	if len(texts) == 0 {
		return ""
	}
	return ", nor is " + strings.Join(texts, " or ")
}

// isTelling reports whether the name of a meaning's field is its own. An id, a
// number or a time of that name may be anybody's.
func isTelling(meaning string) bool {
	return slices.Contains([]string{Approval, Device, Items, ItemType, Intent}, meaning)
}

// orElse is how to configure that records may lack the meaning.
func (r record) orElse(meaning string) string {
	usual := map[string]string{Intent: string(events.Remove), ItemType: string(events.Application), Tenant: r.tenant}[meaning]
	switch {
	case !r.own[meaning]:
		return ""
	case usual != "":
		return fmt.Sprintf(`; if its absence stands for %s, end the path with " | =%[1]s"`, usual)
	case meaning == Time || meaning == Version:
		return fmt.Sprintf(", or leave fields.%s out", meaning)
	}
	return ""
}
