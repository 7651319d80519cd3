package ledger

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/events"
)

// TestSimulation runs whole small relays, one a seed: two devices, two folders
// (stage 1) and two reconcilers (stage 2) as separate actors that are stepped in
// random order, crash, stall, lose compare-and-swaps and have clocks that
// differ; a broker that redelivers; and a Graph that refuses, loses replies,
// shows its state late, applies calls late, deletes apps and has admins of its
// own. In the end an oracle that shares no code with the protocol says what
// Graph should hold and which outcomes are true.
//
//	LEDGER_SEEDS=1000000 go test ./internal/ledger -run TestSimulation   more
//	LEDGER_SEED=4711     go test ./internal/ledger -run TestSimulation -v one, told step by step
func TestSimulation(t *testing.T) {
	if s := os.Getenv("LEDGER_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("LEDGER_SEED=%s is not a number", s)
		}
		w := newWorld(seed)
		w.trace = func(f string, a ...any) { t.Logf(f, a...) }
		for _, m := range w.msgs {
			w.trace("%s is for device %d, decided at %v: %s", m.e.Key, m.dev.n, m.e.Time.Sub(w.start), simWords(m.e))
		}
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		return
	}
	seeds := uint64(20_000)
	if raced() {
		seeds = 5_000 // a seed has one goroutine
	}
	if s := os.Getenv("LEDGER_SEEDS"); s != "" {
		if _, err := fmt.Sscan(s, &seeds); err != nil {
			t.Fatalf("LEDGER_SEEDS=%s is not a number", s)
		}
	}
	var next atomic.Uint64
	var failed atomic.Bool
	var mu sync.Mutex
	sum := tally{}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for !failed.Load() {
				seed := next.Add(1) - 1
				if seed >= seeds {
					return
				}
				w := newWorld(seed)
				if err := w.run(); err != nil {
					failed.Store(true)
					t.Errorf("%v\nagain, step by step: LEDGER_SEED=%d go test ./internal/ledger -run TestSimulation -v", err, seed)
					return
				}
				mu.Lock()
				sum.add(w.tally)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("%d seeds: %v", seeds, sum)
	if !failed.Load() && seeds >= 20_000 && *sloppy == "" {
		for k, n := range map[string]int{
			"posts": sum["posts"], "late": sum["late applies"], "healed": sum["retold"], "probes": sum["probes"], "lost": sum["lost replies"],
			"portal": sum["portal edits"], "expired": sum["expired"], "refused": sum["refused"], "unchanged": sum["unchanged"],
			"superseded": sum["superseded"], "replayed": sum["replays"], "cap": sum["over 30"], "zombie": sum["zombies"], "copies": sum["old copies"],
			"all told": sum["all accepted"], "all unchanged": sum["all unchanged"], "all superseded": sum["all superseded"], "all expired": sum["all expired"],
			"approval": sum["told with an approval"], "own": sum["left out others' removals"],
		} {
			if n == 0 {
				t.Errorf("the simulation never reached %q: it proves nothing about it", k)
			}
		}
	}
}

// raced reports whether the race detector is on.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// sloppy makes the actors break one law of their own, for TestMutations.
var sloppy = flag.String("sloppy", "", "what the simulated workers get wrong")

type tally map[string]int

func (t tally) add(o tally) {
	for k, n := range o {
		t[k] += n
	}
}

func (t tally) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(t)) {
		fmt.Fprintf(&b, "%s %d · ", k, t[k])
	}
	return b.String()
}

var simTiming = DefaultTiming

const (
	simAckWait = 45 * time.Second
	simMaxAge  = 2 * time.Hour
	simMinAge  = 15 * time.Minute // the maximum, in a hasty world
)

// A world is one seed.
type world struct {
	r       *rand.Rand
	seed    uint64
	now     time.Time
	start   time.Time
	steps   int
	days    int
	quiet   bool // no more faults: let it settle
	own     bool // the relay keeps only its own removals
	filed   bool // every event has an approval: one is told at a time
	maxAge  time.Duration
	devices []*simDevice
	msgs    []*simMsg // CHANGES
	actors  []*simActor
	final   map[string][]events.Outcome
	reports map[string]Report
	err     error
	trace   func(string, ...any)
	saved   func(Device)
	tally   tally
}

