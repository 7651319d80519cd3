package worker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// patient is a Timing for a busy machine: no call is given up for its slowness.
var patient = ledger.Timing{
	Fresh: time.Minute, Lag: 200 * time.Millisecond, Hold: 8 * time.Hour,
	Settle: time.Second, Skew: 50 * time.Millisecond, Budget: 15 * time.Second,
}

// publishers are how many events are published at once.
const publishers = 64

// A bulk is many events for many devices of one tenant.
type bulk struct {
	*rig
	replicas int
	ackWait  time.Duration
	devices  []string
	events   []events.Event
	js       jetstream.JetStream
}

// newBulk makes n events for some devices, each for one of eight items. Their
// times are all different.
func newBulk(t testing.TB, url string, replicas int, ackWait time.Duration, devices, n int) *bulk {
	t.Helper()
	b := &bulk{rig: rigOn(t, url, replicas), replicas: replicas, ackWait: ackWait}
	var err error
	if b.js, err = jetstream.New(natstest.Connect(t, url)); err != nil {
		t.Fatal(err)
	}
	var known []graphsim.Device
	for i := range devices {
		b.devices = append(b.devices, fmt.Sprintf("0f9a6d1e-7b0a-4d0e-9a52-%012x", i+1))
		known = append(known, graphsim.Device{ID: b.devices[i], Platform: "iOS"})
	}
	b.sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secret}, known...)
	now := time.Now()
	intents := []events.Intent{events.Remove, events.Remove, events.Restore}
	for i := range n {
		e, err := events.New(events.Event{
			ID: fmt.Sprint("b", i), Source: "/test", Ticket: fmt.Sprintf("CHG%07d", i), Tenant: "acme", Device: b.devices[i%devices],
			Time:    now.Add(time.Duration(i-n) * time.Millisecond),
			Changes: []events.Change{{Intent: intents[rand.N(len(intents))], Item: app(rand.N(8))}},
		}, now)
		if err != nil {
			t.Fatal(err)
		}
		b.events = append(b.events, e)
	}
	rand.Shuffle(n, func(i, j int) { b.events[i], b.events[j] = b.events[j], b.events[i] })
	return b
}

// publishAll publishes every event, and tries again for as long as the broker is
// away. It calls each, if it is not nil, after each event.
func (b *bulk) publishAll(each func()) {
	queue := make(chan events.Event)
	var wg sync.WaitGroup
	for range publishers {
		wg.Go(func() {
			for e := range queue {
				if _, err := b.s.Publish(context.Background(), e); err != nil {
					b.t.Errorf("publishing %s: %v", e.ID, err)
				}
				if each != nil {
					each()
				}
			}
		})
	}
	for _, e := range b.events {
		queue <- e
	}
	close(queue)
	wg.Wait()
}

// join starts a worker, and returns how it is stopped. Its words are kept apart.
func (b *bulk) join(change ...func(*Config)) (stop func(), log *await.Log) {
	b.t.Helper()
	nc := natstest.Connect(b.t, b.url)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	log = &await.Log{}
	words := slog.New(slog.NewJSONHandler(log, nil))
	s, err := stream.Open(ctx, nc, stream.Options{Replicas: b.replicas, AckWait: b.ackWait, Log: words})
	if err != nil {
		b.t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		b.t.Fatal(err)
	}
	l, err := ledger.Open(ctx, js, b.replicas)
	if err != nil {
		b.t.Fatal(err)
	}
	c := Config{Streams: s, Ledger: l, Quota: openQuota(b.t, b.url, b.replicas), Tenants: map[string]Tenant{"acme": served(b.client())}, Log: words, Timing: patient, Pace: time.Millisecond,
		Metrics: metrics.New(prometheus.NewRegistry(), "test", metrics.Labels{Tenants: []string{"acme"}})}
	for _, f := range change {
		f(&c)
	}
	run, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := New(c).Run(run); err != nil {
			b.t.Errorf("worker: %v", err)
		}
	}()
	stop = func() { end(); <-done }
	b.t.Cleanup(stop)
	return stop, log
}

func (b *bulk) client() *graph.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.sim.CA())
	transport := graph.NewTransport()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	g, err := graph.New(graph.Config{
		TenantID: entraTenant, ClientID: clientID, Credential: graph.Credential{Secret: func() (string, error) { return secret, nil }}, Custom: true,
		Cloud: graph.Cloud{Graph: b.sim.URL(), Authority: b.sim.URL()}, Transport: http.RoundTripper(transport),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return g
}

// folds is how many events are folded and acked, as the consumer's leader has it.
func (b *bulk) folds() int {
	i := b.consumer()
	return int(i.AckFloor.Stream) + max(int(i.Delivered.Stream)-int(i.AckFloor.Stream)-i.NumAckPending, 0)
}

// folded reports whether all are. Only the floor says so: a new leader whose
// stream lags does not count what it has not got, and finds nothing pending.
func (b *bulk) folded() bool { return int(b.consumer().AckFloor.Stream) == len(b.events) }

// consumer is that of CHANGES; nothing is known while it has no leader.
func (b *bulk) consumer() *jetstream.ConsumerInfo {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := b.js.Consumer(ctx, stream.Changes, "fold")
	if err != nil {
		return &jetstream.ConsumerInfo{}
	}
	return c.CachedInfo()
}

// outcomes is how many events have ended.
func (b *bulk) outcomes() int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	st, err := b.js.Stream(ctx, stream.Outcomes)
	if err != nil {
		return 0 // asked again
	}
	return int(st.CachedInfo().State.Msgs)
}

