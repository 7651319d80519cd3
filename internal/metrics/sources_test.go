package metrics

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var (
	snow = SourceLabels{Name: "snow", Keys: []KeyLabels{{Check: "signature", Key: "old"}, {Check: "signature", Key: "new", Ends: time.Unix(2e9, 0)}}, ReplayProtected: true}
	desk = SourceLabels{Name: "desk", Keys: []KeyLabels{{Check: "header", Key: "0"}}}
)

// series are the lines of a scrape about sources, without buckets.
func series(t *testing.T, m *Metrics) map[string]string {
	t.Helper()
	lines := map[string]string{}
	for line := range strings.Lines(get(t, m.Admin(nil), "/metrics").Body.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if strings.Contains(name, `source="`) && !strings.Contains(name, "_bucket{") {
			lines[name+"}"] = value
		}
	}
	return lines
}

func TestSetSources(t *testing.T) {
	m := New(prometheus.NewPedanticRegistry(), "", labels)
	m.SetSources([]SourceLabels{snow, desk})
	m.Requests.WithLabelValues("snow", "202").Add(3)
	m.Requests.WithLabelValues("snow", "teapot").Add(2)
	m.Requests.WithLabelValues("desk", "202").Inc()
	m.Requests.WithLabelValues("stranger", "401").Add(7)
	m.KeyUses.WithLabelValues("snow", "signature", "old").Add(5)
	m.KeyLastUsed.WithLabelValues("snow", "signature", "new").Set(1e9)
	m.Parked.WithLabelValues("desk").Inc()

	rotated := SourceLabels{Name: "snow", Keys: []KeyLabels{{Check: "signature", Key: "new"}, {Check: "signature", Key: "newest", Ends: time.Unix(3e9, 0)}}}
	m.SetSources([]SourceLabels{rotated, {Name: "jira", ReplayProtected: true}})
	have := series(t, m)
	for want, value := range map[string]string{
		// what is still there keeps its value
		`changerelay_ingest_requests_total{code="202",source="snow"}`:                                   "3.0",
		`changerelay_ingest_requests_total{code="unknown",source="snow"}`:                               "2.0",
		`changerelay_ingest_requests_total{code="401",source="unknown"}`:                                "7.0",
		`changerelay_ingest_key_last_used_timestamp_seconds{check="signature",key="new",source="snow"}`: "1e+09",
		// what is new is at zero
		`changerelay_ingest_requests_total{code="429",source="jira"}`:                                      "0.0",
		`changerelay_ingest_request_duration_seconds_count{source="jira"}`:                                 "0",
		`changerelay_ingest_key_uses_total{check="signature",key="newest",source="snow"}`:                  "0.0",
		`changerelay_ingest_key_last_used_timestamp_seconds{check="signature",key="newest",source="snow"}`: "0.0",
		`changerelay_ingest_key_expiry_timestamp_seconds{check="signature",key="new",source="snow"}`:       "0.0",
		`changerelay_ingest_key_expiry_timestamp_seconds{check="signature",key="newest",source="snow"}`:    "3e+09",
		`changerelay_ingest_expired_key_uses_total{check="signature",key="newest",source="snow"}`:          "0.0",
		`changerelay_ingest_parked_total{source="jira"}`:                                                   "0.0",
		`changerelay_ingest_rate_limited_total{source="unknown"}`:                                          "0.0",
		`changerelay_ingest_replay_protection{source="snow"}`:                                              "0.0",
		`changerelay_ingest_replay_protection{source="jira"}`:                                              "1.0",
		// what is gone is gone
		`changerelay_ingest_requests_total{code="202",source="desk"}`:                  "",
		`changerelay_ingest_parked_total{source="desk"}`:                               "",
		`changerelay_ingest_replay_protection{source="desk"}`:                          "",
		`changerelay_ingest_key_uses_total{check="signature",key="old",source="snow"}`: "",
		`changerelay_ingest_key_uses_total{check="header",key="0",source="desk"}`:      "",
	} {
		if have[want] != value {
			t.Errorf("%s is %q, want %q", want, have[want], value)
		}
	}
	m.SetSources([]SourceLabels{desk})
	if n := testutil.ToFloat64(m.Requests.WithLabelValues("desk", "202")); n != 0 {
		t.Errorf("a source that is back starts at %v", n)
	}
}

