package graphsim

import (
	"net/http"
	"net/url"
	"strconv"
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
	d := s.find(key{x.call.Tenant, x.call.Device})
	if d == nil {
		return reply{}, refused(http.StatusNotFound, "ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", x.call.Device)
	}
	out, bad := selected(d.json(s.results(d, now)), x.r.URL.Query())
	if bad != nil {
		return reply{}, bad
	}
	out["@odata.context"] = x.root + "/beta/$metadata#deviceManagement/managedDevices/$entity"
	return jsonReply(http.StatusOK, out), nil
}

// results is what a read shows of the device's actions. Before the first one there is nothing.
func (s *Sim) results(d *device, now time.Time) []actionResult {
	v := d.shown(now, s.knobs.ShowLag, s.rules())
	if s.knobs.NeverShown || v.Start.IsZero() {
		return []actionResult{}
	}
	return []actionResult{v.json()}
}

func (v set) json() actionResult {
	out := actionResult{
		Type:       "#microsoft.graph.changeAssignmentsActionResult",
		ActionName: "changeAssignments", ActionState: "done", Start: stamp(v.Start), Items: []resultItem{},
	}
	updated := v.Start
	for _, e := range v.Entries {
		intent := "remove"
		if e.Restore {
			intent = "restore"
		}
		if e.Moved.After(updated) {
			updated = e.Moved
		}
		switch {
		case e.Status == inProgress:
			out.ActionState = "active"
		case e.Status == initiated && out.ActionState == "done":
			out.ActionState = "pending"
		}
		out.Items = append(out.Items, resultItem{
			ID: e.ID, Type: e.Type, SubType: e.Type, Name: e.ID, Intent: intent, Status: e.Status,
			Action: stamp(e.At), Modified: stamp(e.Moved),
		})
	}
	out.Updated = stamp(updated)
	return out
}

func (d *device) json(results []actionResult) map[string]any {
	system := d.Platform
	if system == "" {
		system = "iOS"
	}
	return map[string]any{
		"id": d.ID, "deviceName": d.Name, "operatingSystem": system, "osVersion": "", "manufacturer": "",
		"model": "", "serialNumber": "", "azureADDeviceId": "", "userId": "", "userPrincipalName": "",
		"managedDeviceOwnerType": "company", "managementState": "managed", "complianceState": "compliant",
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

// list answers GET managedDevices: every device, and of none what was done to it.
func (s *Sim) list(x *exchange) (reply, *refusal) {
	q := x.r.URL.Query()
	top, err := number(q, "$top", maxPage)
	skip, err2 := number(q, "$skip", 0)
	if err != nil || err2 != nil || top < 1 || skip < 0 || q.Has("$filter") || q.Has("$expand") {
		return reply{}, badSet("The query specified in the URI is not valid.")
	}
	values := []map[string]any{}
	ds := s.Devices(x.call.Tenant)
	skip = min(skip, len(ds))
	end := skip + min(top, maxPage, len(ds)-skip)
	for _, def := range ds[skip:end] {
		d := device{Device: def}
		v, bad := selected(d.json([]actionResult{}), q)
		if bad != nil {
			return reply{}, bad
		}
		values = append(values, v)
	}
	out := map[string]any{"@odata.context": x.root + "/beta/$metadata#deviceManagement/managedDevices", "value": values}
	if end < len(ds) {
		q.Set("$skip", strconv.Itoa(end))
		out["@odata.nextLink"] = x.root + x.r.URL.Path + "?" + q.Encode()
	}
	return jsonReply(http.StatusOK, out), nil
}

func number(q url.Values, name string, otherwise int) (int, error) {
	if !q.Has(name) {
		return otherwise, nil
	}
	return strconv.Atoi(q.Get(name))
}
