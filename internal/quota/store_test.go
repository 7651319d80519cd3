package quota

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/broker"
	"changerelay/internal/natstest"
)

var writes = Key{tenantID, clientID, Write}

func connect(t testing.TB, url string) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc := natstest.Connect(t, url)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return nc, js
}

func open(t testing.TB, url string, replicas int) *Store {
	t.Helper()
	_, js := connect(t, url)
	s, err := Open(t.Context(), js, replicas)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func config(t *testing.T, js jetstream.JetStream) jetstream.StreamConfig {
	t.Helper()
	st, err := js.Stream(t.Context(), "KV_"+Name)
	if err != nil {
		t.Fatal(err)
	}
	return st.CachedInfo().Config
}

func TestOpen(t *testing.T) {
	url := natstest.Server(t).URL()
	_, js := connect(t, url)
	if _, err := Attach(t.Context(), js); err == nil || !strings.Contains(err.Error(), "no quotas yet") {
		t.Errorf("attached to nothing: %v", err)
	}
	if _, err := js.Stream(t.Context(), "KV_"+Name); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("Attach has declared something: %v", err)
	}
	if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: Name, History: 5}); err != nil {
		t.Fatal(err)
	}
	open(t, url, 1)
	c := config(t, js)
	if c.AllowDirect || c.MaxMsgsPerSubject != 1 || c.Storage != jetstream.FileStorage || !c.DenyDelete || c.Replicas != 1 {
		t.Errorf("the bucket is %+v", c)
	}
	if _, err := Attach(t.Context(), js); err != nil {
		t.Error(err)
	}
}

