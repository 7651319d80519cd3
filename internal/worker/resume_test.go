package worker

import (
	"context"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/quota"
)

// A person's word ends the pause of every worker at once, and the devices that
// were put back for its length are told, whichever worker put them back.
func TestAPausedTenantIsResumed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.AddApp(entraTenant, graphsim.App{ClientID: clientID, ClientSecret: secret, Roles: []string{"DeviceManagementManagedDevices.Read.All"}})
	for range 2 {
		r.work()
	}
	e, other := r.publish(remove(app(1))...), r.publish(remove(app(2))...)
	await.State(t, "the tenant to pause", func() bool { return strings.Contains(r.log.String(), `"kind":"denied"`) })
	q, k := r.quota(), quota.Key{TenantID: entraTenant, ClientID: clientID}
	await.State(t, "people to be told", func() bool {
		n, err := q.Notice(context.Background(), k)
		return err == nil && n.Until.After(time.Now().Add(deniedMin/4))
	})
	r.sim.AddApp(entraTenant, graphsim.App{ClientID: clientID, ClientSecret: secret}) // has what it needs, in tokens to come
	if err := q.Resume(context.Background(), k, time.Now()); err != nil {
		t.Fatal(err)
	}
	r.outcome(e, events.Accepted)
	r.outcome(other, events.Accepted)
	if n, err := q.Notice(context.Background(), k); err != nil || !n.Until.IsZero() {
		t.Errorf("people are told that the tenant waits: %+v, %v", n, err)
	}
}

// A pause that Graph asked for is no person's to end.
func TestAThrottledTenantIsNotResumed(t *testing.T) {
	now := time.Now()
	p := newPause(func() time.Time { return now })
	p.throttled(quota.Write, now.Add(time.Minute))
	if p.resume() || p.wait() == nil {
		t.Error("a pause after a 429 was ended")
	}
	now = now.Add(time.Hour)
	for range 5 {
		p.denied(quota.Write)
		now = now.Add(time.Hour)
	}
	p.denied(quota.Write)
	if !p.resume() || p.wait() != nil || p.gate() != 0 {
		t.Error("a lost permission still pauses")
	}
	if after, begun := p.denied(quota.Write); !begun || after > deniedMin {
		t.Errorf("the pause after it is %v, %v", after, begun)
	}
}
