package stream

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// The state is what lies in the streams. Without a consumer nothing is folded; with
// one, what it has not acknowledged is not, and the oldest of that is named.
func TestState(t *testing.T) {
	var mu sync.Mutex
	var buried []string
	var panics int
	s, err := Open(t.Context(), natstest.Connect(t, natstest.Server(t).URL()), Options{
		Buried: func(reason string) { mu.Lock(); defer mu.Unlock(); buried = append(buried, reason) }, Panicked: func() { mu.Lock(); defer mu.Unlock(); panics++ }})
	if err != nil {
		t.Fatal(err)
	}
	look := func() State {
		t.Helper()
		st, err := s.State(t.Context())
		if err != nil || len(st.Streams) != len(Names) {
			t.Fatal(err, st)
		}
		return st
	}
	if st := look(); st.Unfolded != 0 || !st.Oldest.IsZero() || st.Streams[Changes] != (Contents{}) || st.Streams["KV_ledger"] != (Contents{}) {
		t.Errorf("of nothing: %+v", st)
	}
	for i := range 3 {
		if _, err := s.Publish(t.Context(), event(t, i)); err != nil {
			t.Fatal(err)
		}
	}
	st := look()
	if c := st.Streams[Changes]; st.Unfolded != 3 || !st.Oldest.Equal(c.Oldest) || c.Messages != 3 || c.Last != 3 || c.Bytes == 0 || c.MaxBytes != 0 {
		t.Errorf("without a consumer: %+v", st)
	}

	first := true
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Folds(ctx, 1, 1, func(ctx context.Context, ds []*Delivery) {
			if d := ds[0]; d.Sequence == 2 && first {
				first = false
				panic("of the test")
			} else if d.Sequence != 2 {
				_ = d.Ack(ctx)
			}
		})
	}()
	await.State(t, "two events to be folded", func() bool { return look().Unfolded == 1 })
	cancel()
	<-done
	m, err := s.streams[Changes].GetMsg(t.Context(), 2)
	if got := look(); err != nil || !got.Oldest.Equal(m.Time) {
		t.Errorf("the oldest is of %v, want %v (%v)", got.Oldest, m.Time, err)
	}

	for range 2 {
		if err := s.Park(t.Context(), Parked{Source: "desk", Body: []byte("x"), At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(buried, []string{string(events.Invalid)}) || panics != 1 {
		t.Errorf("buried %v, want one; %d panics", buried, panics)
	}
}

// Wake-ups are counted by tenant: those in hand or put back, and the others.
func TestWakeups(t *testing.T) {
	s, err := Open(t.Context(), natstest.Connect(t, natstest.Server(t).URL()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for tenant := range 300 { // more than the broker lists at once
		if _, err := s.js.CreateConsumer(t.Context(), Devices, s.reconciler(fmt.Sprint("t", tenant))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		if err := s.Wake(t.Context(), events.Address{Tenant: "t7", Device: fmt.Sprintf("0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d%02d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := s.js.Consumer(t.Context(), Devices, "reconcile-t7")
	if err != nil {
		t.Fatal(err)
	}
	ms, err := c.FetchNoWait(2)
	if err != nil {
		t.Fatal(err)
	}
	for m := range ms.Messages() {
		if err := m.NakWithDelay(time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	n, err := s.Wakeups(t.Context())
	if err != nil || len(n) != 300 || n["t7"] != (Wakeups{Pending: 3, Held: 2}) || n["t8"] != (Wakeups{}) {
		t.Errorf("%d tenants, t7 has %+v (%v)", len(n), n["t7"], err)
	}
}
