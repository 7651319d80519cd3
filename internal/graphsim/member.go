package graphsim

import (
	"slices"
	"strings"
)

const unknownMembers = "include-unknown-enum-members"

// The members that every client knows. Newer ones exist, and are shown to those who ask.
var (
	knownTypes    = []string{"application", "deviceConfiguration", "deviceManagementConfigurationPolicy", "mobileAppConfiguration"}
	knownStatuses = []string{initiated, inProgress, removed, failed, succeeded}
)

func (x *exchange) wantsUnknown() bool {
	return strings.Contains(strings.ToLower(strings.Join(x.r.Header.Values("Prefer"), ",")), unknownMembers)
}

// versioned shows the results as this caller is shown them: v1.0 knows only the base type, and
// newer members are hidden unless the caller asks.
func (x *exchange) versioned(results []actionResult) any {
	if x.v1 {
		out := []map[string]any{}
		for _, a := range results {
			out = append(out, map[string]any{"actionName": a.ActionName, "actionState": a.ActionState,
				"startDateTime": a.Start, "lastUpdatedDateTime": a.Updated})
		}
		return out
	}
	if !x.wantsUnknown() {
		for _, a := range results {
			for i := range a.Items {
				hide(&a.Items[i].Type, knownTypes)
				hide(&a.Items[i].Status, knownStatuses)
			}
		}
	}
	return results
}

func hide(member *string, known []string) {
	if !slices.Contains(known, *member) {
		*member = "unknownFutureValue"
	}
}
