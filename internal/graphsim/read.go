package graphsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// actionResult and resultItem are the JSON of a read, spelled out from the contract: a client that
// has a tag wrong must fail against it.
type actionResult struct {
	Type        string       `json:"@odata.type"`
	ActionName  string       `json:"actionName"`
	ActionState string       `json:"actionState"`
	Start       string       `json:"startDateTime"`
	Updated     string       `json:"lastUpdatedDateTime"`
	Items       []resultItem `json:"deviceAssignmentItems"`
}

type resultItem struct {
	ID       string  `json:"itemId"`
	Type     string  `json:"itemType"`
	SubType  string  `json:"itemSubTypeDisplayName"`
	Name     string  `json:"itemDisplayName"`
	Intent   string  `json:"assignmentItemActionIntent"`
	Status   string  `json:"assignmentItemActionStatus"`
	Message  *string `json:"intentActionMessage"`
	Error    int64   `json:"errorCode"`
	Action   string  `json:"lastActionDateTime"`
	Modified string  `json:"lastModifiedDateTime"`
}

// get answers GET managedDevices/{id}.
func (s *Sim) get(x *exchange) (reply, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	if x.lost != nil {
		return reply{}, x.lost
	}
	d := s.find(key{x.call.Tenant, x.call.Device})
	if d == nil {
		return reply{}, s.knobs.gone(x.call.Device) // a fault's hook may have deleted it
	}
	out, bad := selected(d.json(x.versioned(s.results(d, now))), x.r.URL.Query())
	if bad != nil {
		return reply{}, bad
	}
	out["@odata.context"] = x.root + "/" + x.path[0] + "/$metadata#deviceManagement/managedDevices/$entity"
	a := jsonReply(http.StatusOK, out)
	if x.wantsUnknown() {
		a.header.Set("Preference-Applied", unknownMembers)
	}
	return a, nil
}

// results is what a read shows of the device's actions. Before the first one there is nothing.
func (s *Sim) results(d *device, now time.Time) []actionResult {
	v := d.shown(now, s.knobs.ShowLag, s.rules())
	if s.knobs.NeverShown || v.Start.IsZero() {
		return []actionResult{}
	}
	a := v.later(s.knobs.ClockSkew).json()
	if s.knobs.ActionName != "" {
		a.ActionName = s.knobs.ActionName
	}
	return []actionResult{a}
}

// later is the set with every time moved, as a clock shows it that is off.
func (v set) later(by time.Duration) set {
	v.Start, v.Entries = v.Start.Add(by), slices.Clone(v.Entries)
	for i := range v.Entries {
		v.Entries[i].At, v.Entries[i].Moved = v.Entries[i].At.Add(by), v.Entries[i].Moved.Add(by)
	}
	return v
}

const failedState = "failed" // actionState: all is done, and some of it is in error

func (v set) json() actionResult {
	out := actionResult{
		Type:       "#microsoft.graph.changeAssignmentsActionResult",
		ActionName: "changeAssignments", ActionState: "done", Start: stamp(v.Start), Items: []resultItem{},
	}
	updated := v.Start
	for _, e := range v.Entries {
		if e.Moved.After(updated) {
			updated = e.Moved
		}
		switch {
		case e.Status == inProgress:
			out.ActionState = "active"
		case e.Status == initiated && (out.ActionState == "done" || out.ActionState == failedState):
			out.ActionState = "pending"
		case e.Status == failed && out.ActionState == "done":
			out.ActionState = failedState
		}
		it := resultItem{
			ID: e.ID, Type: e.Type, SubType: e.Type, Name: e.ID, Intent: e.intent(), Status: e.Status,
			Error: e.Code, Action: stamp(e.At), Modified: stamp(e.Moved),
		}
		if e.Message != "" {
			it.Message = &e.Message
		}
		out.Items = append(out.Items, it)
	}
	out.Updated = stamp(updated)
	return out
}

func (d *device) json(results any) map[string]any {
	system := d.Platform
	if system == "" {
		system = "iOS"
	}
	owner := d.Ownership
	if owner == "" {
		owner = "company"
	}
	return map[string]any{
		"id": d.ID, "deviceName": d.Name, "operatingSystem": system, "osVersion": "", "manufacturer": "",
		"model": "", "serialNumber": d.Serial, "azureADDeviceId": "", "userId": d.UserID, "userPrincipalName": "",
		"managedDeviceOwnerType": owner, "managementState": "managed", "complianceState": "compliant",
		"deviceActionResults": results,
	}
}

// selected honours $select. The id comes along, as it does from Graph.
func selected(all map[string]any, q url.Values) (map[string]any, *refusal) {
	if !q.Has("$select") {
		return all, nil
	}
	out := map[string]any{"id": all["id"]}
	for _, name := range strings.Split(q.Get("$select"), ",") {
		name = strings.TrimSpace(name)
		v, ok := all[name]
		if !ok {
			return nil, badSet("Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.managedDevice'.", name)
		}
		out[name] = v
	}
	return out, nil
}