// until waits for a state, for longer than eventually.
func (b *bulk) until(what string, is func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !is(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited 3 m for %s: %d of %d folded, %d ended", what, b.folds(), len(b.events), b.outcomes())
		}
	}
}

// awake wants every due device to have a wake-up, and returns how many are due.
// It is to be called when everything is folded: then a wake-up only goes away
// after its device is settled, so those seen before the documents are enough.
func (b *bulk) awake() (due int, ok bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	st, err := b.js.Stream(ctx, stream.Devices)
	if err != nil {
		return 0, false
	}
	info, err := st.Info(ctx, jetstream.WithSubjectFilter(events.DevicesPrefix+">"))
	if err != nil {
		return 0, false
	}
	n := 0
	err = b.ledger.Each(ctx, func(a events.Address, d ledger.Device) bool {
		n++
		if !d.Due() {
			return true
		}
		due++
		if info.State.Subjects[a.WakeSubject()] == 0 {
			b.t.Errorf("device %s is due and has no wake-up: %d events are untold, %d unreported, attempt %+v", a.Device, len(d.Pending), len(d.Reports), d.Attempt)
		}
		return true
	})
	if err == nil && n < min(len(b.devices), len(b.events)) {
		b.t.Errorf("the ledger has %d documents of %d devices", n, len(b.devices))
	}
	return due, err == nil
}

// ended waits until every device is settled, and wants each event to have had
// its one outcome and Graph to hold each device's newest words. It returns how
// often each outcome was had.
func (b *bulk) ended() map[events.Outcome]int {
	b.t.Helper()
	b.until("all devices to settle", func() bool {
		due, err := b.s.Due(context.Background())
		return err == nil && due["acme"] == 0 && b.outcomes() >= len(b.events)
	})
	if due, ok := b.awake(); due > 0 || !ok {
		b.t.Errorf("%d devices are due though no wake-up is left (%v)", due, ok)
	}
	newest := map[string]events.Event{} // by device and item
	for _, e := range b.events {
		word := e.Device + e.Changes[0].Item.ID
		if e.Time.After(newest[word].Time) {
			newest[word] = e
		}
	}
	words := b.counted(newest)
	held := map[string]int{}
	for _, dev := range b.devices {
		for _, it := range b.sim.Held(entraTenant, dev) {
			held[dev]++
			if e := newest[dev+it.ID]; e.Changes == nil || e.Changes[0].Intent != events.Remove {
				b.t.Errorf("device %s holds %s, which nobody wants removed", dev, it.ID)
			}
		}
	}
	for _, e := range newest {
		if e.Changes[0].Intent == events.Remove {
			held[e.Device]--
		}
	}
	for dev, n := range held {
		if n != 0 {
			b.t.Errorf("device %s lacks %d removals: %v", dev, -n, b.posts(dev))
		}
	}
	for _, c := range b.sim.Journal() {
		if c.Overlap {
			b.t.Errorf("two calls for %s overlap", c.Device)
		}
	}
	return words
}

// counted wants one outcome an event: accepted or unchanged if it has a word that
// holds, and otherwise perhaps superseded.
func (b *bulk) counted(newest map[string]events.Event) map[events.Outcome]int {
	b.t.Helper()
	var rs []events.Receipt
	b.until("the outcomes to be read", func() (ok bool) {
		var err error
		rs, err = b.receipts()
		return err == nil
	})
	got, words := map[string]events.Outcome{}, map[events.Outcome]int{}
	for _, r := range rs {
		if before, twice := got[r.ID]; twice {
			b.t.Errorf("%s ended %s and %s", r.ID, before, r.Outcome)
		}
		got[r.ID] = r.Outcome
		words[r.Outcome]++
	}
	for _, e := range b.events {
		holds := newest[e.Device+e.Changes[0].Item.ID].ID == e.ID
		switch o := got[e.Ref().String()]; {
		case o == events.Accepted, o == events.Unchanged, o == events.Superseded && !holds:
		default:
			b.t.Errorf("event %s of %s ended %q; its word holds: %v", e.ID, e.Device, o, holds)
		}
	}
	return words
}

// receipts reads all of OUTCOMES.
func (b *bulk) receipts() (rs []events.Receipt, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	st, err := b.js.Stream(ctx, stream.Outcomes)
	if err != nil {
		return nil, err
	}
	c, err := st.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	for n := st.CachedInfo().State.Msgs; n > 0; {
		ms, err := c.Fetch(int(min(n, 1000)), jetstream.FetchMaxWait(10*time.Second))
		if err != nil {
			return nil, err
		}
		got := uint64(0)
		for m := range ms.Messages() {
			r, err := events.ParseReceipt(m.Data())
			if err != nil {
				b.t.Fatal(err)
			}
			rs = append(rs, r)
			got++
		}
		if got == 0 {
			return nil, fmt.Errorf("%d outcomes are stored and cannot be read: %w", n, ms.Error())
		}
		n -= got
	}
	return rs, nil
}
