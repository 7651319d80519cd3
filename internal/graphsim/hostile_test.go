package graphsim_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"changerelay/internal/graphsim"
)

// Line 8: newer members are hidden unless the caller asks.
func TestUnknownMembers(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.PortalRemove(tenantID, phone, graphsim.Item{ID: appA, Type: "deviceCompliancePolicy"})
	r.SetFate(tenantID, phone, appA, graphsim.Fate{Status: "pendingRestart"})
	r.Advance(time.Minute)
	a := r.ask("GET", managed(phone), "")
	want(t, "hidden", line(strings.Count(a.body, "unknownFutureValue"), strings.Contains(a.body, "pendingRestart")), "2 false")
	a = r.ask("GET", managed(phone), "", "Prefer", "return=minimal, include-unknown-enum-members")
	want(t, "shown", line(strings.Contains(a.body, "unknownFutureValue"), strings.Contains(a.body, "pendingRestart"),
		strings.Contains(a.body, "deviceCompliancePolicy"), a.header.Get("Preference-Applied")), "false true true include-unknown-enum-members")
}

// Line 5: the list finds devices by serial number, and the name of the action is a knob.
func TestLookUp(t *testing.T) {
	r := routed(t, func(k *graphsim.Knobs) { k.ActionName = "ChangeAssignments" })
	a := r.must("GET", "/beta/deviceManagement/managedDevices?$filter=serialNumber%20eq%20'SER''1'&$select=id", "")
	want(t, "found", line(strings.Count(a.body, `"id"`), strings.Contains(a.body, phone)), "1 true")
	r.post(phone, appA)
	want(t, "name", strings.Contains(r.must("GET", managed(phone), "").body, `"actionName":"ChangeAssignments"`), true)
}

// Line 6: the headers of every answer.
func TestHeaders(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	a := r.ask("POST", action(phone), setOf(appA), "client-request-id", "mine")
	want(t, "echo", line(a.status, a.body, a.header.Get("client-request-id")), "204  mine")
	a = r.ask("POST", action(phone), setOf(appA))
	want(t, "equal", a.header.Get("client-request-id"), a.header.Get("request-id"))
	for _, name := range []string{"Date", "x-ms-ags-diagnostic", "Strict-Transport-Security", "request-id"} {
		want(t, name, a.header.Get(name) != "", true)
	}
	want(t, "no type of nothing", a.header.Get("Location"), "")
}

// Line 7: windows per app and per tenant, throttled calls that count, forms of a 429.
func TestThrottleWindows(t *testing.T) {
	r := with(t, func(k *graphsim.Knobs) { k.PostLimitApp, k.PostLimitTenant = 2, 3 })
	r.AddApp(tenantID, graphsim.App{ClientID: "second", ClientSecret: "x"})
	first, second := r.token, r.login("second", "x")
	post := func(token string) int {
		r.token = token
		return r.must("POST", action(phone), setOf(appA)).status
	}
	want(t, "app's own", line(post(first), post(first), post(first)), "204 204 429")
	want(t, "tenant's: the throttled one counts", post(second), 429)
	r.Advance(20 * time.Second)
	want(t, "over", line(post(second), post(second), post(first), post(first)), "204 204 204 429")
}

func TestThrottledButApplied(t *testing.T) {
	r := with(t, func(k *graphsim.Knobs) { k.PostLimitApp, k.ThrottledApplies = 1, true })
	r.post(phone, appA)
	want(t, "status", r.must("POST", action(phone), setOf(appB)).status, 429)
	want(t, "effect", line(r.held(phone), r.last().Applied), "b true")
}

func TestThrottleBodies(t *testing.T) {
	for form, expected := range map[string]string{"": "true false", "documented": "true false", "short": "false false", "nested": "true true"} {
		r := with(t, func(k *graphsim.Knobs) { k.PostLimitApp, k.ThrottleBody = 1, form })
		r.post(phone, appA)
		a := r.must("POST", action(phone), setOf(appA))
		code, message := a.code(t)
		want(t, form, line(code, strings.Contains(a.body, `"status":"429"`), strings.HasPrefix(message, `{"_version":3`)), "TooManyRequests "+expected)
	}
}

// Line 8: every status before and after the effect, in Graph's JSON, Intune's and a gateway's HTML.
func TestFaultForms(t *testing.T) {
	for _, status := range []int{429, 500, 502, 503, 504, 509} {
		for _, p := range []graphsim.Point{graphsim.BeforeApply, graphsim.AfterApply} {
			for form, sign := range map[string]string{"": `"innerError"`, "nested": `_version`, "html": "<html>", "empty": "", "truncated": `{"err`} {
				r := newRig(t, graphsim.Options{})
				if form == "truncated" && p == graphsim.AfterApply {
					sign = "" // half of nothing
				}
				r.Fail(graphsim.Fault{Op: "post", Status: status, Form: form, Point: p})
				a := r.must("POST", action(phone), setOf(appA))
				want(t, form, line(a.status, strings.Contains(a.body, sign), json.Valid([]byte(a.body))),
					line(status, true, sign == `"innerError"` || sign == "_version"))
				want(t, "applied", r.held(phone) == "a", p == graphsim.AfterApply)
			}
		}
	}
}

