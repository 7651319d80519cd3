package source

import (
	"fmt"
	"maps"
	"slices"
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
// newer ticket's. What was approved and then closed or cancelled keeps its
// approval; such a record is ignored, if it says so.
var serviceNow = form{
	fields: map[string]string{
		Ticket:   "number",
		ID:       "sys_id",
		Version:  "sys_mod_count",
		Time:     "sys_updated_on",
		Approval: "approval",
		Device:   "u_intune_device_id | variables.intune_device_id",
		Items:    "u_intune_app_id | variables.intune_app_id",
		Intent:   "u_assignment_action | variables.assignment_action | variables.action",
		ItemType: "u_item_type | variables.item_type",
	},
	mark:     "-", // which a sys_id cannot hold
	records:  serviceNowRecords,
	approval: serviceNowApproval,
	check:    checkServiceNow,
	time:     serviceNowTime,
	wantTime: "the time of the update in UTC, such as 2026-11-23 10:00:00, or with its zone; send the column's value, not its display value",
}

// serviceNowRecords takes the Table API's wrapper off, and leaves it on: a path
// finds a column by its name alone, and as the body has it.
func serviceNowRecords(doc any) ([]any, error) {
	m, ok := doc.(map[string]any)
	if !ok {
		return nil, invalid("", "the body is not a JSON object; want one member for each column")
	}
	switch result := m["result"].(type) {
	case map[string]any:
		return []any{withResult(result)}, nil
	case []any:
		records := slices.Clone(result)
		for i, r := range records {
			records[i] = withResult(r)
		}
		return records, nil
	}
	if _, failed := m["error"].(map[string]any); failed && m["sys_id"] == nil {
		return nil, invalid("error", "is the Table API's answer to a request that failed; send the record")
	}
	return []any{doc}, nil
}

func withResult(result any) any {
	columns, ok := result.(map[string]any)
	if !ok || columns["result"] != nil {
		return result
	}
	both := maps.Clone(columns)
	both["result"] = result
	return both
}

// serviceNowTime reads the column's value, UTC without a zone, and what a script
// makes of it.
func serviceNowTime(s string) (time.Time, bool) {
	if t, err := time.Parse(time.DateTime, s); err == nil && len(s) == len(time.DateTime) {
		return t, true
	}
	return zonedTime(s)
}

// serviceNowApproval looks for the word, and then for what took it back.
func serviceNowApproval(r record) (why string, err error) {
	if err := r.judgeWord(); err != nil {
		return "", err
	}
	column := func(name string) string { return strings.ToLower(strings.TrimSpace(words(memberOf(r.doc, name)))) }
	if slices.Contains([]string{"false", "0"}, column("active")) {
		return "the record is approved, but no longer active: active is false", nil
	}
	byState := strings.HasSuffix(r.name(Approval), "state") // then a state approves
	if state := column("state"); !byState && hasStates(r.doc) && isOver(state) {
		return fmt.Sprintf("the record is approved, but over: state is %s", shown(state)), nil
	}
	return "", nil
}

// hasStates reports whether isOver knows the states of the record's table, if the
// record says which it is. In other tables the numbers mean something else.
func hasStates(doc any) bool {
	for _, name := range []string{"__table_name", "sys_class_name", "table"} {
		if table := words(memberOf(doc, name)); table != "" {
			return table == "change_request" || table == "sc_req_item"
		}
	}
	return true
}

// isOver knows the states of a change (3 closed, 4 cancelled) and of a requested
// item (3 closed complete, 4 closed incomplete, 7 closed skipped), and their labels.
func isOver(state string) bool {
	return slices.Contains([]string{"3", "4", "7"}, state) || strings.HasPrefix(state, "closed") || strings.HasPrefix(state, "cancel")
}

// checkServiceNow refuses an identity that is none: it would make two events of
// one version, or one of two.
func checkServiceNow(r record) error {
	sys, err := r.need(ID)
	if err != nil {
		return err
	}
	if strings.Trim(sys, "0123456789abcdefABCDEF") != "" {
		return invalid(r.name(ID), "want the record's sys_id: hexadecimal digits")
	}
	count, err := r.text(Version)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseUint(count, 10, 63); count != "" && (err != nil || strconv.FormatUint(n, 10) != count) {
		return invalid(r.name(Version), "want the record's version: a whole number")
	}
	_, err = r.need(Time)
	return err
}