// A simDevice is a device's document, its wake-up and its Graph.
type simDevice struct {
	n     int
	doc   Device
	prev  Device // the document before the last write, for stale reads
	rev   int
	wake  *simWake
	graph simGraph
	full  bool // more is wanted of it than Graph allows
}

type simWake struct {
	seq   int
	doc   Device // as it was folded, with its revision
	rev   int
	after time.Time // not delivered before: put back, or in flight
}

type simMsg struct {
	e          Entry
	first      Order // of the event, whoever replays it
	dev        *simDevice
	acked      bool
	after      time.Time
	deliveries int
}

func newWorld(seed uint64) *world {
	w := &world{
		r: rand.New(rand.NewPCG(seed, 7)), seed: seed, now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		final: map[string][]events.Outcome{}, reports: map[string]Report{}, tally: tally{},
		trace: func(string, ...any) {}, saved: func(Device) {},
	}
	w.start = w.now
	w.now = w.now.Add(time.Hour)
	w.own, w.filed, w.maxAge = w.chance(4), w.chance(10), simMaxAge
	if w.chance(10) {
		w.maxAge = simMinAge
	}
	many := w.chance(12) // more than 30 items
	for n := range 2 {
		d := &simDevice{n: n, graph: newSimGraph(w)}
		if many {
			for j := range 24 + w.r.IntN(6) {
				d.graph.held[fmt.Sprint("old", j)] = true
			}
			d.graph.record(w.now.Add(-time.Hour))
		}
		w.devices = append(w.devices, d)
	}
	for range 2 {
		skew := func() time.Duration { return time.Duration(w.r.Int64N(int64(simTiming.Skew))) - simTiming.Skew/2 }
		w.actors = append(w.actors, &simActor{w: w, folder: true, skew: skew()}, &simActor{w: w, skew: skew()})
	}
	for i := range 2 + w.r.IntN(7) {
		w.publish(i, many)
	}
	return w
}

func (w *world) chance(n int) bool { return w.r.IntN(n) == 0 }

// publish stores the i-th new event of a day in CHANGES. Its key says nothing
// of its place, as a hash does.
func (w *world) publish(i int, many bool) *simMsg {
	e := Entry{Order: Order{
		Time: w.start.Add(time.Duration(w.r.IntN(5)) * time.Minute), Seq: uint64(len(w.msgs) + 1),
		Key: fmt.Sprintf("%c%d%d", 'a'+w.r.IntN(26), w.days, i),
	}, Accepted: w.now}
	items := w.r.Perm(5)[:1+w.r.IntN(3)]
	if many {
		items = w.r.Perm(12)[:1+w.r.IntN(6)]
	}
	if w.filed || w.chance(15) {
		e.Approval = "code"
	}
	if w.chance(8) {
		e.Changes, items = []events.Change{{Intent: events.RestoreAll}}, nil
	}
	for _, j := range items {
		e.Changes = append(e.Changes, events.Change{Intent: []events.Intent{events.Remove, events.Remove, events.Restore}[w.r.IntN(3)], Item: simItem(fmt.Sprint("app", j))})
	}
	return w.store(e, e.Order, w.devices[w.r.IntN(2)])
}

func (w *world) store(e Entry, first Order, d *simDevice) *simMsg {
	e.Message = uint64(len(w.msgs) + 1)
	m := &simMsg{e: e, first: first, dev: d}
	w.msgs = append(w.msgs, m)
	w.trace("%s stored %s for device %d at %v: %s", w.at(), e.Key, d.n, e.Time.Sub(w.start), simWords(e))
	return m
}

func simItem(id string) events.Item { return events.Item{ID: id, Type: events.Application} }

func simWords(e Entry) string {
	var s []string
	for _, c := range e.Changes {
		s = append(s, string(c.Intent)+" "+c.Item.ID)
	}
	return strings.Join(s, ", ")
}

func (w *world) at() string { return fmt.Sprintf("%9v", w.now.Sub(w.start).Round(time.Millisecond)) }

