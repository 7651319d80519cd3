package worker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/graphsim"
	"changerelay/internal/quota"
)

const slowTenant = "7f3c1d52-9b1e-4d0e-8a52-3c1b7f0a1dff"

// hanging has what it asks Graph for devices by a route hang until it is released.
type hanging struct {
	http.RoundTripper
	released chan struct{}
}

func (h hanging) RoundTrip(q *http.Request) (*http.Response, error) {
	if strings.Contains(q.URL.Path, "deviceRunStates") {
		select {
		case <-h.released:
		case <-q.Context().Done():
			return nil, q.Context().Err()
		}
	}
	return h.RoundTripper.RoundTrip(q)
}

// slow adds a tenant whose Graph hangs until release.
func (r *rig) slow(released chan struct{}, read quota.Limit) func(*Config) {
	r.t.Helper()
	r.sim.AddTenant(graphsim.Tenant{ID: slowTenant, ClientID: clientID, ClientSecret: secret}, graphsim.Device{ID: device, Name: "phone", Platform: "iOS"})
	r.sim.AddRunState(slowTenant, graphsim.RunState{Family: "deviceHealthScripts", Script: "8f1a", State: "77", Device: device})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(r.sim.CA())
	g, err := graph.New(graph.Config{
		TenantID: slowTenant, ClientID: clientID, Credential: graph.Credential{Secret: func() (string, error) { return secret, nil }}, Custom: true,
		Cloud:     graph.Cloud{Graph: r.sim.URL(), Authority: r.sim.URL()},
		Transport: hanging{&http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, released},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return func(c *Config) {
		c.Tenants["slow"] = Tenant{Graph: g, TenantID: slowTenant, ClientID: clientID, Write: quota.Limit{Rate: 1e6, Burst: 1e6}, Read: read}
	}
}

// sendSlow publishes n targets of that tenant.
func (r *rig) sendSlow(n int) (sent []events.Event) {
	for range n {
		e := r.aimed(runOf+"77/managedDevice", remove(app(1))...)
		e.Tenant = "slow"
		sent = append(sent, r.send(e))
	}
	return sent
}

// Targets of a tenant whose Graph hangs keep those of no other tenant waiting,
// however many they are, and come to their device when Graph is back.
func TestTargetsOfAHangingTenantKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	r := routed(t)
	released := make(chan struct{})
	sent := r.sendSlow(resolvesAtOnce + 8)
	good := r.send(r.aimed(runOf+"77/managedDevice", remove(app(2))...))
	w := r.work(r.slow(released, quota.Limit{Rate: 1e6, Burst: 1e6}))
	began := time.Now()
	r.outcome(good, events.Accepted)
	if took := time.Since(began); took > CallTimeout/2 {
		t.Errorf("the other tenant's target took %v", took) // it has waited for a hanging one to end
	}
	close(released)
	for _, e := range sent[:4] {
		await.State(t, "a target of the hanging tenant", func() bool {
			got, err := r.s.Find(context.Background(), e.Ref())
			return err == nil && got.Device == device
		})
	}
	w.stop()
}

// Nor do those of a tenant whose quota is used up: they are put back.
func TestTargetsWithoutQuotaHoldNoPlace(t *testing.T) {
	t.Parallel()
	r := routed(t)
	released := make(chan struct{})
	close(released)
	r.sendSlow(2 * resolvesOfTenant)
	w := r.work(r.slow(released, quota.Limit{Rate: 0.01, Burst: 1}))
	await.State(t, "targets to be put back", func() bool {
		return strings.Count(r.log.String(), `"stage":"resolve","outcome":"busy"`) >= 2*resolvesOfTenant-1
	})
	w.stop()
}

// Nor do those of a tenant that is paused: Graph is not asked again.
func TestTargetsOfAPausedTenantArePutBack(t *testing.T) {
	t.Parallel()
	r := routed(t)
	released := make(chan struct{})
	close(released)
	r.sim.Fail(graphsim.Fault{Op: "get", Tenant: slowTenant, Status: 429, Header: http.Header{"Retry-After": {"60"}}, Times: -1})
	const n = 3 * resolvesOfTenant
	r.sendSlow(n)
	w := r.work(r.slow(released, quota.Limit{Rate: 1e6, Burst: 1e6}))
	await.State(t, "all to be put back", func() bool {
		return strings.Count(r.log.String(), `"stage":"resolve","outcome":"throttled"`) >= n
	})
	good := r.send(r.aimed(runOf+"77/managedDevice", remove(app(2))...))
	r.outcome(good, events.Accepted)
	w.stop()
	var asked int
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, `"op":"find"`) && strings.Contains(line, `"tenant":"slow"`) {
			asked++
		}
	}
	if asked == 0 || asked > resolvesOfTenant {
		t.Errorf("Graph was asked %d times", asked)
	}
}
