package metrics

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// Tenants come and go: those that stay keep their values, those that are gone
// leave no series, and a state of nobody's is not shown.
func TestSetTenants(t *testing.T) {
	m := New(prometheus.NewPedanticRegistry(), "", labels)
	m.QuotaCalls.WithLabelValues("acme", "write").Add(3)
	m.CredentialUsable.Set(0, "acme")
	m.DueDevices.Set(5, "acme", Waiting)
	m.DueDevices.Set(5, "nobody", Waiting)
	m.SetTenants([]string{"acme", "globex"})
	for what, c := range map[string]struct {
		got  prometheus.Collector
		want float64
	}{
		"calls": {m.QuotaCalls.WithLabelValues("acme", "write"), 3}, "broken": {m.CredentialUsable.WithLabelValues("acme").(prometheus.Collector), 0},
		"new": {m.CredentialUsable.WithLabelValues("globex").(prometheus.Collector), 1}, "due": {m.DueDevices.WithLabelValues("acme", Waiting).(prometheus.Collector), 5},
	} {
		if got := testutil.ToFloat64(c.got); got != c.want {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
	m.SetTenants([]string{"globex"})
	m.CredentialUsable.Set(1, "acme")
	m.PausedSince.Set(1e9, "acme", "denied")
	body := get(t, m.Admin(nil), "/metrics").Body.String()
	for _, gone := range []string{`tenant="acme"`, `tenant="nobody"`, `tenant="unknown"`} {
		if strings.Contains(body, gone) {
			t.Errorf("%s is left", gone)
		}
	}
	for _, line := range []string{`changerelay_due_devices{state="waiting",tenant="globex"} 0.0`, `changerelay_tenant_paused_since_timestamp_seconds{reason="denied",tenant="globex"} 0.0`} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("lacks %s", line)
		}
	}
}

func TestResponse(t *testing.T) {
	for status, want := range map[int]string{0: "none", 200: "2xx", 204: "2xx", 307: "3xx", 404: "404", 418: "4xx", 503: "503", 599: "5xx"} {
		if got := Response(status); got != want {
			t.Errorf("%d is %s, want %s", status, got, want)
		}
	}
}
