package source

import (
	"errors"
	"fmt"
)

// jira reads the webhooks of Jira Cloud and Jira Data Center (Atlassian's "Issue
// created" and "Issue updated"). An approval is a change of the issue's status to
// one of the approved words, by name or by id, which the changelog says. The
// status itself would not do: each later edit of an approved issue bears it too,
// and would say its wish again, over a newer ticket's.
//
// The delivery's id is in a header that is not signed, so the id and the
// changelog's are the event's, or the and the time. Custom fields have other numbers at every site;
// their paths must be configured.
var jira = form{
	fields: map[string]string{
		Ticket:  "issue.key",
		ID:      "issue.id",
		Version: "changelog.id",
		Time:    "timestamp",
	},
	required: []string{Device, Items, Intent},
	approved: []string{"Approved"},
	approval: jiraApproval,
	time:     millisTime,
	wantTime: "milliseconds since 1970, as Jira sends them, or a time with its zone, such as 2026-11-23T10:00:00Z",
}

func newJira(c Config) (Decoder, error) {
	if c.Fields[Approval] != "" {
		return nil, errors.New("fields.approval: is not for kind jira: the changelog tells an approval; name its statuses under approved")
	}
	return jira.decoder(c)
}

// jiraApproval looks into the changelog.
func jiraApproval(r record) (why string, err error) {
	switch memberOf(r.doc, "webhookEvent") {
	case "jira:issue_updated", "jira:issue_created":
	case nil:
		return "", notWebhook(r.doc)
	default:
		return "only issues that were created or updated are read; of the webhook's events choose Issue updated alone", nil
	}
	status, err := jiraStatus(r.doc)
	if err != nil {
		return "", err
	}
	switch to := words(status["toString"]); {
	case status == nil:
		return "the status did not change in this update", nil
	case !r.approves(to) && !r.approves(words(status["to"])):
		return fmt.Sprintf("the status changed to %s, not to %s; what else approves is set under approved", shown(to), r.wanted()), nil
	}
	return "", nil
}

// notWebhook says what else of Jira's the body is.
func notWebhook(doc any) error {
	if memberOf(doc, "transition") != nil {
		return postFunction()
	}
	return invalid("webhookEvent", "is required, as Jira's webhooks send it; the bodies of Jira Automation are of kind jsm")
}

// postFunction is the error of what a workflow's post function sends: it has
// neither a changelog nor a version.
func postFunction() error {
	return invalid("transition", "is of a workflow's post function; register a webhook with the event Issue updated in its place, for kind jira")
}

// jiraStatus is the last change of the status, or nil. A custom field may be
// called status too, and then its editors would approve.
func jiraStatus(doc any) (status map[string]any, err error) {
	v := memberOf(doc, "changelog", "items")
	items, ok := v.([]any)
	if v != nil && !ok {
		return nil, invalid("changelog.items", "want a list of the fields that changed")
	}
	for _, item := range items {
		m, _ := item.(map[string]any)
		if m["field"] == "status" && m["fieldtype"] != "custom" && (m["fieldId"] == nil || m["fieldId"] == "status") {
			status = m
		}
	}
	return status, nil
}
