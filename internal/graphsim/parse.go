package graphsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// itemTypes are deviceAssignmentItemType's members, without the one that only readers see.
var itemTypes = map[string]bool{
	"application": true, "deviceConfiguration": true,
	"deviceManagementConfigurationPolicy": true, "mobileAppConfiguration": true,
}

// readOnlyFields are deviceAssignmentItem's properties that only Intune writes.
var readOnlyFields = map[string]bool{
	"itemSubTypeDisplayName": true, "itemDisplayName": true, "assignmentItemActionStatus": true,
	"intentActionMessage": true, "errorCode": true, "lastActionDateTime": true, "lastModifiedDateTime": true,
}

func badSet(format string, args ...any) *refusal {
	return refused(http.StatusBadRequest, "BadRequest", format, args...)
}

// parsed is the body of the POST: a set, and what knobs may object to.
type parsed struct {
	items    []Item
	readOnly bool // there were properties in it that only Intune may write
	null     bool // the list was absent or null
	twice    bool // an item was listed twice; items has it once
}

// parseSet reads the body of the POST. Names are matched exactly, as OData does.
func parseSet(body []byte) (p parsed, bad *refusal) {
	if len(body) > maxBody {
		return p, refused(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request is too large.")
	}
	var top map[string]json.RawMessage
	if err := unmarshal(body, &top); err != nil || top == nil {
		return p, badSet("Unable to read JSON request payload.")
	}
	for name := range top {
		if name != "deviceAssignmentItems" {
			return p, badSet("The parameter '%s' in the request payload is not a valid parameter for the operation 'changeAssignments'.", clip(name))
		}
	}
	var list []map[string]json.RawMessage
	if raw := top["deviceAssignmentItems"]; len(raw) == 0 || string(raw) == "null" {
		return parsed{null: true}, nil
	} else if json.Unmarshal(raw, &list) != nil {
		return p, badSet("The parameter 'deviceAssignmentItems' must be a collection of items.")
	}
	return parseItems(list)
}

func parseItems(list []map[string]json.RawMessage) (p parsed, bad *refusal) {
	seen := make(map[string]bool, len(list))
	p.items = make([]Item, 0, len(list))
	for _, fields := range list {
		it, readOnly, bad := parseItem(fields)
		if bad != nil {
			return parsed{}, bad
		}
		p.readOnly = p.readOnly || readOnly
		if id := strings.ToLower(it.ID); seen[id] {
			p.twice = true
		} else {
			seen[id] = true
			p.items = append(p.items, it)
		}
	}
	return p, nil
}

func parseItem(fields map[string]json.RawMessage) (it Item, readOnly bool, bad *refusal) {
	for name, raw := range fields {
		var text string
		switch {
		case readOnlyFields[name]:
			readOnly = true
			continue
		case name != "itemId" && name != "itemType" && name != "assignmentItemActionIntent" && name != "@odata.type":
			return it, false, badSet("The property '%s' does not exist on type 'microsoft.graph.deviceAssignmentItem'.", clip(name))
		case unmarshal(raw, &text) != nil || bytes.Equal(raw, []byte("null")):
			return it, false, badSet("Cannot convert the value of property '%s' to the expected type 'Edm.String'.", name)
		}
		switch name {
		case "itemId":
			it.ID = text
		case "itemType":
			it.Type = text
		case "assignmentItemActionIntent":
			if text != "remove" {
				return it, false, badSet("Property assignmentItemActionIntent must be 'remove' in a request.")
			}
		case "@odata.type":
			if strings.TrimPrefix(text, "#") != "microsoft.graph.deviceAssignmentItem" {
				return it, false, badSet("A type named '%s' could not be resolved.", clip(text))
			}
		}
	}
	if n := utf8.RuneCountInString(it.ID); n < 1 || n > maxItemID {
		return it, false, badSet("Property itemId must have 1 to %d characters.", maxItemID)
	}
	if !itemTypes[it.Type] {
		return it, false, badSet("Requested value '%s' of property itemType was not found.", clip(it.Type))
	}
	return it, readOnly, nil
}

// unmarshal is json.Unmarshal that says no to nothing at all.
func unmarshal(data []byte, v any) error {
	if len(data) == 0 {
		return io.ErrUnexpectedEOF
	}
	return json.Unmarshal(data, v)
}
