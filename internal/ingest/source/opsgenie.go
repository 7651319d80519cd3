package source

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// opsgenieCut is how many characters of a detail the Webhook integration sends;
// what is longer is cut off without a word (docs.opsgenie.com, Webhook
// Integration). An id cut in two is still an id.
const opsgenieCut = 1000

// opsgenie reads the Webhook integration's alert actions (support.atlassian.com,
// "alert action data"): {"action", "alert", "source"}. The extra properties of
// the alert, its details, say what is asked for. They are sent only with Create
// and with custom actions, and only where "Send Alert Details" is ticked.
//
// An alert has no approval. No built-in action is one either: whoever, or
// whatever, creates or acknowledges an alert approves nothing. A custom action
// named Approve is, run by a person; what it is called is configuration. That
// the action's own name stands in "action" is from descriptions, not from a
// capture.
var opsgenie = form{
	fields: map[string]string{
		Ticket:   "alert.tinyId | alert.alertId",
		ID:       "alert.alertId",
		Time:     "alert.updatedAt",
		Approval: "action",
		Device:   "alert.details.intune_device_id",
		Items:    "alert.details.intune_app_id",
		Intent:   "alert.details.assignment_action",
		ItemType: "alert.details.item_type",
	},
	approved: []string{"approve", "approved"},
	check:    checkOpsgenie,
	time:     opsgenieTime,
	wantTime: "the time of the update: its milliseconds or nanoseconds since 1970",
}

// checkOpsgenie refuses a list of items that may have lost its end.
func checkOpsgenie(r record) error {
	if f := r.find(Items); utf8.RuneCountInString(words(f.value)) >= opsgenieCut {
		return invalid(r.name(Items), "has "+strconv.Itoa(opsgenieCut)+" characters, where Opsgenie cuts off the rest; use several alerts")
	}
	return nil
}

// opsgenieTime reads nanoseconds, which updatedAt has, and milliseconds, as
// createdAt. From 2001 to 2286 their digits tell them apart.
func opsgenieTime(s string) (time.Time, bool) {
	const digits = len("1795429371000000000")
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) == digits && n > 0 {
		return time.Unix(0, n), true
	}
	return millisTime(s)
}
