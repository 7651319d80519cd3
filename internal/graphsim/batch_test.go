package graphsim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"changerelay/internal/graphsim"
)

type part struct {
	ID      string
	Status  int
	Headers map[string]string
	Body    json.RawMessage
}

// batch posts the parts, and returns the answers by id and their order.
func (r *rig) batch(parts ...string) (map[string]part, string) {
	r.t.Helper()
	a := r.must("POST", "/beta/$batch", `{"requests":[`+strings.Join(parts, ",")+`]}`)
	var out struct{ Responses []part }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 {
		r.t.Fatalf("%v: %+v", err, a)
	}
	got, order := map[string]part{}, ""
	for _, p := range out.Responses {
		got[p.ID] = p
		order += p.ID
	}
	return got, order
}

func get(id, device, more string) string {
	return fmt.Sprintf(`{"id":%q,"method":"GET","url":"/deviceManagement/managedDevices/%s?$select=id"%s}`, id, device, more)
}

func set(id, device, more string, items ...string) string {
	return fmt.Sprintf(`{"id":%q,"method":"POST","url":"/deviceManagement/managedDevices/%s/changeAssignments","headers":{"content-type":"application/json"},"body":%s%s}`,
		id, device, setOf(items...), more)
}

// Line 9: parts are answered each for itself, in any order; what depends on a failure is not tried.
func TestBatch(t *testing.T) {
	const nobody = "55555555-5555-4555-8555-555555555555"
	r := newRig(t, graphsim.Options{})
	got, _ := r.batch(set("1", phone, "", appA), get("2", nobody, ""), set("3", phone, `,"dependsOn":["2"]`, appB),
		get("4", phone, `,"dependsOn":["1"]`), set("5", phone, `,"dependsOn":["3"]`, appC))
	var statuses []int
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		statuses = append(statuses, got[id].Status)
	}
	want(t, "statuses", line(statuses), "[204 404 424 200 424]")
	want(t, "no body", string(got["1"].Body), "null")
	want(t, "body", strings.Contains(string(got["4"].Body), phone), true)
	want(t, "request id", got["1"].Headers["Request-Id"] != got["4"].Headers["Request-Id"], true)
	want(t, "effect", r.held(phone), "a")
	j := r.Journal()
	c := j[len(j)-3]
	want(t, "journal", line(len(j), j[1].Op, c.Op, c.Batch, c.Applied), "5 batch post 2 true")
}

// Line 9: the order is any, and the same for a seed.
func TestBatchOrder(t *testing.T) {
	order := func(seed uint64) string {
		r := newRig(t, graphsim.Options{Seed: seed})
		var parts []string
		for i := range 20 {
			parts = append(parts, get(string(rune('a'+i)), phone, ""))
		}
		_, got := r.batch(parts...)
		return got
	}
	want(t, "same seed", order(7), order(7))
	want(t, "not as asked", order(7) == "abcdefghijklmnopqrst", false)
	want(t, "other seed", order(7) == order(8), false)
}

// Line 9: each part is throttled for itself inside of a 200, and its headers say how long.
func TestBatchThrottle(t *testing.T) {
	r := with(t, func(k *graphsim.Knobs) { k.PostLimitApp = 2 })
	got, _ := r.batch(set("1", phone, "", appA), set("2", offline, "", appA), set("3", phone, "", appB), get("4", phone, ""))
	want(t, "statuses", line(got["1"].Status, got["2"].Status, got["3"].Status, got["4"].Status), "204 204 429 200")
	want(t, "delay", got["3"].Headers["Retry-After"], "20")
	want(t, "effect", r.held(phone), "a")
}

func TestBatchRefusals(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	var many []string
	for i := range 21 {
		many = append(many, get(fmt.Sprint(i), phone, ""))
	}
	for name, parts := range map[string][]string{
		"21 parts":        many,
		"an id twice":     {get("1", phone, ""), get("1", phone, "")},
		"no id":           {get("", phone, "")},
		"no method":       {`{"id":"1","url":"/x"}`},
		"absolute url":    {`{"id":"1","method":"GET","url":"https://graph.microsoft.com/beta/x"}`},
		"a batch in it":   {`{"id":"1","method":"POST","url":"/$batch"}`},
		"body, no type":   {`{"id":"1","method":"POST","url":"/x","body":{}}`},
		"unknown depends": {get("1", phone, `,"dependsOn":["9"]`)},
		"a circle":        {get("1", phone, `,"dependsOn":["2"]`), get("2", phone, `,"dependsOn":["1"]`)},
		"nothing":         nil,
	} {
		a := r.must("POST", "/beta/$batch", `{"requests":[`+strings.Join(parts, ",")+`]}`)
		want(t, name, a.status, 400)
	}
	want(t, "no JSON", r.must("POST", "/beta/$batch", `{`).status, 400)
	want(t, "GET", r.must("GET", "/beta/$batch", ``).status, 405)
	got, _ := r.batch(`{"id":"1","method":"GET","url":"/nothing/here"}`)
	want(t, "no such path", got["1"].Status, 400)
	r.token = "wrong"
	want(t, "no token", r.must("POST", "/beta/$batch", `{"requests":[`+get("1", phone, "")+`]}`).status, 401)
}

func TestBatchFaults(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.Fail(graphsim.Fault{Op: "post", Device: phone, Form: "html", Status: 502})
	got, _ := r.batch(set("1", phone, "", appA), set("2", offline, "", appA))
	var page []byte
	if err := json.Unmarshal(got["1"].Body, &page); err != nil || !strings.HasPrefix(string(page), "<html>") {
		t.Errorf("%v: %s", err, got["1"].Body)
	}
	want(t, "statuses", line(got["1"].Status, got["2"].Status), "502 204")
	r.Fail(graphsim.Fault{Op: "post", Device: phone, Reset: true, Point: graphsim.AfterApply})
	if _, err := r.do(t.Context(), "POST", "/beta/$batch", `{"requests":[`+set("1", phone, "", appB)+`]}`); err == nil {
		t.Error("a part's lost connection was answered")
	}
	want(t, "applied", r.held(phone), "b")
}