// watch counts the requests that the broker gets.
func watch(t testing.TB, url string) (count func() (read, direct int, written uint64)) {
	t.Helper()
	nc, js := connect(t, url)
	var subs [2]*nats.Subscription
	for i, subject := range []string{"$JS.API.STREAM.MSG.GET.KV_quota", "$JS.API.DIRECT.GET.>"} {
		var err error
		if subs[i], err = nc.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return func() (int, int, uint64) {
		st, err := js.Stream(t.Context(), "KV_"+Name) // what came before is here then
		if err != nil {
			t.Fatal(err)
		}
		read, _, err := subs[0].Pending()
		direct, _, err2 := subs[1].Pending()
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return read, direct, st.CachedInfo().State.LastSeq
	}
}

// used moves the cell by one call.
func used(c Cell) Cell {
	c.Next, c.Count = latest(c.Next, t0).Add(time.Second), c.Count+1
	return c
}

// Whoever is alone needs one round trip; whoever is not learns of the others.
func TestUpdateRemembersTheCell(t *testing.T) {
	url := natstest.Server(t).URL()
	a, b := open(t, url, 1), open(t, url, 1)
	count := watch(t, url)
	for range 10 {
		if _, err := a.update(t.Context(), writes.String(), used); err != nil {
			t.Fatal(err)
		}
	}
	await.State(t, "the read to be counted", func() bool { read, _, _ := count(); return read > 0 })
	if read, direct, written := count(); read != 1 || direct != 0 || written != 10 {
		t.Errorf("%d reads, %d direct, %d writes; want 1, 0, 10", read, direct, written)
	}
	if _, err := b.update(t.Context(), writes.String(), used); err != nil {
		t.Fatal(err)
	}
	if c, err := a.update(t.Context(), writes.String(), used); err != nil || c.Count != 12 {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := b.Get(t.Context(), writes); err != nil || c.Count != 12 || c.Next != later(12*time.Second) {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := b.Get(t.Context(), Key{tenantID, clientID, Read}); err != nil || c != (Cell{}) {
		t.Errorf("another quota: %+v, %v", c, err)
	}
}

// A lease and a 429 may be written side by side, and end in either order.
func TestAnOlderCellIsNotRemembered(t *testing.T) {
	s := open(t, natstest.Server(t).URL(), 1)
	s.remember("k", entry{rich, 5})
	s.remember("k", entry{Cell{}, 4})
	if e, ok := s.recall("k"); !ok || e != (entry{rich, 5}) {
		t.Errorf("%+v, %t", e, ok)
	}
}

func TestUpdateWithoutChangeAsksNothing(t *testing.T) {
	url := natstest.Server(t).URL()
	s, count := open(t, url, 1), watch(t, url)
	for range 3 {
		if c, err := s.update(t.Context(), writes.String(), func(c Cell) Cell { return c }); err != nil || c != (Cell{}) {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	await.State(t, "the read to be counted", func() bool { read, _, _ := count(); return read > 0 })
	if read, _, written := count(); read != 1 || written != 0 {
		t.Errorf("%d reads and %d writes", read, written)
	}
}

// A losing bucket loses the first swaps with an error of its choice.
type losing struct {
	keys
	err  error
	left int
}

func (l *losing) Swap(ctx context.Context, key string, b []byte, over uint64) (uint64, error) {
	if l.left--; l.left >= 0 {
		return 0, fmt.Errorf("swapping: %w", l.err)
	}
	return l.keys.Swap(ctx, key, b, over)
}

// lost are the broker's words for it: of one server, and mostly of a cluster.
var lost = []error{
	&jetstream.APIError{Code: 400, ErrorCode: jetstream.JSErrCodeStreamWrongLastSequence, Description: "wrong last sequence: 7"},
	&jetstream.APIError{Code: 400, ErrorCode: jetstream.JSErrCodeStreamWrongLastSequenceConstant, Description: "wrong last sequence"},
}

// byHand is the bucket as nats.go and the broker's own tool have it.
func byHand(t testing.TB, url string) jetstream.KeyValue {
	t.Helper()
	_, js := connect(t, url)
	kv, err := js.KeyValue(t.Context(), Name)
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func TestBothErrorsOfALostSwap(t *testing.T) {
	url := natstest.Server(t).URL()
	for n, lost := range lost {
		s := open(t, url, 1)
		if _, err := s.update(t.Context(), writes.String(), used); err != nil {
			t.Fatal(err)
		}
		s.keys = &losing{s.keys, lost, broker.Tries + 1} // more than tries that fail
		if c, err := s.update(t.Context(), writes.String(), used); err != nil || c.Count != 2*n+2 {
			t.Errorf("after %q: %+v, %v", lost, c, err)
		}
	}
}

func TestUpdateGivesUp(t *testing.T) {
	s := open(t, natstest.Server(t).URL(), 1)
	if _, err := s.update(t.Context(), writes.String(), used); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	s.keys = &losing{s.keys, broken, 1 << 30}
	if _, err := s.update(t.Context(), writes.String(), used); !errors.Is(err, broken) || !strings.Contains(err.Error(), writes.String()) {
		t.Errorf("without a deadline: %v", err)
	}
	s.keys = &losing{s.keys, lost[0], 1 << 30}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	_, err := s.update(ctx, writes.String(), func(c Cell) Cell {
		if calls++; calls == 3 {
			cancel()
		}
		return used(c)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after %d swaps: %v", calls, err)
	}
}

// counting moves the cell by each of the stores at once, and wants all of it kept.
func counting(t *testing.T, stores []*Store, each int) {
	t.Helper()
	var wg sync.WaitGroup
	for _, s := range stores {
		wg.Go(func() {
			for range each {
				if _, err := s.update(t.Context(), writes.String(), used); err != nil {
					t.Errorf("updating: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		if c, err := s.Get(t.Context(), writes); err != nil || c.Count != each*len(stores) {
			t.Errorf("%+v, %v; want %d updates", c, err, each*len(stores))
		}
	}
}

func TestNoUpdateIsLost(t *testing.T) {
	url := natstest.Server(t).URL()
	one := open(t, url, 1)
	counting(t, []*Store{one, open(t, url, 1), open(t, url, 1), one}, 25)
}

func TestNoUpdateIsLostOnACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("a cluster takes seconds to form")
	}
	c := natstest.Cluster(t, 3)
	stores := make([]*Store, 6)
	for i := range stores {
		stores[i] = open(t, c.URLs()[i%3], 3)
	}
	counting(t, stores, 10)
}

// An operator may delete a cell, and it begins anew.
func TestADeletedCell(t *testing.T) {
	url := natstest.Server(t).URL()
	s, kv := open(t, url, 1), byHand(t, url)
	for n := range 3 {
		if c, err := s.update(t.Context(), writes.String(), used); err != nil || c.Count != 1 {
			t.Fatalf("after %d deletions: %+v, %v", n, c, err)
		}
		if err := kv.Delete(t.Context(), writes.String()); err != nil {
			t.Fatal(err)
		}
		if c, err := s.Get(t.Context(), writes); err != nil || c != (Cell{}) {
			t.Fatalf("%+v, %v", c, err)
		}
	}
}

func TestANewerCellIsLeftAlone(t *testing.T) {
	url := natstest.Server(t).URL()
	s, kv := open(t, url, 1), byHand(t, url)
	const newer = `{"v":2,"surprise":true}`
	if _, err := kv.Put(t.Context(), writes.String(), []byte(newer)); err != nil {
		t.Fatal(err)
	}
	_, err := s.update(t.Context(), writes.String(), used)
	if err == nil || !strings.Contains(err.Error(), "version 2") || !strings.Contains(err.Error(), writes.String()) {
		t.Errorf("the error does not say which cell and why: %v", err)
	}
	if e, err := kv.Get(t.Context(), writes.String()); err != nil || string(e.Value()) != newer {
		t.Errorf("it is overwritten: %s, %v", e.Value(), err)
	}
}

func TestOneBucketAQuota(t *testing.T) {
	s := open(t, natstest.Server(t).URL(), 1)
	b := s.Bucket(writes, DefaultWrite, time.Now)
	if s.Bucket(Key{strings.ToUpper(tenantID), clientID, Write}, Limit{3, 4}, time.Now) != b {
		t.Error("the same quota has two buckets")
	}
	if b.limit != (Limit{3, 4}) {
		t.Errorf("the newest limit does not count: %+v", b.limit)
	}
	if s.Bucket(Key{tenantID, clientID, Read}, DefaultRead, time.Now) == b {
		t.Error("two quotas have one bucket")
	}
}
