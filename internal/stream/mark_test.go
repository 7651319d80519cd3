package stream

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// refs are those of one event.
func refs(e events.Event) []events.Ref { return []events.Ref{e.Ref()} }

// begin is Begin with an hour's hold, which no test outlasts.
func begin(t *testing.T, s *Streams, proof string, e events.Event) *Mark {
	t.Helper()
	m, err := s.Begin(t.Context(), []byte(proof), refs(e), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func succeed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Everything that a second delivery can meet.
func TestBegin(t *testing.T) {
	t.Parallel()
	s := solo(t)
	a, b := event(t, 1), event(t, 2)
	for name, c := range map[string]struct {
		first func(t *testing.T, proof string)
		hold  time.Duration
		other error // of a second delivery, of other events; one of the same is let in
	}{
		"nothing":        {first: func(*testing.T, string) {}, hold: time.Hour},
		"in progress":    {first: func(t *testing.T, p string) { begin(t, s, p, a) }, hold: time.Hour, other: ErrUnavailable},
		"its maker died": {first: func(t *testing.T, p string) { begin(t, s, p, a) }},
		"done":           {first: func(t *testing.T, p string) { succeed(t, begin(t, s, p, a).Done(t.Context())) }, other: ErrReplayed},
		"taken back":     {first: func(t *testing.T, p string) { succeed(t, begin(t, s, p, a).Undo(t.Context())) }, hold: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			for i, e := range []events.Event{a, b} {
				proof, want := name+e.ID, []error{nil, c.other}[i]
				c.first(t, proof)
				m, err := s.Begin(t.Context(), []byte(proof), refs(e), c.hold)
				if !errors.Is(err, want) {
					t.Fatalf("event %s: %v, want %v", e.ID, err, want)
				}
				if err == nil {
					succeed(t, m.Done(t.Context()))
				}
			}
		})
	}
	// A broker's answer that was lost: the events are stored, and nobody knew.
	publish(t, s, a, false)
	for name, give := range map[string]func(*Mark){
		"given up": func(m *Mark) { succeed(t, m.Undo(t.Context())) },
		"died":     func(*Mark) {},
	} {
		give(begin(t, s, name, a))
		if _, err := s.Begin(t.Context(), []byte(name), refs(b), 0); !errors.Is(err, ErrReplayed) {
			t.Errorf("%s, but its event is stored: %v, want ErrReplayed", name, err)
		}
		if _, err := s.Begin(t.Context(), []byte(name), refs(a), time.Hour); err != nil {
			t.Errorf("%s, and again for the same event: %v", name, err)
		}
	}
}

// One of two that share a mark gives up; the other still holds it, whichever
// came first.
func TestUndoTakesBackOnlyTheLast(t *testing.T) {
	t.Parallel()
	s := solo(t)
	a, b := event(t, 1), event(t, 2)
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		proof := fmt.Sprint(order)
		holders := []*Mark{begin(t, s, proof, a), begin(t, s, proof, a)}
		early, late := holders[order[0]], holders[order[1]]
		succeed(t, early.Undo(t.Context()))
		succeed(t, early.Undo(t.Context()))
		if _, err := s.Begin(t.Context(), []byte(proof), refs(b), time.Hour); !errors.Is(err, ErrUnavailable) {
			t.Errorf("while a holder is left: %v, want ErrUnavailable", err)
		}
		succeed(t, late.Undo(t.Context()))
		other := begin(t, s, proof, b)
		if err := late.Done(t.Context()); !errors.Is(err, ErrReplayed) {
			t.Errorf("Done of a mark that another has: %v, want ErrReplayed", err)
		}
		succeed(t, late.Undo(t.Context())) // takes nothing from the other
		succeed(t, other.Done(t.Context()))
		succeed(t, other.Undo(t.Context()))
		succeed(t, begin(t, s, proof, b).Undo(t.Context())) // it came to nothing new
		if _, err := s.Begin(t.Context(), []byte(proof), refs(a), 0); !errors.Is(err, ErrReplayed) {
			t.Errorf("after Done: %v, want ErrReplayed", err)
		}
	}
}

// The broker forgets a mark at last, and its holder may still say Done.
func TestDoneAfterTheMarkIsForgotten(t *testing.T) {
	t.Parallel()
	s := solo(t)
	m := begin(t, s, "p", event(t, 1))
	succeed(t, s.streams[Marks].Purge(t.Context()))
	succeed(t, m.Done(t.Context()))
	if _, err := s.Begin(t.Context(), []byte("p"), refs(event(t, 2)), 0); !errors.Is(err, ErrReplayed) {
		t.Errorf("after Done: %v, want ErrReplayed", err)
	}
}

func TestMarksSurviveARestart(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t)
	s := open(t, b.URL(), Options{})
	succeed(t, begin(t, s, "p", event(t, 1)).Done(t.Context()))
	b.Stop()
	b.Start()
	if _, err := s.Begin(t.Context(), []byte("p"), refs(event(t, 2)), 0); !errors.Is(err, ErrReplayed) {
		t.Errorf("after a restart: %v, want ErrReplayed", err)
	}
}

