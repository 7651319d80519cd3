package worker

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"changerelay/internal/await"
	"changerelay/internal/events"
)

// TestCrashPoints stops a worker at each point and lets another take over. The
// simulator's journal must show no lost, partial, stale or overlapping call, and
// every event must have its one outcome.
func TestCrashPoints(t *testing.T) {
	for _, p := range Points {
		if p == InvalidDead || p == InvalidEnded {
			continue // TestCrashPointsOfAnInvalidEvent
		}
		t.Run(strings.ReplaceAll(string(p), " ", "-"), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.sim.DeleteItem(entraTenant, app(9).ID) // so that something is buried
			crash := r.crashing(p)
			first := r.publish(remove(app(1))...)
			poison := r.publish(remove(app(9))...)
			last := r.publish(remove(app(2))...)
			crash.wait()
			r.work()
			r.outcome(first, events.Accepted)
			r.outcome(poison, events.Refused)
			r.outcome(last, events.Accepted)
			r.settled(device)
			r.held(device, app(1), app(2))
			r.posts(device).whole(t, app(1), app(2))
			r.finals(3)
		})
	}
}

func TestCrashPointsOfAnInvalidEvent(t *testing.T) {
	for _, p := range []Point{InvalidDead, InvalidEnded} {
		t.Run(strings.ReplaceAll(string(p), " ", "-"), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			crash := r.crashing(p)
			e := r.event(device, remove(app(1))...)
			r.raw(e.Subject(), []byte(`{"specversion":"1.0"}`))
			crash.wait()
			r.work()
			r.outcome(e, events.Invalid)
			r.finals(1)
			await.State(t, "the message to be acked", func() bool { return r.folded() })
		})
	}
}

// A crash stops a worker at a point: it is cut off from the broker there, and
// the goroutine that got there does nothing more.
type crash struct{ reached, over chan struct{} }

func (c crash) wait() { <-c.reached }

func (r *rig) crashing(p Point) crash {
	c := crash{make(chan struct{}), make(chan struct{})}
	var once sync.Once
	var w *running
	ready := make(chan struct{})
	w = r.work(func(cfg *Config) {
		cfg.At = func(at Point) {
			<-ready
			if at != p {
				return
			}
			once.Do(func() {
				w.crash()
				close(c.reached)
			})
			<-c.over
			runtime.Goexit()
		}
	})
	r.t.Cleanup(func() { close(c.over) }) // before the worker's own: lets the dead goroutine end
	close(ready)
	return c
}

// whole wants sets that only grow: each POST that was taken holds what the one
// before it held, because the test only removes.
func (j journal) whole(t *testing.T, want ...events.Item) {
	t.Helper()
	j.sound(t)
	before := map[string]bool{}
	applied := 0
	for _, c := range j {
		if !c.Applied {
			continue
		}
		applied++
		now := map[string]bool{}
		for _, it := range c.Items {
			now[it.ID] = true
		}
		for id := range before {
			if !now[id] {
				t.Fatalf("a call leaves out %s, which Graph held:\n%v", id, j)
			}
		}
		before = now
	}
	for _, it := range want {
		if !before[it.ID] {
			t.Fatalf("%s is lost:\n%v", it.ID, j)
		}
	}
	if applied == 0 {
		t.Fatalf("no call was taken:\n%v", j)
	}
}

// finals wants n messages in OUTCOMES: one an event.
func (r *rig) finals(n uint64) {
	r.t.Helper()
	if got := r.stored("OUTCOMES"); got != n {
		r.t.Fatalf("%d outcomes of %d events", got, n)
	}
}