func (w *world) fail(f string, a ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("seed %d at %s: %s", w.seed, w.at(), fmt.Sprintf(f, a...))
	}
}

// run plays the seed: traffic with faults, then quiet, then days later admins,
// Graph's own restore and replays of dead letters.
func (w *world) run() error {
	w.play(150)
	w.check("after the traffic")
	if w.err == nil && w.chance(2) {
		w.later()
		w.play(60)
		w.check("days later")
	}
	return w.err
}

// play steps the actors until everything is settled; faults stop after n steps.
func (w *world) play(n int) {
	w.quiet = false
	for i := 0; w.err == nil; i++ {
		w.quiet = i >= n
		if i > n && w.idle() {
			return
		}
		if i > 20_000 {
			w.fail("no progress: %s", w.stuck())
			return
		}
		w.steps++
		w.tick()
		a := w.actors[w.r.IntN(len(w.actors))]
		if !w.quiet && a.pc != nil && w.chance(25) {
			w.trace("%s %s crashes", w.at(), a)
			a.drop()
			continue
		}
		a.step()
	}
}

func (w *world) tick() {
	w.now = w.now.Add(time.Duration(1+w.r.IntN(4000)) * time.Millisecond)
	if w.chance(12) { // a stall
		w.now = w.now.Add(time.Duration(w.r.IntN(180)) * time.Second)
	}
	for _, d := range w.devices {
		d.graph.advance(w.now)
		if w.quiet {
			continue
		}
		if w.chance(80) {
			d.graph.portal(w)
		}
		if w.chance(300) && len(d.graph.bad) < 2 {
			d.graph.delete(w)
		}
	}
}

// idle reports whether nothing is left to do.
func (w *world) idle() bool {
	for _, m := range w.msgs {
		if !m.acked {
			return false
		}
	}
	for _, a := range w.actors {
		if a.pc != nil {
			return false
		}
	}
	for _, d := range w.devices {
		if d.wake != nil || len(d.graph.late) > 0 {
			return false
		}
	}
	return true
}

func (w *world) stuck() string {
	var b strings.Builder
	for _, d := range w.devices {
		fmt.Fprintf(&b, "device %d: next %v pending %d retell %v blame %v doubts %d held %v graph %v; ", d.n, d.doc.Next(w.now, simTiming),
			len(d.doc.Pending), d.doc.Retell, d.doc.Blame, len(d.doc.Doubts), ids(d.doc.View.Held), d.graph.set())
	}
	return b.String()
}

// later is a second day: enough time passes that everything is settled and
// shown, Graph restores by itself or admins edit, and new events come.
func (w *world) later() {
	gap := 20 * time.Minute
	if w.chance(2) {
		gap = 30 * time.Hour
	}
	w.now = w.now.Add(gap)
	w.trace("%s ─── %v later", w.at(), gap)
	for _, d := range w.devices {
		if gap > 24*time.Hour && w.chance(2) {
			d.graph.restoreAll(w)
		} else {
			d.graph.portalApps(w)
		}
	}
	w.now = w.now.Add(simTiming.Fresh + simTiming.Lag + simTiming.Skew + time.Second)
	w.start = w.now // new events are newer than what admins did
	w.days++
	for i := range 1 + w.r.IntN(3) {
		w.publish(i, false)
	}
	for _, m := range w.msgs[:len(w.msgs)-1] {
		if r, ok := w.reports[m.e.Key]; ok && r.Outcome.Dead() && w.chance(2) && !strings.Contains(m.e.Key, "-r") {
			e := r.Entry
			e.Key, e.Accepted, e.Attempts = fmt.Sprintf("%s-r%d", e.Key, e.Seq), w.now, 0
			if w.chance(3) {
				e.Approval = "code"
			}
			if *sloppy == "replay" {
				e.Time = w.now
			}
			w.tally["replays"]++
			w.store(e, m.first, m.dev)
		}
	}
}

func ids(items []events.Item) []string {
	var s []string
	for _, it := range items {
		s = append(s, it.ID)
	}
	return s
}
