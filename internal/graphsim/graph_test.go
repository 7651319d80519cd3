package graphsim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"changerelay/internal/graphsim"
)

func TestReplaceSetOverTheWire(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	want(t, "before", r.listed(phone), "nothing")
	r.post(phone, appA, appB)
	want(t, "posted", r.listed(phone), "a:remove/initiated b:remove/initiated")
	r.Advance(time.Minute)
	r.post(phone, appB, appC)
	want(t, "replaced", r.listed(phone), "a:restore/initiated b:remove/removed c:remove/initiated")
	want(t, "held", r.held(phone), "b c")
	r.post(phone, appB, appC)
	want(t, "again", r.listed(phone), "a:restore/initiated b:remove/removed c:remove/initiated")
	r.Advance(8 * time.Hour)
	want(t, "auto-restored", r.held(phone), "")
	r.token = r.login(clientID, "s3cret")
	r.post(phone)
	want(t, "applied", r.last().Order, 4)
	r.post(offline, appA)
	r.Advance(time.Hour - time.Second)
	want(t, "offline", r.listed(offline), "a:remove/initiated")
	r.SetOffline(tenantID, offline, false)
	r.Advance(time.Minute)
	r.token = r.login(clientID, "s3cret")
	want(t, "online", r.listed(offline), "a:remove/removed")
}

func TestPortal(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.post(phone, appA)
	r.PortalRemove(tenantID, phone, graphsim.Item{ID: appB, Type: "application"}, graphsim.Item{ID: appA, Type: "application"})
	want(t, "added", r.held(phone), "a b")
	r.PortalRestore(tenantID, phone, strings.ToUpper(appA))
	want(t, "restored one", r.held(phone), "b")
	c := r.last()
	want(t, "journal", line(c.Op, c.Applied, c.Order, len(c.Items)), "portal true 3 1")
	r.PortalRestore(tenantID, phone)
	want(t, "restored all", r.held(phone), "")
	r.PortalRemove("nobody", phone, graphsim.Item{ID: appB})
}

