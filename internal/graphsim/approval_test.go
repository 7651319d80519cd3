package graphsim_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"changerelay/internal/graphsim"
)

var because = base64.StdEncoding.EncodeToString([]byte("ticket CHG0031337"))

const (
	whyHeader  = "x-msft-approval-justification"
	codeHeader = "x-msft-approval-code"
)

// Line 8: the whole sequence of multi admin approval, in the documented and in the seen form.
func TestApprovalSequence(t *testing.T) {
	for mode, filed := range map[string]string{"documented": "403 ApprovalRequired", "field": "412 PreconditionFailed"} {
		r := with(t, func(k *graphsim.Knobs) { k.Approval = mode })
		try := func(device, body string, headers ...string) (string, answer) {
			a := r.ask("POST", action(device), body, headers...)
			if a.status == 204 {
				return "204", a
			}
			code, _ := a.code(t)
			return line(a.status, code), a
		}
		step := func(what, expected, device, body string, headers ...string) answer {
			t.Helper()
			got, a := try(device, body, headers...)
			want(t, mode+": "+what, got, expected)
			return a
		}
		_, message := step("no justification", "400 BadRequest", phone, setOf(appA)).code(t)
		want(t, "names the header", strings.Contains(message, whyHeader), true)
		step("no base64", "400 BadRequest", phone, setOf(appA), whyHeader, "%%%")
		step("too long", "400 BadRequest", phone, setOf(appA), whyHeader, base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 1025))))
		a := step("filed", filed, phone, setOf(appA), whyHeader, because)
		code := a.header.Get(codeHeader)
		_, message = a.code(t)
		want(t, "code", line(len(code), strings.Contains(message, codeHeader+": "+code)), "36 true")
		step("repeat", "409 Conflict", phone, setOf(appB), whyHeader, because)
		step("not yet approved", "409 Conflict", phone, setOf(appA), codeHeader, code)
		want(t, "nothing done", r.held(phone), "")
		want(t, "read", strings.Contains(r.must("GET", "/beta/deviceManagement/operationApprovalRequests/"+code, "").body, "needsApproval"), true)
		if err := r.Decide(tenantID, code, true); err != nil {
			t.Fatal(err)
		}
		step("another body", "400 BadRequest", phone, setOf(appB), codeHeader, code)
		step("approved", "204", phone, setOf(appA), codeHeader, code)
		want(t, "done", r.held(phone), "a")
		step("used up", "400 BadRequest", phone, setOf(appA), codeHeader, code)
		want(t, "decided twice", r.Decide(tenantID, code, true) != nil, true)
		list := r.Approvals(tenantID)
		want(t, "list", line(len(list), list[0].Status, list[0].Justification), "1 completed ticket CHG0031337")
	}
}

func TestApprovalEnds(t *testing.T) {
	r := with(t, func(k *graphsim.Knobs) { k.Approval, k.TokenLife = "documented", 200*time.Hour })
	r.token = r.login(clientID, "s3cret")
	code := func() string {
		return r.ask("POST", action(phone), setOf(appA), whyHeader, because).header.Get(codeHeader)
	}
	redeem := func(code string) int { return r.ask("POST", action(phone), setOf(appA), codeHeader, code).status }
	rejected := code()
	if err := r.Decide(tenantID, rejected, false); err != nil {
		t.Fatal(err)
	}
	want(t, "rejected", redeem(rejected), 403)
	late := code()
	if err := r.Decide(tenantID, late, true); err != nil {
		t.Fatal(err)
	}
	r.Advance(3 * 24 * time.Hour)
	want(t, "expired after three days", line(redeem(late), r.Approvals(tenantID)[1].Status), "400 expired")
	want(t, "a new one may be filed", code() != "", true)
	want(t, "unknown", redeem("no such code"), 400)

	r.AddApp(tenantID, graphsim.App{ClientID: "excluded", ClientSecret: "x", NoApproval: true})
	r.token = r.login("excluded", "x")
	r.post(phone, appB)
	r.turn(func(k *graphsim.Knobs) { k.JustificationStatus = 403 })
	r.token = r.login(clientID, "s3cret")
	want(t, "as the docs also said", r.ask("POST", action(phone), setOf(appA)).status, 403)
	want(t, "list", r.must("GET", "/beta/deviceManagement/operationApprovalRequests", "").status, 200)
	want(t, "unknown", r.must("GET", "/beta/deviceManagement/operationApprovalRequests/x", "").status, 404)
}
