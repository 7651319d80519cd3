package dashboard

import (
	"testing"
	"time"
)

func TestExpand(t *testing.T) {
	v := Values{"tenant": "acme", "tenants": "all", "__range": "60s"}
	for text, want := range map[string]string{
		`a{t=~"$tenant"}[$__range]`: `a{t=~"acme"}[60s]`,
		"$tenants $tenant":          "all acme",
		"${tenant}s ${tenants}":     "acmes all",
		"$other":                    "$other",
	} {
		if got := v.Expand(text); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestAll(t *testing.T) {
	for _, d := range read(t) {
		v := d.All(10*time.Second, 2*time.Minute)
		if v["job"] != ".*" || v["__rate_interval"] != "10s" || v["__range"] != "120s" || v["runbook"] == "" {
			t.Errorf("%s: %v", d.UID, v)
		}
	}
}

// A panel of what is looked at rarely has a longer window.
func TestInterval(t *testing.T) {
	v := Values{"__rate_interval": "10s"}
	for interval, want := range map[string]string{"": "10s", "5s": "10s", "30s": "30s"} {
		if got := (Panel{Interval: interval}).slower(v)["__rate_interval"]; got != want {
			t.Errorf("with an interval of %q the window is %s, want %s", interval, got, want)
		}
	}
}