func TestSpellings(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	for path, status := range map[string]int{
		action(phone):                  204,
		action(strings.ToUpper(phone)): 204,
		"/beta/deviceManagement/managedDevices('" + phone + "')/changeAssignments":                     204,
		"/beta/deviceManagement/managedDevices/" + phone + "/microsoft.graph.changeAssignments":        204,
		"/beta/deviceManagement/managedDevices('" + phone + "')/microsoft.graph.changeAssignments":     204,
		"/v1.0/deviceManagement/managedDevices/" + phone + "/changeAssignments":                        400,
		"/beta/deviceManagement/comanagedDevices/" + phone + "/changeAssignments":                      400,
		"/beta/deviceManagement/managedDevices/55555555-5555-4555-8555-555555555555/changeAssignments": 404,
		"/beta/deviceManagement/managedDevices/" + phone + "/wipe":                                     400,
		"/beta/deviceManagement/managedDevices/" + phone:                                               405,
		"/": 400,
	} {
		a := r.must("POST", path, setOf(appA))
		want(t, path, a.status, status)
		if status != 204 {
			a.code(t)
		}
	}
	if _, message := r.must("POST", "/v1.0/deviceManagement/managedDevices/"+phone+"/changeAssignments", "").code(t); message != "Resource not found for the segment 'changeAssignments'." {
		t.Error(message)
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.AddTenant(graphsim.Tenant{ID: tenantID, ClientID: clientID, ClientSecret: "s3cret"},
		graphsim.Device{ID: "laptop", Platform: "Windows"}, graphsim.Device{ID: "strict", Assigned: []string{appA}})
	var many []string
	for i := range 31 {
		many = append(many, fmt.Sprint("item-", i))
	}
	r.DeleteItem(tenantID, strings.ToUpper(appC))
	want(t, "cap", r.must("POST", action(phone), setOf(many...)).status, 400)
	want(t, "platform", r.must("POST", action("laptop"), setOf(appA)).status, 400)
	want(t, "assigned", r.must("POST", action("strict"), setOf(appA)).status, 204)
	want(t, "not assigned", r.must("POST", action("strict"), setOf(appB)).status, 400)
	_, message := r.must("POST", action(phone), setOf(appA, appC)).code(t)
	if !strings.Contains(message, `"_version":3`) || !strings.Contains(message, "An error has occurred") {
		t.Errorf("deleted item: %s", message)
	}
	r.DeleteDevice(tenantID, phone)
	want(t, "deleted", r.must("POST", action(phone), setOf(appA)).status, 404)
	want(t, "deleted", r.must("GET", "/beta/deviceManagement/managedDevices/"+phone, "").status, 404)

	req, _ := http.NewRequest("POST", r.URL()+action("strict"), strings.NewReader(setOf(appA)))
	req.Header.Set("Authorization", "Bearer "+r.token)
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	want(t, "media type", resp.StatusCode, 415)
}

func TestKnobs(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	k := graphsim.DefaultKnobs()
	k.EmptyRestoresAll, k.RefuseReadOnlyFields, k.ShowLag = false, true, 5*time.Second
	r.Set(k)
	want(t, "empty", r.must("POST", action(phone), setOf()).status, 400)
	want(t, "read-only", r.must("POST", action(phone), `{"deviceAssignmentItems":[{"itemId":"a","itemType":"application","errorCode":0}]}`).status, 400)
	r.post(phone, appA)
	r.Advance(4 * time.Second)
	want(t, "lag", r.listed(phone), "nothing")
	r.post(phone, appB)
	want(t, "held", r.held(phone), "b")
	r.Advance(time.Second)
	want(t, "lag over", r.listed(phone), "a:remove/initiated")
	r.Advance(4 * time.Second)
	want(t, "lag over", r.listed(phone), "a:restore/initiated b:remove/initiated")
	k.NeverShown = true
	r.Set(k)
	want(t, "never", r.listed(phone), "nothing")
}

func TestReadShape(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.post(phone, appA, appB)
	r.Advance(90*time.Second + 1234567*time.Nanosecond)
	r.post(phone, appA)
	a := r.must("GET", "/beta/deviceManagement/managedDevices/"+phone+"?$select=deviceActionResults", "")
	golden := `{"@odata.context":"` + r.URL() + `/beta/$metadata#deviceManagement/managedDevices/$entity","deviceActionResults":[` +
		`{"@odata.type":"#microsoft.graph.changeAssignmentsActionResult","actionName":"changeAssignments","actionState":"pending",` +
		`"startDateTime":"2026-11-23T12:01:30.0012345Z","lastUpdatedDateTime":"2026-11-23T12:01:30.0012345Z","deviceAssignmentItems":[` +
		`{"itemId":"` + appA + `","itemType":"application","itemSubTypeDisplayName":"application","itemDisplayName":"` + appA + `",` +
		`"assignmentItemActionIntent":"remove","assignmentItemActionStatus":"removed","intentActionMessage":null,"errorCode":0,` +
		`"lastActionDateTime":"2026-11-23T12:00:00Z","lastModifiedDateTime":"2026-11-23T12:01:00Z"},` +
		`{"itemId":"` + appB + `","itemType":"application","itemSubTypeDisplayName":"application","itemDisplayName":"` + appB + `",` +
		`"assignmentItemActionIntent":"restore","assignmentItemActionStatus":"initiated","intentActionMessage":null,"errorCode":0,` +
		`"lastActionDateTime":"2026-11-23T12:01:30.0012345Z","lastModifiedDateTime":"2026-11-23T12:01:30.0012345Z"}]}],"id":"` + phone + `"}`
	want(t, "body", a.body, golden)
	for _, h := range []string{"request-id", "client-request-id", "x-ms-ags-diagnostic", "Strict-Transport-Security"} {
		if a.header.Get(h) == "" {
			t.Errorf("no %s", h)
		}
	}
	want(t, "Date", a.header.Get("Date"), "Mon, 23 Nov 2026 12:01:30 GMT")
	want(t, "unknown $select", r.must("GET", "/beta/deviceManagement/managedDevices/"+phone+"?$select=nope", "").status, 400)
}

func TestListShowsNoActions(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.post(phone, appA)
	path, names := "/beta/deviceManagement/managedDevices?$top=1&$select=deviceName,deviceActionResults", ""
	for path != "" {
		a := r.must("GET", path, "")
		var out struct {
			Value []struct {
				DeviceName          string
				DeviceActionResults []any
			}
			Next string `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal([]byte(a.body), &out); err != nil || len(out.Value) != 1 {
			t.Fatal(err, a.body)
		}
		want(t, "results", len(out.Value[0].DeviceActionResults), 0)
		names += out.Value[0].DeviceName + " "
		path = strings.TrimPrefix(out.Next, r.URL())
	}
	want(t, "names", names, "phone drawer ")
	for _, q := range []string{"$top=x", "$skip=-1", "$filter=a", "$skip=9223372036854775808"} {
		want(t, q, r.must("GET", "/beta/deviceManagement/managedDevices?"+q, "").status, 400)
	}
	want(t, "far", r.must("GET", "/beta/deviceManagement/managedDevices?$skip=9223372036854775807", "").status, 200)
}

func TestThrottle(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	k := graphsim.DefaultKnobs()
	k.PostLimitApp, k.AnyLimitApp = 2, 5
	for _, c := range []struct{ style, after string }{
		{"seconds", "20"}, {"date", "Mon, 23 Nov 2026 12:00:21 GMT"}, {"absent", ""}, {"huge", "100000"},
	} {
		r := newRig(t, graphsim.Options{})
		k.RetryAfter = c.style
		r.Set(k)
		r.post(phone, appA)
		r.post(phone, appA)
		a := r.must("POST", action(phone), setOf(appB))
		want(t, "status", a.status, 429)
		want(t, c.style, a.header.Get("Retry-After"), c.after)
		code, _ := a.code(t)
		want(t, "code", code, "TooManyRequests")
		want(t, "not applied", r.held(phone), "a")
	}
	r.Set(k)
	r.post(phone, appA)
	r.Advance(19 * time.Second)
	r.post(phone, appB)
	r.Advance(time.Second)
	r.post(phone, appA) // the first has left the window
	want(t, "sliding", r.must("POST", action(phone), setOf(appC)).status, 429)
	for range 2 {
		r.listed(phone)
	}
	want(t, "any", r.must("GET", "/beta/deviceManagement/managedDevices/"+phone, "").status, 429)
	r.Advance(20 * time.Second)
	r.post(phone, appC)
}