// A source, a check and a key that exist, but not together, are nobody's.
func TestKeysAreTuples(t *testing.T) {
	m := New(prometheus.NewRegistry(), "", labels)
	m.SetSources([]SourceLabels{snow, desk})
	for _, values := range [][]string{
		{"snow", "header", "0"}, {"desk", "signature", "new"}, {"snow", "signature", "0"}, {"snow", "signature"}, {"snow"}, {},
		{"snow", "signature", "new", "more"},
	} {
		m.KeyUses.WithLabelValues(values...).Inc()
	}
	if n := testutil.CollectAndCount(m.KeyUses.vec.(prometheus.Collector)); n != 4 {
		t.Errorf("there are %d series, want the keys and one unknown", n)
	}
	if n := testutil.ToFloat64(m.KeyUses.WithLabelValues("unknown", "unknown", "unknown")); n != 6 {
		t.Errorf("%v of 6 are unknown", n)
	}
}

// Requests count while sources come and go. Afterwards nothing of what is gone
// is left, whoever raced.
func TestSetSourcesUnderLoad(t *testing.T) {
	m := New(prometheus.NewPedanticRegistry(), "", labels)
	m.SetSources([]SourceLabels{snow})
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for range 2_000 {
				m.Requests.WithLabelValues("snow", "202").Inc()
				m.Requests.WithLabelValues("desk", "teapot").Inc()
				m.KeyUses.WithLabelValues("desk", "header", "0").Inc()
				m.RequestSeconds.WithLabelValues("stranger").Observe(1)
			}
		})
	}
	var change sync.WaitGroup
	for range 2 {
		change.Go(func() {
			for range 100 {
				m.SetSources([]SourceLabels{snow, desk})
				m.SetSources([]SourceLabels{snow})
			}
		})
	}
	load.Wait()
	change.Wait()
	if n := testutil.ToFloat64(m.Requests.WithLabelValues("snow", "202")); n != 8_000 {
		t.Errorf("%v of 8000 requests of a source that stayed are counted", n)
	}
	for name := range series(t, m) {
		if strings.Contains(name, `source="desk"`) {
			t.Errorf("%s is left", name)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	m := New(prometheus.NewRegistry(), "", labels)
	m.SetSources([]SourceLabels{snow})
	m.Requests.WithLabelValues("stranger", "202").Inc()
	if n := testing.AllocsPerRun(100, func() {
		m.Requests.WithLabelValues("snow", "202").Inc()
		m.Requests.WithLabelValues("stranger", "202").Inc()
		m.KeyUses.WithLabelValues("snow", "signature", "new").Inc()
	}); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}

// The configuration of the start counts as good; a refused one leaves the time.
func TestReloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(prometheus.NewRegistry(), "", labels)
		start := time.Now().Unix()
		check := func(ok, failed, last float64, at int64) {
			t.Helper()
			have := [4]float64{testutil.ToFloat64(m.ConfigReloads.WithLabelValues("ok")), testutil.ToFloat64(m.ConfigReloads.WithLabelValues("failed")),
				testutil.ToFloat64(m.ConfigLastReload), testutil.ToFloat64(m.ConfigLastReloadTime)}
			if want := [4]float64{ok, failed, last, float64(at)}; have != want {
				t.Errorf("ok, failed, last and time are %v, want %v", have, want)
			}
		}
		check(0, 0, 1, start)
		time.Sleep(time.Minute)
		m.Reloaded(false)
		check(0, 1, 0, start)
		time.Sleep(time.Minute)
		m.Reloaded(true)
		check(1, 1, 1, start+120)
	})
}
