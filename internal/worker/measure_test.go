package worker

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/metrics"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
)

func value(c any) float64 { return testutil.ToFloat64(c.(prometheus.Collector)) }

// A spell lasts from the first failure to a call of its class that goes well, and
// is over when nothing has tried for a while.
func TestSpells(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPause(func() time.Time { return now })
	since := func(what, reason string, want time.Time) {
		t.Helper()
		if got := p.since(reason); !got.Equal(want) {
			t.Errorf("%s: %s since %v, want %v", what, reason, got, want)
		}
	}
	never := time.Time{}
	first := now
	p.throttled(quota.Write, now.Add(time.Minute))
	since("paused", whyThrottled, first)
	since("paused", whyDenied, never)
	now = now.Add(90 * time.Second)
	p.throttled(quota.Write, now.Add(time.Minute))
	since("throttled again", whyThrottled, first)
	p.over(quota.Read)
	since("a read went well", whyThrottled, first)
	p.trouble(quota.Read, "no answer")
	since("no answer", whyUnavailable, now)
	p.over(quota.Read)
	since("an answer", whyUnavailable, never)
	p.over(quota.Write)
	since("a call went well", whyThrottled, never)

	began := now
	after, _ := p.denied(quota.Write)
	now = now.Add(after + spellLapses)
	since("denied", whyDenied, began)
	now = now.Add(time.Second)
	since("nothing tried since", whyDenied, never)
	p.denied(quota.Write)
	since("denied anew", whyDenied, now)
}

// An event met an unwell Graph if anything was wrong after it was accepted.
func TestUnwell(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPause(func() time.Time { return now })
	begun := now
	if got := p.wellSince(begun); got != metrics.Well {
		t.Errorf("from the start: %s", got)
	}
	now = now.Add(time.Second)
	p.ail()
	if p.wellSince(begun) != metrics.Unwell || p.wellSince(now) != metrics.Well {
		t.Error("a call in doubt makes what came before unwell, and that alone")
	}
	p.throttled(quota.Read, now.Add(time.Minute))
	if in := now.Add(59 * time.Second); p.wellSince(in) != metrics.Unwell || p.wellSince(now.Add(time.Minute)) != metrics.Well {
		t.Error("a pause lasts until its end")
	}
}

// What a worker shows of a tenant whose credential is denied, and of devices that
// wait for it.
func TestATenantsGauges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.Fail(graphsim.Fault{Op: "token", Status: 401, Code: "invalid_client", Message: "AADSTS7000215: Invalid client secret provided", Times: -1})
	var m *metrics.Metrics
	r.work(func(c *Config) { m = c.Metrics })
	await.State(t, "the credential to be denied", func() bool {
		return value(m.CredentialUsable.WithLabelValues("acme")) == 0 && value(m.TokenRequests.WithLabelValues("denied")) > 0
	})
	r.publish(remove(app(1))...)
	await.State(t, "the device to wait", func() bool {
		return value(m.DueDevices.WithLabelValues("acme", metrics.Waiting)) == 1 && value(m.DueDevices.WithLabelValues("acme", metrics.Runnable)) == 0
	})
	await.State(t, "the tenant to pause", func() bool {
		return value(m.PausedSince.WithLabelValues("acme", whyDenied)) > 0 && value(m.QuotaPausedUntil.WithLabelValues("acme", "write")) > float64(time.Now().Unix())
	})
	if n := value(m.GraphResponses.WithLabelValues("get", "none")); n == 0 || value(m.GraphResponses.WithLabelValues("get", "401")) != 0 {
		t.Errorf("Entra's refusal is %v answers of Graph", n)
	}
	if n := value(m.QuotaLimit.WithLabelValues("acme", "read")); n != 1e6 {
		t.Errorf("the limit is %v", n)
	}
}

// All of a paused tenant's devices wait, in hand or not.
func TestDueDevices(t *testing.T) {
	now := time.Now()
	w := &Worker{c: Config{Metrics: metrics.New(prometheus.NewRegistry(), "", metrics.Labels{Tenants: []string{"acme"}})}}
	acme := &tenant{name: "acme", pause: newPause(func() time.Time { return now })}
	check := func(runnable, waiting float64) {
		t.Helper()
		w.measureDue(acme, stream.Wakeups{Pending: 7, Held: 2})
		w.measureDue(&tenant{name: "gone", pause: acme.pause}, stream.Wakeups{Pending: 1})
		m := w.c.Metrics.DueDevices
		if a, b := value(m.WithLabelValues("acme", metrics.Runnable)), value(m.WithLabelValues("acme", metrics.Waiting)); a != runnable || b != waiting {
			t.Errorf("%v are runnable and %v wait, want %v and %v", a, b, runnable, waiting)
		}
	}
	check(7, 2)
	acme.pause.throttled(quota.Write, now.Add(time.Minute))
	check(0, 9)
	now = now.Add(time.Minute)
	check(7, 2)
}

// arrived is how many events reached Graph, by how it was meanwhile.
func arrived(t *testing.T, reg *prometheus.Registry, graph string) (n uint64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, s := range f.GetMetric() {
			if f.GetName() == "changerelay_webhook_to_graph_duration_seconds" && s.GetLabel()[0].GetValue() == graph {
				n = s.GetHistogram().GetSampleCount()
			}
		}
	}
	return n
}

// Graph's trouble is told apart from ours: what met it on its way is unwell.
func TestWebhookToGraph(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var m *metrics.Metrics
	reg := prometheus.NewRegistry()
	r.work(func(c *Config) {
		m = metrics.New(reg, "", metrics.Labels{Tenants: []string{"acme"}})
		c.Metrics = m
	})
	count := func(graph string) uint64 { return arrived(t, reg, graph) }
	r.outcome(r.publish(remove(app(1))...), events.Accepted)
	if count(metrics.Well) != 1 || count(metrics.Unwell) != 0 {
		t.Errorf("%d well, %d unwell", count(metrics.Well), count(metrics.Unwell))
	}
	r.sim.Fail(graphsim.Fault{Op: "post", Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}})
	r.outcome(r.publish(remove(app(2))...), events.Accepted)
	if count(metrics.Well) != 1 || count(metrics.Unwell) != 1 {
		t.Errorf("%d well, %d unwell", count(metrics.Well), count(metrics.Unwell))
	}
	if n := value(m.GraphResponses.WithLabelValues("post", "429")); n != 1 {
		t.Errorf("%v answers of 429", n)
	}
	if a, b := value(m.QuotaCalls.WithLabelValues("acme", "write")), value(m.GraphCalls.WithLabelValues("post", "ok"))+1; a != b {
		t.Errorf("the quota let %v calls go, and %v were made", a, b)
	}
}
