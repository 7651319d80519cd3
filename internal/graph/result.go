package graph

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// A Result is what Graph holds of a device's changeAssignments actions.
type Result struct {
	Shown     bool              // false: Graph lists no such result, which proves nothing
	Removed   []Item            // under removal, whatever its progress; by id, in lower case
	Restored  []Item            // on its way back, or back; likewise
	Failed    map[string]string // by item id, why its removal or restoring failed
	RequestID string
}

// actionResult is an element of managedDevice.deviceActionResults.
type actionResult struct {
	Type    string          `json:"@odata.type"`
	Name    string          `json:"actionName"`
	Started moment          `json:"startDateTime"`
	Items   json.RawMessage `json:"deviceAssignmentItems"`
}

// assignmentItem is a deviceAssignmentItem as it reads back.
type assignmentItem struct {
	ID      string `json:"itemId"`
	Type    string `json:"itemType"`
	Intent  string `json:"assignmentItemActionIntent"`
	Status  string `json:"assignmentItemActionStatus"`
	Message string `json:"intentActionMessage"`
	Code    any    `json:"errorCode"`
	Acted   moment `json:"lastActionDateTime"`
}

// A moment is a time that only orders. One that cannot be read is the oldest:
// it must not keep a device from being read.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(b []byte) error {
	if t, err := time.Parse(time.RFC3339, strings.Trim(string(b), `"`)); err == nil {
		m.Time = t
	}
	return nil
}

// decodeResult reads a managedDevice. What belongs to other actions may look
// as it likes; what belongs to ours has to be readable in whole.
func decodeResult(body []byte, clean func(string, int) string) (Result, error) {
	var device struct {
		Results json.RawMessage `json:"deviceActionResults"`
	}
	if err := json.Unmarshal(body, &device); err != nil {
		return Result{}, err
	}
	if !isArray(device.Results) {
		return Result{}, nil
	}
	var all []json.RawMessage
	if err := json.Unmarshal(device.Results, &all); err != nil {
		return Result{}, err
	}
	ours, err := pick(all)
	if err != nil || !isArray(ours.Items) {
		return Result{}, err // without items it is the base type, and proves nothing
	}
	var items []assignmentItem
	if err := json.Unmarshal(ours.Items, &items); err != nil {
		return Result{}, err
	}
	return sortOut(items, clean)
}

// pick finds the newest result of our action, by its type if any has it: the
// action's name is not documented.
func pick(all []json.RawMessage) (actionResult, error) {
	var best actionResult
	rank := 0
	for _, raw := range all {
		n := matches(raw)
		if n == 0 || n < rank {
			continue
		}
		var r actionResult
		if err := json.Unmarshal(raw, &r); err != nil {
			return actionResult{}, err
		}
		if n > rank || !r.Started.Before(best.Started.Time) {
			best, rank = r, n
		}
	}
	return best, nil
}

// matches is 2 for our result type, 1 for our action's name and 0 otherwise.
func matches(raw json.RawMessage) int {
	var r struct {
		Type string `json:"@odata.type"`
		Name string `json:"actionName"`
	}
	if json.Unmarshal(raw, &r) != nil {
		return 0
	}
	switch {
	case strings.HasSuffix(strings.ToLower(r.Type), "changeassignmentsactionresult"):
		return 2
	case strings.EqualFold(r.Name, "changeAssignments"):
		return 1
	}
	return 0
}

// sortOut divides items by intent. Of an item that is listed twice, the later
// action counts.
func sortOut(items []assignmentItem, clean func(string, int) string) (Result, error) {
	newest := make(map[string]assignmentItem, len(items))
	for _, i := range items {
		i.ID = strings.ToLower(i.ID)
		if i.ID == "" {
			return Result{}, errors.New("an item without an id")
		}
		if old, ok := newest[i.ID]; !ok || !i.Acted.Before(old.Acted.Time) {
			newest[i.ID] = i
		}
	}
	r := Result{Shown: true, Failed: map[string]string{}}
	for id, i := range newest {
		item := Item{ID: id, Type: cmp.Or(i.Type, "application")} // both defaults are documented
		switch strings.ToLower(cmp.Or(i.Intent, "remove")) {
		case "remove":
			r.Removed = append(r.Removed, item)
		case "restore":
			r.Restored = append(r.Restored, item)
		}
		if strings.EqualFold(i.Status, "error") {
			r.Failed[id] = i.reason(clean)
		}
	}
	slices.SortFunc(r.Removed, byID)
	slices.SortFunc(r.Restored, byID)
	return r, nil
}

func (i assignmentItem) reason(clean func(string, int) string) string {
	text := clean(i.Message, maxMessage)
	if code := clean(scalar(i.Code), maxWord); code != "" && code != "0" {
		return strings.TrimSpace(text + " (error " + code + ")")
	}
	return cmp.Or(text, "no reason given")
}

func byID(a, b Item) int { return cmp.Compare(a.ID, b.ID) }

// isArray tells a JSON array from the {} and null that Graph sends instead.
func isArray(raw json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) }
