package source

import (
	"strconv"
	"strings"
	"time"
)

// serviceNow reads records as a business rule's script sends them: flat, every
// value a string; as the Table API answers them, in {"result"}, references as
// {"link", "value"}, or with sysparm_display_value=all doubled as
// {"display_value", "value"}; and requested items, whose catalog variables a
// script copies to {"variables"}.
//
// ServiceNow has no delivery id, so the record's version is the event's: its
// sys_id and sys_mod_count. Every later update of an approved record is another
// version, and so a newer word on its items. The business rule must therefore
// run only when approval changes to approved ("Approval changes to Approved" as
// its condition): else a comment on an old ticket says its wish again, over a
// newer ticket's.
var serviceNow = form{
	prefix: "/servicenow/",
	fields: map[string]string{
		Ticket:   "number",
		ID:       "sys_id",
		Version:  "sys_mod_count",
		Time:     "sys_updated_on",
		Approval: "approval",
		Device:   "u_intune_device_id | variables.intune_device_id",
		Items:    "u_intune_app_id | variables.intune_app_id",
		Intent:   "u_assignment_action | variables.assignment_action",
		ItemType: "u_item_type | variables.item_type",
	},
	records:  serviceNowRecords,
	check:    checkServiceNow,
	time:     serviceNowTime,
	wantTime: "the time of the update in UTC, such as 2026-11-23 10:00:00; send the column's value, not its display value",
}

// serviceNowRecords takes the Table API's wrapper off.
func serviceNowRecords(doc any) ([]any, error) {
	m, ok := doc.(map[string]any)
	if !ok {
		return nil, invalid("", "the body is not a JSON object; want one member for each column")
	}
	switch result := m["result"].(type) {
	case map[string]any:
		return []any{result}, nil
	case []any:
		return result, nil
	}
	return []any{doc}, nil
}

// serviceNowTime reads the column's value: UTC without a zone.
func serviceNowTime(s string) (time.Time, bool) {
	t, err := time.Parse(time.DateTime, s)
	return t, err == nil && len(s) == len(time.DateTime)
}

// checkServiceNow refuses an identity that is none: it would make two events of
// one version, or one of two.
func checkServiceNow(r record) error {
	sys, err := r.text(ID)
	if err != nil {
		return err
	}
	if sys == "" || strings.Trim(sys, "0123456789abcdefABCDEF") != "" {
		return invalid(r.name(ID), "want the record's sys_id: hexadecimal digits")
	}
	count, err := r.text(Version)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseUint(count, 10, 63); count != "" && (err != nil || strconv.FormatUint(n, 10) != count) {
		return invalid(r.name(Version), "want the record's version: a whole number")
	}
	if when, err := r.text(Time); err != nil || when == "" {
		return invalid(r.name(Time), "want "+r.wantTime)
	}
	return nil
}
