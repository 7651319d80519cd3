package ingest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"changerelay/internal/events"
)

// A body that is no event is found by its ticket all the same: in the log, and by
// whoever may see all that its source may speak for.
func TestParkedTicket(t *testing.T) {
	broken := strings.Replace(snowBody, phone, "phone", 1)
	for name, c := range map[string]struct {
		request *http.Request
		seen    bool
	}{
		"its tenant":     {ask(deskKey, "ticket=CHG0031877"), true},
		"all tenants":    {ask(rootKey, "ticket=CHG0031877"), true},
		"of all, its":    {ask(rootKey, "ticket=CHG0031877&tenant=acme"), true},
		"another tenant": {ask(deskKey, "ticket=CHG0031877&tenant=globex"), false},
		"another ticket": {ask(deskKey, "ticket=CHG0031878"), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if rec := w.do(snow("/v1/hooks/snow", broken)); rec.Code != 422 {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
			if line := w.lastLine(t); line["ticket"] != "CHG0031877" || line["outcome"] != "invalid" {
				t.Errorf("the log has %v", line)
			}
			rec := w.do(c.request)
			var list statuses
			if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil || rec.Code != 200 {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
			want := 0
			if c.seen {
				want = 1
			}
			if list.Total != want || len(list.Changes) != want {
				t.Fatalf("got %s", rec.Body)
			}
			for _, r := range list.Changes {
				if r.Status != "invalid" || r.State != events.Final || !strings.Contains(r.Reason, "u_intune_device_id") || r.Tenant != "acme" {
					t.Errorf("got %s", rec.Body)
				}
			}
		})
	}
}

// What the source of several tenants could not say is for who may see all of them.
func TestParkedTicketOfSeveralTenants(t *testing.T) {
	w := newWorld(t, withSource("snow", func(s *Source) {
		s.Tenants, s.Fields = []string{"acme", "initech"}, map[string]string{"tenant": "u_tenant"}
	}))
	w.do(snow("/v1/hooks/snow", strings.Replace(snowBody, phone, "phone", 1)))
	for key, total := range map[string]int{deskKey: 0, rootKey: 1} {
		rec := w.do(ask(key, "ticket=CHG0031877"))
		if !strings.Contains(rec.Body.String(), fmt.Sprintf(`"total":%d`, total)) {
			t.Errorf("got %d %s, want %d", rec.Code, rec.Body, total)
		}
	}
}

// Nobody who is not verified puts a ticket into the log.
func TestUnverifiedTicketIsNotLogged(t *testing.T) {
	w := newWorld(t)
	w.do(post("/v1/hooks/snow", snowBody))
	if line := w.lastLine(t); line["ticket"] != nil || line["code"] != 401.0 {
		t.Errorf("the log has %v", line)
	}
}
