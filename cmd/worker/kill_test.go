package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graphsim"
)

// kills is how many workers die in one test.
const kills = 50

// TestKilledBetweenGraphAndTheAnswer kills a worker's process while its call is
// with Graph, once just after Graph has taken the set and once just before, and
// has the next process find out which it was.
func TestKilledBetweenGraphAndTheAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("kills 100 processes, one after the other has settled")
	}
	for name, point := range map[string]graphsim.Point{"applied": graphsim.AfterApply, "not applied": graphsim.BeforeApply} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			devices := []string{deviceID(1), deviceID(2), deviceID(3)}
			r := newRig(t, "{fresh: 2s, lag: 60ms, settle: 60ms, hold: 8h, skew: 20ms, budget: 350ms, max_age: 1h}", devices...)
			w := r.start()
			o := newOracle()
			for i := range kills {
				dead := make(chan struct{})
				r.sim.Fail(graphsim.Fault{Op: "post", Point: point, Reset: true, Hook: func() { w.kill(); close(dead) }})
				dev := devices[i%len(devices)]
				e := r.publish(dev, o.next(dev)...)
				r.eventually("the call that kills worker "+fmt.Sprint(i), func() bool { return closed(dead) })
				r.lapse()
				w = r.start()
				r.outcome(e, events.Accepted)
				r.settled(dev)
			}
			for _, dev := range devices {
				o.agrees(t, dev, r.sim)
			}
			if st, err := r.js.Stream(t.Context(), "OUTCOMES"); err != nil || st.CachedInfo().State.Msgs != kills {
				t.Errorf("%d outcomes of %d events, %v", st.CachedInfo().State.Msgs, kills, err)
			}
		})
	}
}

// TestStoppedWhileGraphIsCalled asks a worker to end while Graph takes its time.
// It must hear the answer, write it down, and leave nothing to find out.
func TestStoppedWhileGraphIsCalled(t *testing.T) {
	for name, point := range map[string]graphsim.Point{"applied": graphsim.AfterApply, "not yet applied": graphsim.BeforeApply} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dev := deviceID(1)
			r := newRig(t, "{fresh: 2s, lag: 60ms, settle: 60ms, hold: 8h, skew: 20ms, budget: 20s, max_age: 1h}", dev)
			w := r.start()
			o := newOracle()
			asked := make(chan struct{})
			r.sim.Fail(graphsim.Fault{Op: "post", Point: point, Delay: 300 * time.Millisecond, Hook: func() {
				if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Error(err)
				}
				close(asked)
			}})
			e := r.publish(dev, o.next(dev)...)
			r.eventually("the call", func() bool { return closed(asked) })
			r.eventually("the worker to end", func() bool { return closed(w.done) })
			if w.err != nil {
				t.Errorf("the worker ended with %v", w.err)
			}
			d := r.document(dev)
			got, err := r.s.Find(t.Context(), e.Ref())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range d.Reports {
				got.Outcome = p.Outcome // known, and left to the next worker to report
			}
			if d.Attempt != nil || len(d.Doubts) > 0 || got.Outcome != events.Accepted {
				t.Errorf("the answer is not recorded: outcome %q, document %+v", got.Outcome, d)
			}
			r.start()
			r.outcome(e, events.Accepted)
			r.settled(dev)
			o.agrees(t, dev, r.sim)
		})
	}
}

// An oracle makes events, one after the other, and knows what each makes of its
// device.
type oracle struct {
	rand *rand.Rand
	held map[string]map[string]bool // by device: item ids under removal
	want map[string][][]string      // by device: the set after each event
}

func newOracle() *oracle {
	return &oracle{rand.New(rand.NewPCG(1, 2)), map[string]map[string]bool{}, map[string][][]string{}}
}

// next is an event's changes of one to three of eight items. Each changes
// something, so that sets grow and shrink.
func (o *oracle) next(dev string) (cs []events.Change) {
	if o.held[dev] == nil {
		o.held[dev] = map[string]bool{}
	}
	held := o.held[dev]
	for _, n := range o.rand.Perm(8)[:1+o.rand.IntN(3)] {
		it := events.Item{ID: fmt.Sprint("app-", n), Type: events.Application}
		if held[it.ID] {
			cs = append(cs, events.Change{Intent: events.Restore, Item: it})
			delete(held, it.ID)
		} else {
			cs = append(cs, events.Change{Intent: events.Remove, Item: it})
			held[it.ID] = true
		}
	}
	o.want[dev] = append(o.want[dev], slices.Sorted(maps.Keys(held)))
	return cs
}

// agrees wants the sets that Graph took to be those of the events, each once, in
// order and whole, and no two calls at once.
func (o *oracle) agrees(t *testing.T, dev string, sim *graphsim.Sim) {
	t.Helper()
	var posts []graphsim.Call
	for _, c := range sim.Journal() {
		if c.Op == "post" && c.Device == dev {
			posts = append(posts, c)
		}
	}
	var took [][]string
	for _, c := range posts {
		switch {
		case c.Overlap:
			t.Errorf("%s: two calls overlap at %v", dev, c.At)
		case c.Applied:
			took = append(took, ids(c.Items))
		case !c.Fault:
			t.Errorf("%s: Graph was told %v and answered %d", dev, ids(c.Items), c.Status)
		}
	}
	if !slices.EqualFunc(took, o.want[dev], slices.Equal) {
		t.Errorf("%s: Graph took\n%v\nwant\n%v", dev, took, o.want[dev])
	}
	if got, want := ids(sim.Held(entraTenant, dev)), slices.Sorted(maps.Keys(o.held[dev])); !slices.Equal(got, want) {
		t.Errorf("%s: Graph holds %v, want %v", dev, got, want)
	}
}

func ids(items []graphsim.Item) (s []string) {
	for _, it := range items {
		s = append(s, it.ID)
	}
	slices.Sort(s)
	return s
}

func deviceID(n int) string { return fmt.Sprintf("0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d%02x", n) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
