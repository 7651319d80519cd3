package graphsim

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// A plan has every part once, each behind what it depends on.
func FuzzPlanBatch(f *testing.F) {
	for _, s := range []string{
		`{"requests":[{"id":"1","method":"GET","url":"/x"},{"id":"2","method":"POST","url":"/x","headers":{"content-type":"application/json"},"body":{},"dependsOn":["1"]}]}`,
		`{"requests":[{"id":"1","method":"GET","url":"/x","dependsOn":["2"]},{"id":"2","method":"GET","url":"/x"}]}`,
		`{"requests":[{"id":"1","method":"GET","url":"/x","dependsOn":["1"]}]}`, `{"requests":null}`, `{`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, bad := planBatch(body)
		if bad != nil {
			if bad.status != 400 || parts != nil {
				t.Fatalf("%+v, %d parts", bad, len(parts))
			}
			return
		}
		done := map[string]bool{}
		for _, p := range parts {
			if done[p.ID] || slices.ContainsFunc(p.DependsOn, func(id string) bool { return !done[id] }) {
				t.Fatalf("part %q is out of order in %s", p.ID, body)
			}
			done[p.ID] = true
		}
		if len(parts) == 0 || len(parts) > maxBatch {
			t.Fatalf("%d parts", len(parts))
		}
	})
}

// No assertion is believed that nobody signed.
func FuzzAssertion(f *testing.F) {
	for _, s := range []string{
		"eyJhbGciOiJub25lIn0.eyJpc3MiOiJhcHAiLCJzdWIiOiJhcHAiLCJhdWQiOiJiYXNlL3YyLjAiLCJleHAiOjllMTl9.",
		"eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "..", "a.b.c", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		open, closed := &App{ClientID: "app"}, &App{ClientID: "app", Certificates: []*x509.Certificate{{}}}
		now := time.Unix(1_800_000_000, 0)
		_ = checkAssertion(raw, open, "base", now)
		if checkAssertion(raw, closed, "base", now) == nil {
			t.Fatalf("believed %q", raw)
		}
	})
}

// Whatever is asked of whomever is answered, and in JSON unless there is no body.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"/beta/deviceManagement/managedDevices('d')/microsoft.graph.changeAssignments", "/beta/$batch", "/beta/users/u/managedDevices/d",
		"/beta/deviceManagement/deviceHealthScripts/s/deviceRunStates/t/managedDevice/users/u/managedDevices/d?$select=id",
		"/v1.0/deviceManagement/managedDevices?$top=1&$filter=serialNumber%20eq%20'x'", "/t/oauth2/v2.0/token", "/common/discovery/instance", "//", "/beta", "/%zz",
	} {
		f.Add("POST", s, `{"deviceAssignmentItems":[]}`)
		f.Add("GET", s, "client_id=c&client_secret=s&grant_type=client_credentials&claims=%7B%7D")
	}
	s, err := New(Options{Journal: 10})
	if err != nil {
		f.Fatal(err)
	}
	s.AddTenant(Tenant{ID: "t", ClientID: "c", ClientSecret: "s"}, Device{ID: "d", UserID: "u"})
	s.AddRunState("t", RunState{"deviceHealthScripts", "s", "t", "d"})
	s.grants["token"] = grant{tenant: "t", app: "c", roles: []string{rolePost, roleRead}, until: time.Now().Add(time.Hour)}
	s.Set(Knobs{EmptyRestoresAll: true, ItemCap: 30})
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequest(method, "https://graph.test/x", strings.NewReader(body))
		if err != nil {
			return
		}
		if r.URL, err = r.URL.Parse(path); err != nil || !strings.HasPrefix(r.URL.Path, "/") {
			return
		}
		r.Host = "graph.test"
		r.Header.Set("Authorization", "Bearer token")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code < 200 || w.Code >= 500 || w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) || w.Body.Len() == 0 && w.Code != 204 {
			t.Fatalf("%s %s: %d %q", method, path, w.Code, w.Body)
		}
	})
}
