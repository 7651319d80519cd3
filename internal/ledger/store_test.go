package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/broker"
	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

var phone = events.Address{Tenant: "acme", Device: "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11"}

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

// folding is an update that folds e.
func folding(e Entry) func(Device) (Device, error) {
	return func(d Device) (Device, error) { return d.Fold(e), nil }
}

// byHand is the bucket as nats.go and the broker's own tool have it.
func byHand(t testing.TB, url string) jetstream.KeyValue {
	t.Helper()
	_, js := connect(t, url)
	kv, err := js.KeyValue(t.Context(), Bucket)
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func revision(t *testing.T, s *Store, a events.Address) uint64 {
	t.Helper()
	_, n, err := s.keys.Load(t.Context(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Law 1 on the wire: no read may be answered by a replica.
func TestLaw01TheLeaderIsAsked(t *testing.T) {
	url := natstest.Server(t).URL()
	s := open(t, url, 1)
	nc, js := connect(t, url)
	var direct, leader atomic.Int64
	for subject, n := range map[string]*atomic.Int64{"$JS.API.DIRECT.GET.>": &direct, "$JS.API.STREAM.MSG.GET.>": &leader} {
		if _, err := nc.Subscribe(subject, func(*nats.Msg) { n.Add(1) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), phone, folding(word(1, t0, remove("x")...))); err != nil {
		t.Fatal(err)
	}
	if d, err := s.Get(t.Context(), phone); err != nil || !d.Due() {
		t.Fatalf("the document is not there: %v", err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if leader.Load() == 0 || direct.Load() != 0 {
		t.Errorf("%d reads by the leader, %d by any replica", leader.Load(), direct.Load())
	}
	st, err := js.Stream(t.Context(), "KV_"+Bucket)
	if err != nil {
		t.Fatal(err)
	}
	if c := st.CachedInfo().Config; c.AllowDirect || c.MaxMsgsPerSubject != 1 || c.Storage != jetstream.FileStorage || !c.DenyDelete {
		t.Errorf("the bucket is %+v", c)
	}
}

func TestLaw01ABucketWithDirectGetsIsMended(t *testing.T) {
	url := natstest.Server(t).URL()
	_, js := connect(t, url)
	if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: Bucket, Storage: jetstream.FileStorage}); err != nil {
		t.Fatal(err)
	}
	open(t, url, 1)
	st, err := js.Stream(t.Context(), "KV_"+Bucket)
	if err != nil || st.CachedInfo().Config.AllowDirect {
		t.Errorf("direct gets are still allowed: %v", err)
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

func TestLaw02BothErrorsOfALostSwap(t *testing.T) {
	url := natstest.Server(t).URL()
	for n, lost := range lost {
		s := open(t, url, 1)
		s.keys = &losing{s.keys, lost, broker.Tries + 1} // more than tries that fail
		d, err := s.Update(t.Context(), phone, folding(word(n, t0, remove("x")...)))
		if err != nil || len(d.Pending) != n+1 {
			t.Errorf("after %q: %v", lost, err)
		}
	}
}

// counting folds n events by each of as many goroutines, which all swap the
// same document.
func counting(t *testing.T, stores []*Store, each int) {
	t.Helper()
	var wg sync.WaitGroup
	for g, s := range stores {
		wg.Go(func() {
			for i := range each {
				if _, err := s.Update(t.Context(), phone, folding(word(g*each+i, t0, remove("x")...))); err != nil {
					t.Errorf("updating: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func counted(t *testing.T, s *Store, want int) {
	t.Helper()
	d, err := s.Get(t.Context(), phone)
	if err != nil || len(d.Pending) != want {
		t.Fatalf("%d of %d updates are there: %v", len(d.Pending), want, err)
	}
}

func TestLaw02NoUpdateIsLost(t *testing.T) {
	url := natstest.Server(t).URL()
	stores := make([]*Store, 16)
	for i := range stores {
		stores[i] = open(t, url, 1)
	}
	counting(t, stores, 10)
	counted(t, stores[0], 160)
}

func TestLaw02NoUpdateIsLostOnACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("a cluster takes seconds to form")
	}
	c := natstest.Cluster(t, 3)
	stores := make([]*Store, 6)
	for i := range stores {
		stores[i] = open(t, c.URLs()[i%3], 3)
	}
	counting(t, stores, 10)
	for _, s := range stores {
		counted(t, s, 60) // by whichever node it asks
	}
}

func TestUpdateWithoutChangeWritesNothing(t *testing.T) {
	s := open(t, natstest.Server(t).URL(), 1)
	same := func(d Device) (Device, error) { return d.clone(), nil }
	if d, err := s.Update(t.Context(), phone, same); err != nil || d.Due() {
		t.Fatalf("%v, %v", d, err)
	}
	if n := revision(t, s, phone); n != 0 {
		t.Fatalf("a document of nothing is written: %d", n)
	}
	e := word(1, t0, remove("x")...)
	if _, err := s.Update(t.Context(), phone, folding(e)); err != nil {
		t.Fatal(err)
	}
	before := revision(t, s, phone)
	for _, f := range []func(Device) (Device, error){same, folding(e)} {
		if d, err := s.Update(t.Context(), phone, f); err != nil || len(d.Pending) != 1 {
			t.Fatalf("%v, %v", d, err)
		}
	}
	if after := revision(t, s, phone); after != before {
		t.Errorf("revision %d is now %d", before, after)
	}
}

func TestUpdateReturnsTheErrorAsItIs(t *testing.T) {
	s := open(t, natstest.Server(t).URL(), 1)
	if _, err := s.Update(t.Context(), phone, folding(word(1, t0, remove("x")...))); err != nil {
		t.Fatal(err)
	}
	calls := 0
	d, err := s.Update(t.Context(), phone, func(d Device) (Device, error) {
		calls++
		return d.Accepted("nobody's", "rq", t0)
	})
	if err != ErrLost || calls != 1 { //nolint:errorlint // as it is
		t.Errorf("%d calls, %v", calls, err)
	}
	if len(d.Pending) != 1 {
		t.Errorf("the document is not returned with the error: %v", d)
	}
}

func TestUpdateEndsWithItsContext(t *testing.T) {
	s := open(t, natstest.Server(t).URL(), 1)
	s.keys = &losing{s.keys, lost[0], 1 << 30}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	_, err := s.Update(ctx, phone, func(d Device) (Device, error) {
		if calls++; calls == 3 {
			cancel()
		}
		return d.Fold(word(1, t0, remove("x")...)), nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after %d swaps: %v", calls, err)
	}
}

func TestDocumentsOutliveARestart(t *testing.T) {
	b := natstest.Server(t, natstest.SyncAlways())
	s := open(t, b.URL(), 1)
	if _, err := s.Update(t.Context(), phone, folding(word(1, t0, remove("x")...))); err != nil {
		t.Fatal(err)
	}
	b.Stop()
	b.Start()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d, err := s.Update(ctx, phone, folding(word(2, t0, remove("y")...)))
	for err != nil && ctx.Err() == nil { // until the connection is back
		d, err = s.Update(ctx, phone, folding(word(2, t0, remove("y")...)))
	}
	if err != nil || len(d.Pending) != 2 {
		t.Fatalf("%v, %v", d.Pending, err)
	}
}

func TestEach(t *testing.T) {
	url := natstest.Server(t).URL()
	s, kv := open(t, url, 1), byHand(t, url)
	var want []string
	for n := range 5 {
		a := phone
		a.Device = fmt.Sprintf("%s%d", a.Device[:len(a.Device)-1], n)
		want = append(want, a.String()+fmt.Sprint(" ", n))
		if _, err := s.Update(t.Context(), a, folding(word(n, t0, remove("x")...))); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	if err := s.Each(t.Context(), func(a events.Address, d Device) bool {
		got = append(got, a.String()+fmt.Sprint(" ", d.Pending[0].Seq))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	calls := 0
	if err := s.Each(t.Context(), func(events.Address, Device) bool { calls++; return false }); err != nil || calls != 1 {
		t.Errorf("%d calls after the first said stop: %v", calls, err)
	}
	if _, err := kv.Put(t.Context(), "not-a-device", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := s.Each(t.Context(), func(events.Address, Device) bool { return true }); err == nil || !strings.Contains(err.Error(), "not-a-device") {
		t.Errorf("a stray key is not named: %v", err)
	}
}

func TestANewerDocumentIsLeftAlone(t *testing.T) {
	url := natstest.Server(t).URL()
	s, kv := open(t, url, 1), byHand(t, url)
	if _, err := kv.Put(t.Context(), phone.String(), []byte(`{"v":3,"surprise":true}`)); err != nil {
		t.Fatal(err)
	}
	before := revision(t, s, phone)
	_, err := s.Update(t.Context(), phone, folding(word(1, t0, remove("x")...)))
	if err == nil || !strings.Contains(err.Error(), "version 3") || !strings.Contains(err.Error(), phone.String()) {
		t.Errorf("the error does not say which document and why: %v", err)
	}
	if after := revision(t, s, phone); after != before {
		t.Error("it is overwritten")
	}
}

// A document that somebody has deleted by hand, or purged, is made anew.
func TestADeletedDocumentIsMadeAnew(t *testing.T) {
	url := natstest.Server(t).URL()
	s, kv := open(t, url, 1), byHand(t, url)
	for n, forget := range []func() error{
		func() error { return kv.Delete(t.Context(), phone.String()) },
		func() error { return kv.Purge(t.Context(), phone.String()) },
	} {
		e := Entry{Order: Order{later(time.Duration(n) * time.Second), uint64(n + 1), fmt.Sprint("k", n)}, Accepted: later(0)}
		if _, err := s.Update(t.Context(), phone, folding(e)); err != nil {
			t.Fatal(err)
		}
		if err := forget(); err != nil {
			t.Fatal(err)
		}
		if d, err := s.Get(t.Context(), phone); err != nil || d.Due() {
			t.Fatalf("deleted: %+v, %v", d, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if d, err := s.Update(ctx, phone, folding(e)); err != nil || !d.Knows(e.Key) {
			t.Fatalf("%+v, %v", d, err)
		}
	}
}