func TestCutAnswer(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.Fail(graphsim.Fault{Op: "get", Form: "cut", Point: graphsim.AfterApply})
	a, err := r.do(context.Background(), "GET", managed(phone), "")
	want(t, "cut", line(a.status, err != nil, json.Valid([]byte(a.body))), "200 true false")
}

// Line 8: Intune's refusal inside of a 401 that no new token mends.
func TestWrappedForbidden(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.Fail(graphsim.Fault{Op: "post", Form: "wrapped"})
	a := r.must("POST", action(phone), setOf(appA))
	code, message := a.code(t)
	var inner struct{ ErrorCode, Message string }
	if err := json.Unmarshal([]byte(message), &inner); err != nil || !strings.HasPrefix(inner.Message, `{"_version":3`) {
		t.Errorf("%v in %s", err, message)
	}
	want(t, "wrapped", line(a.status, code, inner.ErrorCode), "401 UnknownError Forbidden")
}

// Line 8: both spellings of innerError, and one in the other.
func TestInnerErrorSpellings(t *testing.T) {
	for form, path := range map[string]string{"": "innerError", "innererror": "innererror", "nested": "innerError innererror"} {
		r := with(t, func(k *graphsim.Knobs) { k.InnerError = form })
		var out struct{ Error map[string]any }
		a := r.must("GET", managed("x"), "")
		if err := json.Unmarshal([]byte(a.body), &out); err != nil {
			t.Fatal(err)
		}
		at := out.Error
		for _, name := range strings.Fields(path) {
			at, _ = at[name].(map[string]any)
		}
		want(t, form, at["request-id"], any(a.header.Get("request-id")))
	}
}

// Line 8: faults by app, by the clock and by chance.
func TestFaultsInTime(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	get := func() int { return r.must("GET", managed(phone), "").status }
	r.Fail(graphsim.Fault{Op: "get", Status: 503, After: time.Minute, For: time.Minute, Times: -1})
	want(t, "before", get(), 200)
	r.Advance(time.Minute)
	want(t, "during", line(get(), get(), len(r.Faults()), r.Faults()[0].Struck), "503 503 1 2")
	r.Advance(time.Minute)
	want(t, "over", line(get(), len(r.Faults())), "200 0")
	r.Fail(graphsim.Fault{App: "other", Status: 500})
	want(t, "another app's", get(), 200)
	r.Fail(graphsim.Fault{Op: "get", Status: 500, Chance: 0.5, Times: -1})
	struck := 0
	for range 100 {
		struck += get() / 500
	}
	if struck < 25 || struck > 75 {
		t.Errorf("half a chance struck %d of 100", struck)
	}
	id := r.Faults()[1].ID
	want(t, "clear", line(r.Clear(id), r.Clear(id), get()), "true false 200")
}

func TestReset(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	first := r.Journal()[0].RequestID
	r.post(phone, appA)
	r.Fail(graphsim.Fault{Status: 500})
	r.Advance(time.Hour)
	r.Reset()
	want(t, "as new", line(len(r.Journal()), len(r.Tenants()), len(r.Faults()), r.Now().Equal(noon)), "0 0 0 true")
	want(t, "old token", r.must("GET", managed(phone), "").status, 401)
	r.AddTenant(graphsim.Tenant{ID: tenantID, ClientID: clientID, ClientSecret: "s3cret"}, graphsim.Device{ID: phone})
	r.token = r.login(clientID, "s3cret")
	r.post(phone, appB)
	want(t, "held", r.held(phone), "b")
	want(t, "same seed, same ids", newRig(t, graphsim.Options{}).Journal()[0].RequestID, first)
}

func TestKnobsCheck(t *testing.T) {
	if err := graphsim.DefaultKnobs().Check(); err != nil {
		t.Error(err)
	}
	bad := graphsim.Knobs{RetryAfter: "soon", JustificationStatus: 500, ItemCap: -1, ShowLag: -time.Second, ClockSkew: 25 * time.Hour}
	err := bad.Check()
	for _, name := range []string{"RetryAfter must be one of: seconds, date", "JustificationStatus", "ItemCap", "ShowLag must not", "ClockSkew must be"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("no word about %s in %v", name, err)
		}
	}
}
