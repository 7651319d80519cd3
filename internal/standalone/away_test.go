package standalone

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"changerelay/internal/await"
	"changerelay/internal/natstest"
	"changerelay/internal/relay"
)

// The broker goes away under load: what was acknowledged is stored and ends
// accepted, the rest was told to come again, and the relay goes on by itself.
func TestTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	const senders, devices = 4, 100
	r := newRig(t, natstest.SyncAlways())
	var names []string
	for i := range devices {
		names = append(names, fmt.Sprint("d", i))
	}
	r.tenant("acme", names...)
	p := r.start(relay.Ingest | relay.Worker)
	r.ready(p)

	l := &answers{stored: map[int]string{}, again: map[int]bool{}, some: make(chan struct{})}
	send := func(n int) int {
		id := fmt.Sprint(n)
		a, err := r.do(r.request(p.ingest, "desk", id, change(id, names[n%devices], fmt.Sprint("app", n/devices))))
		if err != nil {
			t.Error(err)
			return 0
		}
		if !l.note(n, a) {
			t.Errorf("%d is answered %v", n, a)
		}
		return a.code
	}
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() { // each sends until it is told to come again
			for n := i; send(n) == http.StatusAccepted; n += senders {
			}
		})
	}
	<-l.some
	r.broker.Stop()
	await.State(t, "readiness to end", func() bool { return r.get(p.admin+"/readyz").code == http.StatusServiceUnavailable })
	if a := r.get(p.admin + "/healthz"); a.code != http.StatusOK {
		t.Errorf("/healthz is %v", a)
	}
	all.Wait()
	if len(l.again) != senders {
		t.Fatalf("%d of %d senders were told to come again", len(l.again), senders)
	}

	r.broker.Start()
	r.ready(p)
	for n := range l.again {
		send(n)
	}
	held := map[string]int{}
	for n, id := range l.stored {
		if got := r.outcome(p.ingest, id); got.Outcome != "accepted" {
			t.Errorf("%d ended %s: %s", n, got.Outcome, got.Reason)
		}
		held[names[n%devices]]++
	}
	for _, d := range names {
		if got := r.sim.Held(uuid("acme"), uuid(d)); len(got) != held[d] {
			t.Errorf("%s holds %d items, want %d", d, len(got), held[d])
		}
	}
}

// answers is what the senders were told.
type answers struct {
	mu     sync.Mutex
	stored map[int]string // ids of what was acknowledged
	again  map[int]bool   // told to come again
	some   chan struct{}  // closed when a few are stored
}

// note reports whether the answer is one that a sender may get.
func (l *answers) note(n int, a reply) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case a.code == http.StatusAccepted, a.code == http.StatusOK && l.again[n]: // 200: stored, and only the answer was lost
		l.stored[n] = a.ID
		if len(l.stored) == 20 {
			close(l.some)
		}
		return true
	case a.code == http.StatusServiceUnavailable:
		l.again[n] = true
		return a.header.Get("Retry-After") != "" && a.Error == "unavailable" && a.ID == ""
	}
	return false
}
