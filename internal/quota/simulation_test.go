package quota

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestSimulation runs workers whose clocks differ, who lose swaps, replies and
// permits, meet pauses and rest, over one cell. It holds every permit against
// the promise in true time, which no worker knows. QUOTA_SEEDS=100000 runs more.
func TestSimulation(t *testing.T) {
	seeds := uint64(2000)
	if s := os.Getenv("QUOTA_SEEDS"); s != "" {
		var err error
		if seeds, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	used, most, skewed := 0, 0.0, 0
	for seed := range seeds {
		w := newWorld(seed)
		w.run()
		if err := w.check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		used += len(w.used)
		most = max(most, w.tightest())
		if w.apart = 0; w.check() != nil {
			skewed++ // the clocks were what made room for it
		}
	}
	t.Logf("%d permits; the fullest span has %.1f %% of the burst; %d seeds need the clocks' share", used, 100*most, skewed)
	if most < 0.99 || skewed == 0 {
		t.Errorf("the promise is not tried: %.0f %% of the burst, %d seeds with clocks apart", 100*most, skewed)
	}
}

// TestSimulationFindsMistakes makes each mistake and wants the promise broken.
func TestSimulationFindsMistakes(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"no compare":             func(w *world) { w.blind = true },
		"rest without bound":     func(w *world) { w.saves = true },
		"lapsed times come back": func(w *world) { w.returns = true },
		"clocks beyond Skew":     func(w *world) { w.wild = true },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2000) {
				w := newWorld(seed)
				spoil(w)
				w.run()
				if w.check() != nil {
					return
				}
			}
			t.Error("nothing is found")
		})
	}
}

// A world is some workers, a cell, and the time.
type world struct {
	r                           *rand.Rand
	l                           Limit
	now                         time.Time // true
	cell                        Cell
	actors                      []*actor
	used                        []time.Time // true beginnings of the spans in which permits allow a call
	apart                       time.Duration
	blind, saves, returns, wild bool // mistakes
}

// An actor has the bucket that a worker has, without its broker.
type actor struct {
	clock  time.Duration // ahead of true time
	bucket Bucket
	stale  Cell // read a while ago
}

func newWorld(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 14))
	w := &world{r: r, l: Limit{0.2 + 30*r.Float64(), 1 + r.IntN(30)}, now: t0}
	for range 1 + r.IntN(6) {
		a := &actor{}
		if seed%4 > 0 { // otherwise all clocks agree
			a.clock = time.Duration(r.Int64N(int64(Skew) + 1))
		}
		w.actors = append(w.actors, a)
	}
	return w
}

func (w *world) run() {
	for _, a := range w.actors {
		if w.wild {
			a.clock *= 20
		}
		a.bucket.limit = w.l
		a.bucket.now = func() time.Time { return w.now.Add(a.clock) }
	}
	for i := range w.actors { // of all pairs
		for j := range i {
			w.apart = max(w.apart, (w.actors[i].clock - w.actors[j].clock).Abs())
		}
	}
	busy := time.Duration(w.r.Int64N(int64(300 * ms)))
	for range 100 + w.r.IntN(200) {
		w.step(w.actors[w.r.IntN(len(w.actors))])
		switch w.r.IntN(40) {
		case 0: // everyone rests
			w.now = w.now.Add(time.Duration(w.r.Int64N(int64(20 * time.Second))))
		case 1, 2, 3, 4, 5, 6, 7: // at once
		default:
			w.now = w.now.Add(time.Duration(w.r.ExpFloat64() * float64(busy)))
		}
	}
}

func (w *world) step(a *actor) {
	c := w.cell
	switch n := w.r.IntN(100); {
	case n < 2:
		now, _, l := a.bucket.meet(c)
		w.cell = c.Throttled(now, l, time.Duration(w.r.IntN(8))*time.Second, w.r.Float64())
		return
	case n < 12: // its swap will be lost
		a.stale = c
		return
	case n < 22 && w.blind:
		c = a.stale
	case n < 30 && w.saves:
		c.Next = c.Next.Add(-20 * time.Second)
	case n < 60 && w.returns:
		c.Next = c.Next.Add(-w.l.gap(1))
	}
	next, times := a.bucket.draw(c, 1+w.r.IntN(12))
	w.cell = next
	if w.r.IntN(20) == 0 {
		return // the reply is lost, or the worker
	}
	for _, t := range times {
		w.used = append(w.used, t.Add(-a.clock))
	}
}

// check holds all spans of time against the promise. A permit allows a call in a
// window of length W if its time lies in the W + Valid up to the window's end, so it is enough to
// look at the times: no span L has more than Rate × (L + D) + Burst of them.
func (w *world) check() error {
	worst, n, span := w.worst()
	if worst > float64(w.l.Burst)+1e-3 { // gaps are whole nanoseconds
		return fmt.Errorf("%+v with clocks %v apart: %d permits in %v, %.2f above the rate", w.l, w.apart, n, span, worst)
	}
	return nil
}

// worst is the most that any span has above Rate × (L + D).
func (w *world) worst() (above float64, n int, span time.Duration) {
	slices.SortFunc(w.used, time.Time.Compare)
	from, least := 0, 0.0 // the span's best beginning so far
	for i, t := range w.used {
		height := float64(i) - w.l.Rate*t.Sub(w.used[0]).Seconds()
		if height < least {
			from, least = i, height
		}
		if d := height - least + 1 - w.l.Rate*w.apart.Seconds(); d > above {
			above, n, span = d, i-from+1, t.Sub(w.used[from])
		}
	}
	return above, n, span
}

// tightest is how near the worst span came, where clocks agree.
func (w *world) tightest() float64 {
	if w.apart > 0 {
		return 0
	}
	above, _, _ := w.worst()
	return above / float64(w.l.Burst)
}
