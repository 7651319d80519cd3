package source

import "maps"

// The action "Send web request" of Jira Automation, which Jira Service
// Management has too. Its rule decides when to send; it has no delivery id and
// signs nothing. The body is what the rule's author chose:
//
//   - Issue data (Automation format): the issue is the body.
//   - Issue data (Jira format), and the body of the older Service Management
//     automation: the issue is in the body's member issue. The older one has the
//     time of the rule's run beside it, in timestamp.
//   - Custom data: a CloudEvents envelope of the author's own type, with ticket,
//     device_id, app_id and action in its data. Its id is the event's.
//
// The Automation format has the time of the last update only if the rule's author
// adds it. statuscategorychangedate, which it does have, is not that: it stays when
// one status gives way to another of its category, and a second approval would
// have the first one's time.
//
// What has a specversion is an envelope; what has an issue, or a key and fields,
// is an issue; nothing may be both. Other custom data is for kind mapped.
func newJSM(c Config) (Decoder, error) {
	issue := jsmIssue
	if _, own := c.Fields[Approval]; !own {
		issue.approval = jsmStatus
	}
	envelope, err := jsmEnvelope.compile(c)
	if err != nil {
		return nil, err
	}
	s := shapes{forms: []formDecoder{envelope}, which: jsmShape}
	if c.Fields[Device]+c.Fields[Items]+c.Fields[Intent] == "" { // a source of custom data
		issue.required, issue.approval = nil, func(record) (string, error) {
			return "", invalid("", "the body is an issue, whose custom fields have other numbers at every site; configure the paths fields.device, fields.items and fields.intent")
		}
	}
	fields, err := issue.compile(c)
	if err != nil {
		return nil, err
	}
	s.forms = append(s.forms, fields)
	return s, nil
}

// jsmShape is the place of a body's form.
func jsmShape(doc any) (int, error) {
	m, ok := doc.(map[string]any)
	if !ok {
		return 0, invalid("", "the body is not a JSON object; want an issue, or custom data as a CloudEvents envelope")
	}
	has := func(name string) bool { return m[name] != nil }
	atRoot := has("key") || has("fields")
	switch {
	case has("webhookEvent"):
		return 0, invalid("webhookEvent", "is of a Jira webhook; configure the source as kind jira, which tells approvals from later edits")
	case has("transition"):
		return 0, postFunction()
	case has("specversion") && !has("issue") && !atRoot:
		return 0, nil
	case has("specversion") || has("issue") && atRoot:
		return 0, invalid("", "the body is an issue in two places, or an issue and an envelope; send one of them")
	case has("issue") || has("key") && has("fields"):
		return 1, nil
	}
	return 0, invalid("", "the body is neither an issue nor custom data as a CloudEvents envelope; for other custom data configure kind mapped")
}

var jsmIssue = form{
	fields: map[string]string{
		Ticket:   "key",
		ID:       "id",
		Time:     "timestamp | fields.updated",
		Approval: "fields.status.name",
	},
	required: []string{Device, Items, Intent},
	approved: []string{"Approved"},
	records:  jsmIssues,
	time:     millisTime,
	wantTime: jsmTime,
}

// jsmIssues makes one of the two places of an issue, so that a path finds a field
// at the root and under issue, whatever the rule sends.
func jsmIssues(doc any) ([]any, error) {
	both := maps.Clone(doc.(map[string]any)) // jsmShape has seen it
	if both["issue"] == nil {
		both["issue"] = doc
		return []any{both}, nil
	}
	issue, ok := both["issue"].(map[string]any)
	if !ok {
		return nil, invalid("issue", "want the issue as a JSON object")
	}
	for _, name := range []string{"id", "key", "fields"} {
		both[name] = issue[name]
	}
	return []any{both}, nil
}

// jsmStatus takes the id of an approved status, too: names are translated, and
// people change them.
func jsmStatus(r record) (string, error) {
	if r.approves(words(memberOf(r.doc, "fields", "status", "id"))) {
		return "", nil
	}
	return "", r.judgeWord()
}
