package graphsim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"changerelay/internal/graphsim"
)

// Line 1: Graph's clock jumps. Tokens live by it and answers speak of it; what is due and the
// journal do not.
func TestClockSkew(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	jump := func(d time.Duration) {
		r.turn(func(k *graphsim.Knobs) { k.ClockSkew, k.RetryAfter, k.PostLimitApp = d, "date", 2 })
	}
	said := func(a answer) time.Duration {
		at, err := http.ParseTime(a.header.Get("Date"))
		if err != nil {
			t.Fatal(err)
		}
		return at.Sub(noon)
	}
	read := func() answer { return r.must("GET", managed(phone)+"?$select=deviceActionResults", "") }
	r.post(phone, appA)

	jump(59 * time.Minute)
	a := read()
	want(t, "still good", a.status, 200)
	want(t, "the answer's date", said(a), 59*time.Minute)
	want(t, "results are shown so", strings.Contains(a.body, `"startDateTime":"2026-11-23T12:59:00Z"`), true)
	want(t, "the journal's time", r.last().At, noon)
	want(t, "the simulator's time", r.Now(), noon)

	jump(61 * time.Minute)
	want(t, "a token whose life is over", read().status, 401)
	r.token = r.login(clientID, "s3cret")
	want(t, "a new one", read().status, 200)

	jump(-10 * time.Minute)
	a = read()
	want(t, "a token from the future", a.status, 200)
	want(t, "its date", said(a), -10*time.Minute)
	r.post(phone, appB)
	if a = r.must("POST", action(phone), setOf(appC)); a.status != 429 {
		t.Fatalf("the third write: %d", a.status)
	}
	until, err := http.ParseTime(a.header.Get("Retry-After"))
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the wait, by the date beside it", until.Sub(noon.Add(said(a))), 21*time.Second)
}

// Line 1: an admin replaces an app's secret; tokens that were made with the old one stay good.
func TestSetSecret(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	want(t, "known", r.SetSecret(tenantID, strings.ToUpper(clientID), "new"), true)
	want(t, "unknown app", r.SetSecret(tenantID, "nobody", "new"), false)
	want(t, "unknown tenant", r.SetSecret("nobody", clientID, "new"), false)
	status, _ := r.askToken(tenantID, r.form(clientID, "s3cret"))
	want(t, "the old secret", status, 401)
	want(t, "the old token", r.must("GET", managed(phone), "").status, 200)
	r.token = r.login(clientID, "new")
	want(t, "the new one's token", r.must("GET", managed(phone), "").status, 200)
}
