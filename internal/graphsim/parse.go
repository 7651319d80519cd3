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

// parseSet reads the body of the POST. Names are matched exactly, as OData does. readOnly says
// that there were properties in it that only Intune may write.
func parseSet(body []byte) (items []Item, readOnly bool, bad *refusal) {
	if len(body) > maxBody {
		return nil, false, refused(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request is too large.")
	}
	var top map[string]json.RawMessage
	if err := unmarshal(body, &top); err != nil || top == nil {
		return nil, false, badSet("Unable to read JSON request payload.")
	}
	for name := range top {
		if name != "deviceAssignmentItems" {
			return nil, false, badSet("The parameter '%s' in the request payload is not a valid parameter for the operation 'changeAssignments'.", name)
		}
	}
	var list []map[string]json.RawMessage
	if err := unmarshal(top["deviceAssignmentItems"], &list); err != nil || list == nil {
		return nil, false, badSet("The parameter 'deviceAssignmentItems' must be a collection of items.")
	}
	seen := map[string]bool{}
	for _, fields := range list {
		it, ro, bad := parseItem(fields)
		if bad != nil {
			return nil, false, bad
		}
		if seen[strings.ToLower(it.ID)] {
			return nil, false, badSet("Item '%s' is listed twice.", it.ID)
		}
		seen[strings.ToLower(it.ID)] = true
		items, readOnly = append(items, it), readOnly || ro
	}
	return items, readOnly, nil
}

func parseItem(fields map[string]json.RawMessage) (it Item, readOnly bool, bad *refusal) {
	for name, raw := range fields {
		var text string
		switch {
		case readOnlyFields[name]:
			readOnly = true
			continue
		case name != "itemId" && name != "itemType" && name != "assignmentItemActionIntent" && name != "@odata.type":
			return it, false, badSet("The property '%s' does not exist on type 'microsoft.graph.deviceAssignmentItem'.", name)
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
				return it, false, badSet("A type named '%s' could not be resolved.", text)
			}
		}
	}
	if n := utf8.RuneCountInString(it.ID); n < 1 || n > maxItemID {
		return it, false, badSet("Property itemId must have 1 to %d characters.", maxItemID)
	}
	if !itemTypes[it.Type] {
		return it, false, badSet("Requested value '%s' of property itemType was not found.", it.Type)
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
