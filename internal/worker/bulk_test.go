package worker

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
)

// patient is a Timing for a busy machine: no call is given up for its slowness.
var patient = ledger.Timing{
	Fresh: time.Minute, Lag: 200 * time.Millisecond, Hold: 8 * time.Hour,
	Settle: time.Second, Skew: 50 * time.Millisecond, Budget: 15 * time.Second,
}

// publishers are how many events are published at once.
const publishers = 64

// A bulk is many events for many devices of a tenant or several.
type bulk struct {
	*rig
	replicas int
	ackWait  time.Duration
	patience time.Duration // until waits so long
	tenants  int
	devices  []string
	events   []events.Event
	made     int // events
	sent     int // of events, how many are published
	seed     uint64
	dice     *rand.Rand
	js       jetstream.JetStream
}

// newBulk makes n events for some devices of one tenant.
func newBulk(t testing.TB, url string, replicas int, ackWait time.Duration, devices, n int) *bulk {
	t.Helper()
	b := newCrowd(t, url, replicas, ackWait, 1, devices)
	b.add(n, events.Remove, events.Remove, events.Restore)
	return b
}

// newCrowd is a bulk without events. Its devices belong to the tenants in turn.
// WORKER_SEED makes the same events again.
func newCrowd(t testing.TB, url string, replicas int, ackWait time.Duration, tenants, devices int) *bulk {
	t.Helper()
	b := &bulk{rig: rigOn(t, url, replicas), replicas: replicas, ackWait: ackWait, patience: 3 * time.Minute, tenants: tenants, seed: rand.Uint64()}
	if s := os.Getenv("WORKER_SEED"); s != "" {
		var err error
		if b.seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	b.dice = rand.New(rand.NewPCG(b.seed, 0))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("WORKER_SEED=%d", b.seed)
		}
	})
	var err error
	if b.js, err = jetstream.New(natstest.Connect(t, url)); err != nil {
		t.Fatal(err)
	}
	known := make([][]graphsim.Device, tenants)
	for i := range devices {
		b.devices = append(b.devices, deviceID(i))
		known[i%tenants] = append(known[i%tenants], graphsim.Device{ID: b.devices[i], Platform: "iOS"})
	}
	for i, ds := range known {
		b.sim.AddTenant(graphsim.Tenant{ID: tenantID(i), ClientID: clientID, ClientSecret: secret}, ds...)
	}
	return b
}

func deviceID(i int) string { return fmt.Sprintf("0f9a6d1e-7b0a-4d0e-9a52-%012x", i+1) }

// tenantOf is the place of a device's tenant.
func (b *bulk) tenantOf(device string) int {
	i, err := strconv.ParseUint(device[24:], 16, 64)
	if err != nil {
		b.t.Fatal(err)
	}
	return int(i-1) % b.tenants
}

// add makes n events more, each for one of eight items, for the devices in turn.
// Their times are all different.
func (b *bulk) add(n int, intents ...events.Intent) {
	b.t.Helper()
	from := len(b.events)
	for i := range n {
		b.events = append(b.events, b.event(b.devices[(from+i)%len(b.devices)], i-n, intents...))
	}
	fresh := b.events[from:]
	b.dice.Shuffle(n, func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
}

// event makes one for a device, with a time so many milliseconds from now.
func (b *bulk) event(dev string, ms int, intents ...events.Intent) events.Event {
	b.t.Helper()
	b.made++
	now := time.Now()
	e, err := events.New(events.Event{
		ID: fmt.Sprint("b", b.made), Source: "/test", Ticket: fmt.Sprintf("CHG%07d", b.made), Tenant: tenantName(b.tenantOf(dev)), Device: dev,
		Time:    now.Add(time.Duration(ms) * time.Millisecond),
		Changes: []events.Change{{Intent: intents[b.dice.IntN(len(intents))], Item: app(b.dice.IntN(8))}},
	}, now)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// publishAll publishes what is not published yet, and tries again for as long as
// the broker is away. It calls each, if it is not nil, after each event.
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
	fresh := b.events[b.sent:]
	b.sent = len(b.events)
	for _, e := range fresh {
		queue <- e
	}
	close(queue)
	wg.Wait()
}

// order is of a worker for this bulk, with a quota that nothing uses up.
func (b *bulk) order() crewOrder {
	fast := quota.Limit{Rate: 1e6, Burst: 1e6}
	return crewOrder{Broker: b.url, Replicas: b.replicas, AckWait: b.ackWait, Graph: b.sim.URL(), CA: b.sim.CA(), Tenants: b.tenants,
		Write: fast, Read: fast, Timing: patient, Pace: time.Millisecond}
}

// join starts a worker, and returns how it is stopped. Its words are kept apart.
func (b *bulk) join(change ...func(*Config)) (stop func(), log *await.Log) {
	b.t.Helper()
	log = &await.Log{}
	c := b.order().config(b.t, slog.New(slog.NewJSONHandler(log, nil)))
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

// fork makes a worker in a process of its own, which begins at the order "run".
func (b *bulk) fork(change ...func(*crewOrder)) *process {
	b.t.Helper()
	o := b.order()
	for _, f := range change {
		f(&o)
	}
	p := start(b.t, "worker", o)
	p.hear()
	return p
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

// woken reports whether a device has a wake-up, waiting or in hand.
func (b *bulk) woken() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	st, err := b.js.Stream(ctx, stream.Devices)
	return err != nil || st.CachedInfo().State.Msgs > 0
}

// until waits for a state, for longer than eventually.
func (b *bulk) until(what string, is func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(b.patience); !is(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited %v for %s: %d of %d folded, %d ended", b.patience, what, b.folds(), len(b.events), b.outcomes())
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
		return !b.woken() && b.outcomes() >= len(b.events)
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
		for _, it := range b.sim.Held(tenantID(b.tenantOf(dev)), dev) {
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
