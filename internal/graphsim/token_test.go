package graphsim_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"changerelay/internal/graphsim"
)

// Line 1: the modes of the token endpoint, each a fault.
func TestTokenModes(t *testing.T) {
	for name, c := range map[string]struct {
		fault graphsim.Fault
		want  string // status and what the body begins with or holds
	}{
		"throttled":   {graphsim.Fault{Status: 429, Header: map[string][]string{"retry-after": {"5"}}}, `429 "error":"temporarily_unavailable"`},
		"unavailable": {graphsim.Fault{Status: 503, Form: "html"}, "503 <html>"},
		"slow":        {graphsim.Fault{Delay: time.Millisecond}, `200 "expires_in":3600`},
		"AADSTS":      {graphsim.Fault{Status: 401, Code: "invalid_client", Message: "AADSTS7000222: expired."}, `401 "error_codes":[7000222]`},
		"truncated":   {graphsim.Fault{Form: "truncated", Point: graphsim.AfterApply}, `200 "access_token":"ey`},
		"noexpiry":    {graphsim.Fault{Form: "noexpiry", Point: graphsim.AfterApply}, `200 "token_type":"Bearer"}`},
	} {
		r := newRig(t, graphsim.Options{})
		c.fault.Op = "token"
		r.Fail(c.fault)
		resp, err := r.client.PostForm(r.URL()+"/"+tenantID+"/oauth2/v2.0/token", r.form(clientID, "s3cret"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		status, part, _ := strings.Cut(c.want, " ")
		if err != nil || fmt.Sprint(resp.StatusCode) != status || !strings.Contains(string(body), part) {
			t.Errorf("%s: %v, %d %s", name, err, resp.StatusCode, body)
		}
		want(t, name+" has an expiry", strings.Contains(string(body), `"expires_in":`), name == "slow")
		want(t, "counted", r.TokenRequests(tenantID), 2)
	}
}

// Line 1: lives and refresh hints.
func TestTokenLives(t *testing.T) {
	for _, c := range []struct {
		life, refresh time.Duration
		want          string
	}{
		{0, 0, "3600 <nil>"}, {time.Minute, 0, "60 <nil>"}, {24 * time.Hour, 0, "86400 43200"}, {time.Hour, 10 * time.Minute, "3600 600"},
	} {
		r := with(t, func(k *graphsim.Knobs) { k.TokenLife, k.RefreshIn = c.life, c.refresh })
		_, out := r.askToken(tenantID, r.form(clientID, "s3cret"))
		want(t, "life and hint", line(out["expires_in"], out["refresh_in"]), c.want)
	}
}

// Two apps of a tenant have their own secrets and roles.
func TestApps(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.AddApp(tenantID, graphsim.App{ClientID: "second", ClientSecret: "other"})
	r.login("second", "other")
	status, _ := r.askToken(tenantID, r.form("second", "s3cret"))
	want(t, "the first one's secret", status, 401)
	want(t, "apps", line(r.Apps(tenantID)), line([]string{clientID, "second"}))
	r.AddTenant(graphsim.Tenant{ID: tenantID, ClientID: "third", ClientSecret: "x"})
	want(t, "AddTenant changes its own app", line(r.Apps(tenantID)), line([]string{"second", "third"}))
}
