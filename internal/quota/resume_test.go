package quota

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/natstest"
)

// A resumption is heard by every worker, and one of them wakes the devices.
func TestOneOfAllWakesWhatIsResumed(t *testing.T) {
	t.Parallel()
	url := natstest.Server(t).URL()
	a, ctx := open(t, url, 1), t.Context()
	if rs, err := a.Resumptions(ctx); err != nil || len(rs) != 0 {
		t.Fatalf("before the first: %v, %v", rs, err)
	}
	at := time.Now()
	if err := a.Resume(ctx, writes, at); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var won atomic.Int32
	for range 4 {
		s := open(t, url, 1)
		all.Go(func() {
			rs, err := s.Resumptions(ctx)
			r := rs[writes.App()]
			if err != nil || !r.At.Equal(at) {
				t.Errorf("a worker hears of %v, %v", rs, err)
			}
			if mine, err := s.Waking(ctx, writes.App(), r.At); err != nil {
				t.Error(err)
			} else if mine {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d workers wake the devices", won.Load())
	}
	if mine, err := a.Waking(ctx, writes.App(), at.Add(-time.Second)); mine || err != nil {
		t.Errorf("an earlier resumption is obeyed: %v, %v", mine, err)
	}
}

// Operators who resume different tenants at once do not undo each other, and what
// is old is forgotten.
func TestResumptionsAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	url, ctx, now := natstest.Server(t).URL(), t.Context(), time.Now()
	s := open(t, url, 1)
	old, reads, other := Key{"old", clientID, Write}, Key{tenantID, clientID, Read}, Key{"other", clientID, Write}
	if err := s.Resume(ctx, old, now.Add(-resumeFor-time.Second)); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for _, k := range []Key{reads, other} {
		both.Go(func() {
			if err := open(t, url, 1).Resume(ctx, k, now); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	rs, err := s.Resumptions(ctx)
	if err != nil || len(rs) != 2 || rs[writes.App()] != (Resumption{At: plain(now)}) || rs[other.App()] != rs[writes.App()] {
		t.Errorf("%v, %v", rs, err)
	}
}
