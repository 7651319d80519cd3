package worker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/figures"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
)

// In a window of length W a quota lets at most Rate × (W + Valid) + Burst calls go.
// So of Graph's 200 in 20 s a rate of 9.8 uses all but two percent, without a 429.
const graphWindow = 20 * time.Second

var nearlyAll = quota.Limit{Rate: 9.8, Burst: 1}

// BenchmarkRunBurst is 10 000 tickets for 500 devices at once, three workers, and
// Graph's own sliding window. Nothing is compressed: a bucket waits by the system's
// timers, whatever clock it is given, so it takes 52 s or a little longer.
func BenchmarkRunBurst(b *testing.B) {
	devices, n := smaller(500), smaller(10_000)
	k, broker := newRun(b, lazyR1, 1, devices)
	knobs := k.sim.Knobs()
	knobs.PostLimitApp, knobs.Window = 200, graphWindow
	k.sim.Set(knobs)
	var crew []*process
	for range 3 {
		crew = append(crew, k.fork(func(o *crewOrder) {
			o.Write, o.Read, o.Timing, o.Pace = nearlyAll, quota.DefaultRead, ledger.DefaultTiming, DefaultPace
		}))
	}
	for _, w := range crew {
		w.ask("run")
	}
	k.add(n, events.Remove, events.Remove, events.Restore)
	c := clocked(broker, crew...)
	k.publishAll(nil)
	published := time.Since(c.began)
	words := k.ended()
	_, cost := c.end(n)
	p := k.pacing()
	used := p.rate / (float64(knobs.PostLimitApp) / graphWindow.Seconds())
	f := figures.New("burst")
	f.Meet("burst-quota", used, "%d calls in %v, from the first to the last", p.calls, p.took.Round(10*time.Millisecond))
	f.Meet("burst-calls", float64(p.calls)/float64(devices), "")
	f.Meet("burst-throttled", float64(p.throttled), "most in any %v: %d of %d", graphWindow, p.most, knobs.PostLimitApp)
	t := f.Table(whatMeasured...)
	t.Row("publishing "+figures.Number(float64(n))+" events", published.Round(time.Millisecond).String())
	t.Row("µs of CPU an event: workers + broker + rest", cost)
	t.Row("outcomes", strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(words), "map["), "]"))
	hand(b, f)
	b.ReportMetric(used, "of-quota")
	b.ReportMetric(float64(p.calls)/float64(devices), "calls/device")
	b.ReportMetric(float64(p.throttled), "429s")
	if p.throttled > 0 {
		b.Errorf("%d calls were throttled", p.throttled)
	}
}

// A pacing is how POSTs came in at Graph.
type pacing struct {
	calls, throttled int
	most             int // in any window
	took             time.Duration
	rate             float64 // a second, from the first to the last
}

func (b *bulk) pacing() (p pacing) {
	b.t.Helper()
	var at []time.Time
	for _, c := range b.sim.Journal() {
		if c.Op == "post" {
			at = append(at, c.At)
			if c.Status == 429 {
				p.throttled++
			}
		}
	}
	p.calls = len(at)
	if p.calls < 2 {
		b.t.Fatalf("%d calls", p.calls)
	}
	for i, from := range at {
		n, _ := slices.BinarySearchFunc(at, from.Add(graphWindow), time.Time.Compare)
		p.most = max(p.most, n-i)
	}
	p.took = at[len(at)-1].Sub(at[0])
	p.rate = float64(p.calls-1) / p.took.Seconds()
	return p
}

// TestABurstWithinTheQuota is the same in small: 40 devices, 20 calls in 2 s. All
// is folded before the first call, so a device's twenty tickets are one call.
func TestABurstWithinTheQuota(t *testing.T) {
	const devices = 40
	n := 800
	if raced {
		n = 400
	}
	b := newBulk(t, natstest.Server(t).URL(), 1, 10*time.Second, devices, n)
	knobs := b.sim.Knobs()
	knobs.PostLimitApp, knobs.Window = 20, 2*time.Second
	b.sim.Set(knobs)
	b.publishAll(nil)
	free := make(chan struct{})
	for range 3 {
		b.join(holding(free), func(c *Config) {
			acme := c.Tenants["acme"]
			acme.Write = quota.Limit{Rate: 5.5, Burst: 1} // calls may be 1.4 s late before a window has 21
			c.Tenants["acme"] = acme
		})
	}
	b.until("everything to be folded", b.folded)
	close(free)
	b.ended()
	p := b.pacing()
	if p.throttled > 0 || p.calls*10 > devices*12 {
		t.Errorf("%d calls for %d devices, %d of them throttled", p.calls, devices, p.throttled)
	}
}
