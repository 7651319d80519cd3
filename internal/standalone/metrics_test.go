package standalone

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/relay"
	"changerelay/internal/working"
)

// What dashboards and alerts read is there, and says what happened.
func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a", "b")
	p := r.start(relay.Ingest|relay.Worker, func(p *relay.Parts, w *working.Parts) { // longer than the gauge of due devices lags
		w.Timing.Budget, p.Broker.AckWait = 20*time.Second, 20*time.Second
	})
	r.ready(p)
	if a := r.get(p.admin + "/healthz"); a.code != http.StatusOK {
		t.Errorf("/healthz is %v", a)
	}
	r.shows(p, map[string]float64{ // before anything has happened: 0, not absent
		`changerelay_outcomes_total{outcome="in_doubt",stage="reconcile"}`:      0,
		`changerelay_ingest_requests_total{code="202",source="desk"}`:           0,
		`changerelay_due_devices{state="runnable",tenant="acme"}`:               0,
		`changerelay_graph_calls_total{kind="throttled",op="post"}`:             0,
		`changerelay_graph_request_duration_seconds_count{kind="ok",op="post"}`: 0,
		`changerelay_broker_connected`:                                          1,
	})

	h := r.holdUp("post")
	first := r.send(p.ingest, "desk", "1", change("1", "a", "app1"))
	<-h.came
	r.shows(p, map[string]float64{
		`changerelay_open_attempts`:                              1,
		`changerelay_due_devices{state="waiting",tenant="acme"}`: 1,
	})
	h.goOn()
	r.outcome(p.ingest, first.ID)
	r.send(p.ingest, "desk", "1", change("1", "a", "app1"))
	r.send(p.ingest, "desk", "1", change("1", "a", "app2"))
	r.send(p.ingest, "desk", "2", []byte("{}"))
	if _, err := r.do(r.unsigned(p.ingest+"/v1/changes", nil, nil)); err != nil {
		t.Fatal(err)
	}
	r.settled(r.js())
	r.shows(p, map[string]float64{
		`changerelay_open_attempts`:                                                        0,
		`changerelay_due_devices{state="waiting",tenant="acme"}`:                           0,
		`changerelay_ingest_requests_total{code="202",source="desk"}`:                      1,
		`changerelay_ingest_requests_total{code="200",source="desk"}`:                      1,
		`changerelay_ingest_requests_total{code="409",source="desk"}`:                      1,
		`changerelay_ingest_requests_total{code="422",source="desk"}`:                      1,
		`changerelay_ingest_requests_total{code="401",source="unknown"}`:                   1,
		`changerelay_ingest_refusals_total{reason="missing_header",source="unknown"}`:      1,
		`changerelay_ingest_request_duration_seconds_count{source="desk"}`:                 4,
		`changerelay_ingest_published_total{result="stored",source="desk"}`:                1,
		`changerelay_ingest_published_total{result="duplicate",source="desk"}`:             1,
		`changerelay_ingest_published_total{result="conflict",source="desk"}`:              1,
		`changerelay_outcomes_total{outcome="duplicate",stage="ingest"}`:                   1,
		`changerelay_outcomes_total{outcome="invalid",stage="ingest"}`:                     1,
		`changerelay_outcomes_total{outcome="accepted",stage="reconcile"}`:                 1,
		`changerelay_fold_duration_seconds_count`:                                          1,
		`changerelay_fold_batch_events_sum`:                                                1,
		`changerelay_wakeups_total`:                                                        1,
		`changerelay_reconcile_duration_seconds_count`:                                     1,
		`changerelay_webhook_to_graph_duration_seconds_count{graph="well"}`:                1,
		`changerelay_webhook_to_graph_duration_seconds_count{graph="unwell"}`:              0,
		`changerelay_fold_delay_seconds_count`:                                             1,
		`changerelay_graph_responses_total{code="2xx",op="post"}`:                          1,
		`changerelay_quota_calls_total{class="write",tenant="acme"}`:                       1,
		`changerelay_quota_limit{class="write",tenant="acme"}`:                             1e6,
		`changerelay_quota_rate{class="write",tenant="acme"}`:                              1e6,
		`changerelay_token_requests_total{result="ok"}`:                                    1,
		`changerelay_token_request_duration_seconds_count`:                                 1,
		`changerelay_credential_usable{tenant="acme"}`:                                     1,
		`changerelay_tenant_paused_since_timestamp_seconds{reason="denied",tenant="acme"}`: 0,
		`changerelay_dead_letters_total{reason="invalid"}`:                                 1,
		`changerelay_ingest_requests_in_flight`:                                            0,
		`changerelay_ingest_waiters`:                                                       0,
		`changerelay_panics_total`:                                                         0,
		`changerelay_graph_calls_total{kind="ok",op="post"}`:                               1,
		`changerelay_graph_calls_total{kind="ok",op="get"}`:                                1,
		`changerelay_graph_request_duration_seconds_count{kind="ok",op="post"}`:            1,
		`changerelay_graph_request_duration_seconds_bucket{kind="ok",op="post",le="+Inf"}`: 1,
		`changerelay_broker_connected`:                                                     1,
		`changerelay_broker_reconnects_total`:                                              0,
	})
	for name := range r.series(p) {
		if strings.HasPrefix(name, "changerelay_") && strings.Contains(name, uuid("a")) {
			t.Errorf("a label holds a device: %s", name)
		}
	}
}

// shows waits until a scrape has every series, with its value.
func (r *rig) shows(p *process, want map[string]float64) {
	r.t.Helper()
	for name, v := range want {
		await.State(r.t, name, func() bool {
			got, ok := r.series(p)[name]
			if !ok {
				r.t.Fatalf("there is no series %s", name)
			}
			return got == v
		})
	}
}
