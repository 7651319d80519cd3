// Package trial runs the real programs, breaks what is around them, and records
// what can be seen from outside, for package proof to judge.
//
//	desk ── webhooks, publishes ──► ingest ×2 ──┐                 ┌── worker ×3 ──► graphsim
//	                                   (link)   └► nats-server ×3 ◄┘ (link)   (link)
//	nemesis: kill -9, SIGSTOP, SIGTERM, broken and slow links, lost replies, Graph's faults,
//	         consumers deleted, configurations with mistakes
//	recorder: answers, CHANGES, OUTCOMES, DEAD, the simulator's journal and state
//
// Every program is the one that users run, built by the toolchain that runs the
// test, each a process of its own on loopback. A link is a TCP proxy between two
// of them that can be cut, slowed, or made to lose what comes back.
//
// A trial is a seed, a number of events and of faults. The seed decides what is
// sent and what is broken in which order; what the machine's scheduler makes of
// it differs from run to run, so a failing run leaves its whole history and not
// just its seed. It ends by itself: after the last fault everything is mended, and
// all events must end within Options.Settle.
package trial

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"changerelay/internal/proof"
)

// Options say how large a trial is.
type Options struct {
	Seed    int64
	Events  int           // about; those of the desk
	Faults  int           // injected one after the other, while the desk sends
	Tenants int           // simulated Entra tenants
	Devices int           // of each tenant
	Settle  time.Duration // everything must have ended so long after the last fault was mended
	Dir     string        // of all files: logs, stores, configuration, the history
	Say     io.Writer     // progress
	Broken  []Breakage    // mistakes that the programs are built with
	Only    string        // only faults whose name begins so; "" is all
	Single  bool          // one broker in place of a cluster of three

	Until proof.Promise // ends as soon as this one is seen to be broken
	Still time.Duration // ends if no device is due and nothing has moved for so long, whatever has not ended; 0 is never
}

// A Breakage is a mistake that is put into a copy of a file of the source.
type Breakage struct{ File, Old, New string } // File from the module's root

// A trial is one run.
type trial struct {
	Options
	root  string // the module's
	began time.Time
	dice  *rand.Rand // the nemesis'

	bin     map[string]string
	brokers []*broker
	graph   *graph
	ingests []*service
	workers []*service
	desk    *desk
	disks   *disks       // nil if they cannot be had
	key     string       // the file of the desk's secret
	secret  atomic.Value // the desk's, a string
	turns   int          // secrets so far
	away    time.Time    // when all brokers last were, for long

	mu      sync.Mutex
	history proof.History

	mended time.Time // nothing is broken from then on
}

// Run makes the trial and returns what was recorded. An error is of the trial
// itself: a program did not start, or not everything ended in time; the history
// is good for what it has.
func Run(ctx context.Context, o Options) (proof.History, error) {
	t := &trial{Options: o, began: time.Now(), dice: rand.New(rand.NewPCG(uint64(o.Seed), 7))}
	t.history.Seed, t.history.Began = o.Seed, t.began
	t.history.Limits = proof.Limits{Budget: budget, Calls: 200, Window: 20 * time.Second, MaxAge: maxAge, Fresh: fresh + lag + budget}
	defer t.stop()
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{building, t.build},
		{"starting Graph", t.startGraph},
		{"making disks", t.startDisks},
		{"starting the brokers", t.startBrokers},
		{"starting the relay", t.startRelay},
		{"the trial", t.work},
	} {
		if err := step.do(ctx); err != nil {
			t.history.Ended = time.Now()
			return t.history, fmt.Errorf("%s: %w", step.what, err)
		}
		if step.what == building {
			t.history.Began = time.Now()
		}
		t.say("%s: done", step.what)
	}
	return t.history, nil
}

const building = "building the programs" // which is no part of the trial

// work is the trial proper: the desk and the nemesis, then peace, then the record.
func (t *trial) work(ctx context.Context) error {
	rec, err := t.record()
	if err != nil {
		return err
	}
	defer rec.close()
	sending, quiet := context.WithCancel(ctx)
	defer quiet()
	if t.desk, err = newDesk(t); err != nil {
		return err
	}
	sent := make(chan struct{})
	go func() { defer close(sent); t.desk.send(sending) }()
	watched := make(chan *proof.History, 1)
	go func() { watched <- rec.watch(sending, quiet) }()
	t.nemesis(sending, sent)
	<-sent
	quiet()
	if h := <-watched; h != nil {
		t.history = *h
		return nil
	}
	t.mend()
	t.mended = time.Now()
	err = rec.settle(ctx)
	h, at := rec.collect(ctx)
	t.history = h
	if err == nil {
		err = at
	}
	return err
}

// long: it is worth building a server for.
func (t *trial) long() bool { return t.Faults >= longFaults }

func (t *trial) path(name string) string { return filepath.Join(t.Dir, name) }

func (t *trial) say(format string, args ...any) {
	if t.Say != nil {
		fmt.Fprintf(t.Say, "%6.1fs  %s\n", time.Since(t.began).Seconds(), fmt.Sprintf(format, args...))
	}
}

// stop ends every process that the trial has started.
func (t *trial) stop() {
	for _, s := range append(append([]*service{}, t.ingests...), t.workers...) {
		s.close()
	}
	for _, b := range t.brokers {
		b.close()
	}
	if t.graph != nil {
		t.graph.close()
	}
	t.disks.close()
}
