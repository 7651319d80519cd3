package trial

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"time"

	"changerelay/internal/proof"
)

// A fault is one thing that the nemesis can do. strike breaks something and
// returns how it is mended; class is its row in the list of fault classes.
type fault struct {
	name   string
	class  int
	weight int
	strike func(*trial, context.Context) (mend func(), what string, err error)
	when   func(*trial) bool // it can be had, now; nil is always
}

// nemesis injects faults one after the other, sometimes two at once, with a
// moment's peace in between.
func (t *trial) nemesis(ctx context.Context, sent <-chan struct{}) {
	said := time.Now()
	for n := range t.Faults {
		select {
		case <-ctx.Done():
			return
		case <-sent:
			if n > 0 { // all is sent; what remains of the faults would strike nobody
				return
			}
		default:
		}
		t.raise()
		mend := t.strike(ctx, t.choose())
		if t.dice.IntN(4) == 0 {
			mend = append(mend, t.strike(ctx, t.choose())...)
		}
		t.pass(ctx, faultFor/2)
		for _, m := range mend {
			m()
		}
		t.pass(ctx, faultFor/4)
		if time.Since(said) > sayEvery {
			t.say("%d of %d faults, %d of %d events sent, %d acknowledged", n+1, t.Faults, t.desk.begun.Load(), t.Events, t.desk.acked.Load())
			said = time.Now()
		}
	}
}

// pass lets about d go by.
func (t *trial) pass(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d/2 + time.Duration(t.dice.Int64N(int64(d)))):
	}
}

// choose takes a fault by weight; one that does nothing if none can be had.
func (t *trial) choose() fault {
	some := slices.DeleteFunc(slices.Clone(faults), func(f fault) bool {
		return !strings.HasPrefix(f.name, t.Only) || f.when != nil && !f.when(t)
	})
	sum := 0
	for _, f := range some {
		sum += f.weight
	}
	if sum == 0 {
		return fault{}
	}
	at := t.dice.IntN(sum)
	for _, f := range some {
		if at -= f.weight; at < 0 {
			return f
		}
	}
	return some[0]
}

// strike injects a fault and notes it; the mending notes its end.
func (t *trial) strike(ctx context.Context, f fault) []func() {
	if f.strike == nil {
		return nil
	}
	began := time.Now()
	mend, what, err := f.strike(t, ctx)
	if err != nil { // it is not in the record, but what it has broken must be mended
		t.say("%s: %v", f.name, err)
		if mend == nil {
			return nil
		}
		return []func(){mend}
	}
	return []func(){func() {
		if mend != nil {
			mend()
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.history.Faults = append(t.history.Faults, proof.Fault{At: began, Over: time.Now(), Class: f.class, What: strings.TrimSpace(f.name + " " + what)})
	}}
}

// mend repairs everything, whatever was broken.
func (t *trial) mend() {
	ctx := context.Background()
	_ = t.graph.ask(ctx, "DELETE", "/faults", nil, nil)
	_ = t.graph.skew(ctx, 0)
	t.secrets()
	for _, s := range append(append([]*service{}, t.workers...), t.ingests...) {
		for _, l := range s.links() {
			l.set(well)
		}
		s.signal(syscall.SIGCONT)
		_ = replace(s.config, s.text)
		s.revive()
	}
	for i, b := range t.brokers {
		_ = b.slowDisk(0)
		if t.disks != nil {
			_ = t.disks.free(i)
		}
		b.signal(syscall.SIGCONT)
		b.revive()
	}
}

// raise starts what has ended although the nemesis has mended everything: a port that was
// taken meanwhile, or a program that fell by itself. The record says so.
func (t *trial) raise() {
	var all []*process
	for _, s := range append(append([]*service{}, t.workers...), t.ingests...) {
		all = append(all, &s.process)
	}
	for _, b := range t.brokers {
		all = append(all, &b.process)
	}
	for _, p := range all {
		if p.revive() {
			t.say("%s had ended by itself; it said:\n%s", p.name, p.tail())
			t.mu.Lock()
			t.history.Faults = append(t.history.Faults, proof.Fault{At: time.Now(), Over: time.Now(), What: "ended by itself: " + p.name})
			t.mu.Unlock()
		}
	}
}

// revive starts the process if it is gone, and reports whether it was.
func (p *process) revive() bool {
	gone := p.wait(time.Millisecond)
	if gone {
		_ = p.start()
	}
	return gone
}
