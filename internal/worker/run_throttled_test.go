package worker

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/figures"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
)

// ill has Graph answer every POST of a tenant 429 or 503, in turn, for d; 0 is until
// it is well again.
func (b *bulk) ill(tenant int, d time.Duration) (well func()) {
	f := graphsim.Fault{Op: "post", Tenant: tenantID(tenant), Status: http.StatusServiceUnavailable, Times: -1, For: d}
	if tenant%2 == 0 {
		f.Status, f.Header = http.StatusTooManyRequests, http.Header{"Retry-After": {"1"}}
	}
	return b.sim.Fail(f)
}

// Of the run: a hundred tenants with more work than two calls a second each can do
// in the minute that the last ten are ill for.
const (
	crowdTenants = 100
	crowdIll     = 10
	crowdRate    = 2.0
	crowdFor     = time.Minute
)

// BenchmarkRunThrottled compares what ninety tenants get done in a minute with what
// they get done while ten others are answered 429 or 503. Of both, the first 5 s
// are left out.
func BenchmarkRunThrottled(b *testing.B) {
	alone, _ := runCrowd(b, crowdTenants-crowdIll, 0)
	beside, ill := runCrowd(b, crowdTenants, crowdIll)
	kept := float64(beside) / float64(alone)
	f := figures.New("throttled")
	f.Meet("tenants-kept", kept, "")
	t := f.Table(whatMeasured...)
	t.Row(fmt.Sprintf("calls for the 90 in %v, alone", crowdFor-5*time.Second), fmt.Sprint(alone))
	t.Row("… beside ten that are answered 429 or 503", fmt.Sprint(beside))
	t.Row("calls for the ten", fmt.Sprint(ill))
	hand(b, f)
	b.ReportMetric(kept, "of-alone")
}

// runCrowd returns how many calls Graph took of the tenants that are well, and how
// many it was sent by the others.
func runCrowd(b *testing.B, tenants, ill int) (took, sick int) {
	each := int(crowdRate * (crowdFor + 10*time.Second).Seconds()) // devices, with an event
	k, _ := newRun(b, lazyR1, tenants, tenants*each)
	w := k.fork(func(o *crewOrder) {
		o.Write, o.Timing, o.Pace = quota.Limit{Rate: crowdRate, Burst: 1}, ledger.DefaultTiming, DefaultPace
	})
	k.add(tenants*each, events.Remove)
	w.ask("hold")
	w.ask("run")
	k.publishAll(nil)
	k.until("everything to be folded", k.folded)
	from := k.sim.Now()
	for i := range ill {
		k.ill(tenants-1-i, crowdFor)
	}
	w.ask("lift")
	k.until("the minute to be over", func() bool { return k.sim.Now().Sub(from) > crowdFor })
	for _, c := range k.sim.Journal() {
		switch {
		case c.Op != "post" || c.At.Before(from.Add(5*time.Second)) || c.At.After(from.Add(crowdFor)):
		case k.tenantOf(c.Device) >= tenants-ill:
			sick++
		case c.Status/100 == 2:
			took++
		}
	}
	w.stop()
	return took, sick
}

// TestTenantsThatAreIllHoldNobodyUp has a tenth of the tenants answered 429 and 503
// until all others are settled, and wants few calls for them meanwhile.
func TestTenantsThatAreIllHoldNobodyUp(t *testing.T) {
	const tenants, ill, devices = 20, 2, 200
	b := newCrowd(t, natstest.Server(t).URL(), 1, 10*time.Second, tenants, devices)
	b.add(2*devices, events.Remove) // which never ends without a call
	var well []func()
	for i := range ill {
		well = append(well, b.ill(tenants-1-i, 0))
	}
	b.join(func(c *Config) { c.ReconcileSlots = 4 }) // so that each of the ill tenants could fill its own
	b.publishAll(nil)
	healthy := 0
	for _, e := range b.events {
		if b.tenantOf(e.Device) < tenants-ill {
			healthy++
		}
	}
	b.until("the others' events to end", func() bool { return b.outcomes() == healthy })
	calls := map[int]int{}
	for _, c := range b.sim.Journal() {
		if c.Op == "post" {
			calls[b.tenantOf(c.Device)]++
		}
	}
	for i := tenants - ill; i < tenants; i++ {
		if calls[i] == 0 {
			t.Errorf("tenant %d was not called: it is not known to be ill", i)
		}
	}
	for _, w := range well {
		w()
	}
	b.ended()
}