// What another hand wrote lets nothing through.
func TestAStrangeMarkIsNoMark(t *testing.T) {
	t.Parallel()
	s := solo(t)
	for i, value := range []string{"", "{", `{"state":"Done","refs":[]}`, `{"state":"undone","refs":["x"]}`} {
		proof := fmt.Sprint("p", i)
		m := begin(t, s, proof, event(t, 1))
		if _, err := s.js.Publish(t.Context(), m.subject, []byte(value)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Begin(t.Context(), []byte(proof), refs(event(t, 2)), 0); err == nil || !strings.Contains(err.Error(), "mark") {
			t.Errorf("over %s: %v, want an error that names the mark", value, err)
		}
	}
}

// Reads come from the leader, and the bucket is one that other clients know.
func TestMarksBucket(t *testing.T) {
	t.Parallel()
	s := solo(t)
	succeed(t, begin(t, s, "p", event(t, 1)).Done(t.Context()))
	c := s.streams[Marks].CachedInfo().Config
	if c.AllowDirect || c.MaxMsgsPerSubject != 1 || c.MaxAge != MarksFor || c.Storage != jetstream.FileStorage {
		t.Errorf("the bucket is declared as %+v", c)
	}
	kv, err := s.js.KeyValue(t.Context(), "marks")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kv.Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Errorf("the keys are %v, %v; want one", keys, err)
	}
}

// A markSim has replicas race with deliveries of the same proofs.
type markSim struct {
	t    *testing.T
	hold time.Duration
	mu   sync.Mutex
	done map[string][]string // by proof, the events whose Done succeeded
}

// deliver is one delivery: it begins, publishes its event or not, and says Done,
// Undo or nothing.
func (sim *markSim) deliver(s *Streams, proof string, e events.Event, r *rand.Rand) {
	m, err := s.Begin(sim.t.Context(), []byte(proof), refs(e), sim.hold)
	if err != nil {
		if !errors.Is(err, ErrReplayed) && !errors.Is(err, ErrUnavailable) {
			sim.t.Error(err)
		}
		return
	}
	stored := r.IntN(2) == 0
	if stored {
		if _, err := s.Publish(sim.t.Context(), e); err != nil {
			sim.t.Error(err)
		}
	}
	switch fate := r.IntN(5); {
	case fate == 0: // dies
	case stored && fate > 1:
		sim.note(proof, e, m.Done(sim.t.Context()))
	default: // also when the broker's answer was lost
		if err := m.Undo(sim.t.Context()); err != nil {
			sim.t.Error(err)
		}
	}
}

func (sim *markSim) note(proof string, e events.Event, err error) {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	switch {
	case err == nil && !slices.Contains(sim.done[proof], e.ID):
		sim.done[proof] = append(sim.done[proof], e.ID)
	case err != nil && !errors.Is(err, ErrReplayed):
		sim.t.Error(err)
	}
}

// run has each proof used by every replica at once, for one of two events of
// its own, several times over.
func (sim *markSim) run(ss []*Streams, proofs, rounds int) (stored map[string][]string) {
	seed := rand.Uint64()
	sim.t.Logf("seed %d", seed)
	var all sync.WaitGroup
	for i, s := range ss {
		for p := range proofs {
			r := rand.New(rand.NewPCG(seed, uint64(i*proofs+p)))
			all.Go(func() {
				for range rounds {
					sim.deliver(s, fmt.Sprint(p), event(sim.t, 2*p+r.IntN(2)), r)
				}
			})
		}
	}
	all.Wait()
	stored = map[string][]string{}
	for p := range proofs {
		for n := range 2 {
			e := event(sim.t, 2*p+n)
			if ok, err := ss[0].allStored(sim.t.Context(), []string{e.Ref().String()}); err != nil {
				sim.t.Error(err)
			} else if ok {
				stored[fmt.Sprint(p)] = append(stored[fmt.Sprint(p)], e.ID)
			}
		}
	}
	return stored
}

// replicas are ingest services of one broker.
func replicas(t *testing.T, o Options, urls ...string) (ss []*Streams) {
	t.Helper()
	for i := range 3 {
		ss = append(ss, open(t, urls[i%len(urls)], o))
	}
	return ss
}

// Whatever dies, gives up or loses an answer: of what was signed once, the
// events of one delivery at most are stored.
func TestAProofStoresOnce(t *testing.T) {
	t.Parallel()
	storesOnce(t, replicas(t, Options{}, natstest.Server(t).URL()))
}

func TestClusterStoresAProofOnce(t *testing.T) {
	t.Parallel()
	storesOnce(t, replicas(t, Options{Replicas: 3}, natstest.Cluster(t, 3).URLs()...))
}

func storesOnce(t *testing.T, ss []*Streams) {
	sim := &markSim{t: t, hold: time.Hour, done: map[string][]string{}}
	stored := sim.run(ss, 40, 4)
	for proof, ids := range stored {
		if len(ids) > 1 {
			t.Errorf("proof %s stored %v", proof, ids)
		}
	}
	if len(stored) == 0 || len(sim.done) == 0 {
		t.Error("nothing was stored: the simulation shows nothing")
	}
}

// Even when holders are taken for dead that are not, one comes to Done.
func TestAProofIsDoneOnce(t *testing.T) {
	t.Parallel()
	sim := &markSim{t: t, done: map[string][]string{}}
	sim.run(replicas(t, Options{}, natstest.Server(t).URL()), 40, 4)
	for proof, ids := range sim.done {
		if len(ids) > 1 {
			t.Errorf("proof %s is done for %v", proof, ids)
		}
	}
	if len(sim.done) == 0 {
		t.Error("nothing was done: the simulation shows nothing")
	}
}
