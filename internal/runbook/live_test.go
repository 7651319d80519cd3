package runbook

import (
	"fmt"
	"testing"
)

// The worker is killed, and ingest alone is there to tell. An event comes, and
// lies. A new worker takes it up, and the alert ends.
func TestLiveAWorkerIsKilled(t *testing.T) {
	t.Parallel()
	r := newRig(t, 20) // 5 minutes are 15 s
	r.post("CHG0000001", device)
	r.until("Graph to be told", func() bool {
		return sum(r, `changerelay_outcomes_total{stage="reconcile", outcome="accepted"}`) == 1
	})
	for expr, n := range map[string]int{ // the objective has its series
		`changerelay_webhook_to_graph_duration_seconds_bucket{le=~"300(\\.0)?"}`: 2,
		`namespace:changerelay_webhook_to_graph_late:increase1h == 0`:            1,
		`namespace:changerelay_unfolded_events:max == 0`:                         1,
	} {
		r.until(expr, func() bool { return len(r.prom.Query(expr)) == n })
	}
	r.calm()

	r.worker.kill()
	r.post("CHG0000002", device)
	r.until("ChangerelayStuck", func() bool { return r.firing("ChangerelayStuck", "waiting", "events", "severity", "critical") == 1 })
	r.until("ChangerelayWorkerAbsent", func() bool { return r.firing("ChangerelayWorkerAbsent") == 1 })
	r.calm("ChangerelayStuck", "ChangerelayWorkerAbsent")

	r.worker = r.start("worker")
	r.prom.Scrape(r.targets())
	r.until("Graph to be told by the new worker", func() bool {
		return sum(r, `changerelay_outcomes_total{stage=~"fold|reconcile", outcome=~"accepted|unchanged"}`) >= 1
	})
	r.until("ChangerelayStuck to end", func() bool { return r.firing("ChangerelayStuck") == 0 && r.firing("ChangerelayWorkerAbsent") == 0 })
	r.calm()
}

// The broker is away, and comes back.
func TestLiveTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, 20)
	r.calm()
	r.broker.Stop()
	r.until("ChangerelayBrokerDisconnected", func() bool {
		return r.firing("ChangerelayBrokerDisconnected", "severity", "critical") == 1 && r.firing("ChangerelayBrokerDisconnected", "severity", "warning") == 1
	})
	r.calm("ChangerelayBrokerDisconnected")
	r.broker.Start()
	r.until("ChangerelayBrokerDisconnected to end", func() bool { return r.firing("ChangerelayBrokerDisconnected") == 0 })
	r.post("CHG0000001", device)
	r.until("Graph to be told", func() bool {
		return sum(r, `changerelay_outcomes_total{stage="reconcile", outcome="accepted"}`) == 1
	})
	r.calm()
}

// Tickets for devices that Graph does not know end in DEAD.
func TestLiveDeadLettersGrow(t *testing.T) {
	t.Parallel()
	r := newRig(t, 60) // half an hour is 30 s
	r.calm()
	r.post("CHG0000001", "0f9a6d1e-7b0a-4d0e-9a52-000000000001")
	r.until("the warning", func() bool { return r.firing("ChangerelayDeadLetters", "severity", "warning") == 1 })
	if r.firing("ChangerelayDeadLetters", "severity", "critical") != 0 {
		t.Error("one letter is critical")
	}
	for i := range 25 {
		r.post(fmt.Sprintf("CHG%07d", i+2), fmt.Sprintf("0f9a6d1e-7b0a-4d0e-9a52-%012d", i+2))
	}
	r.until("the critical alert", func() bool { return r.firing("ChangerelayDeadLetters", "severity", "critical") == 1 })
	// Five minutes are 5 s here, and the broker is still looked at every 15: an event that such a look meets on its
	// way to the fold is old before the next one.
	r.calm("ChangerelayDeadLetters", "ChangerelayStuck")
	r.until("both to end", func() bool { return r.firing("ChangerelayDeadLetters") == 0 })
	r.calm("ChangerelayStuck")
}

// sum is the sum of the expression's samples now.
func sum(r *rig, expr string) (n float64) {
	r.t.Helper()
	for _, s := range r.prom.Query(expr) {
		n += s.Value
	}
	return n
}
