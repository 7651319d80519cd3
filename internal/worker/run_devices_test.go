package worker

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/figures"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
)

// prefill puts a document that an event has left behind under n devices from the
// from-th on: they are settled, and the worker has never seen them.
func (b *bulk) prefill(from, n int) {
	b.t.Helper()
	ctx := context.Background()
	kv, err := b.js.KeyValue(ctx, ledger.Bucket)
	if err != nil {
		b.t.Fatal(err)
	}
	model, err := kv.Get(ctx, events.Address{Tenant: tenantName(0), Device: b.devices[0]}.String())
	if err != nil {
		b.t.Fatal(err)
	}
	js, err := jetstream.New(natstest.Connect(b.t, b.url), jetstream.WithPublishAsyncMaxPending(1000))
	if err != nil {
		b.t.Fatal(err)
	}
	var last jetstream.PubAckFuture
	for i := range n {
		addr := events.Address{Tenant: tenantName(0), Device: deviceID(from + i)}
		if last, err = js.PublishAsync("$KV."+ledger.Bucket+"."+addr.String(), model.Value(), jetstream.WithStallWait(time.Minute)); err != nil {
			b.t.Fatal(err)
		}
	}
	select {
	case <-last.Ok():
	case err := <-last.Err():
		b.t.Fatal(err)
	}
	<-js.PublishAsyncComplete()
}

// documents is how many the ledger has.
func (b *bulk) documents() int {
	b.t.Helper()
	st, err := b.js.Stream(context.Background(), "KV_"+ledger.Bucket)
	if err != nil {
		b.t.Fatal(err)
	}
	return int(st.CachedInfo().State.Msgs)
}

// filled is a crowd of one tenant whose ledger has so many documents, those of
// the crowd among them, and a worker that is running and held.
func filled(b testing.TB, c *bulk, documents int) *process {
	b.Helper()
	w := c.fork(atOnceGraph)
	w.ask("run")
	c.add(1, events.Remove)
	c.publishAll(nil)
	c.until("the first device to settle", c.settled)
	c.prefill(1, documents-1)
	if n := c.documents(); n != documents {
		b.Fatalf("the ledger has %d documents, want %d", n, documents)
	}
	return w
}

// BenchmarkRunDevices is the rates with a thousand documents in the ledger and
// with a million, in turns, because the machine is never twice the same. Devices
// that have events have a document already.
func BenchmarkRunDevices(b *testing.B) {
	const rounds = 5
	sizes := []int{1000, smaller(1_000_000)}
	n := smaller(3000) // each round and ledger; a device each
	type side struct {
		*bulk
		w, broker   *process
		folds, tell []float64
	}
	var sides []*side
	f := figures.New("devices")
	t := f.Table("documents in the ledger:", "published and folded:", "reconciled:", "worker, most:", "broker, most:", "filled in:")
	filling := map[int]string{}
	for _, documents := range sizes {
		c, broker := newRun(b, lazyR1, 1, n)
		began := time.Now()
		w := filled(b, c, documents)
		filling[documents] = time.Since(began).Round(100 * time.Millisecond).String()
		sides = append(sides, &side{bulk: c, w: w, broker: broker})
	}
	for range rounds {
		for _, s := range sides {
			s.w.ask("hold")
			s.add(n, events.Remove)
			c := clocked(s.broker, s.w)
			s.publishAll(nil)
			s.until("everything to be folded", s.folded)
			rate, _ := c.end(n)
			s.folds = append(s.folds, rate)
			c = clocked(s.broker, s.w)
			s.w.ask("lift")
			s.until("all to settle", s.settled)
			rate, _ = c.end(n)
			s.tell = append(s.tell, rate)
		}
	}
	for i, s := range sides {
		slices.Sort(s.folds)
		slices.Sort(s.tell)
		t.Row(figures.Number(float64(sizes[i])), figures.Number(s.folds[rounds/2])+"/s", figures.Number(s.tell[rounds/2])+"/s",
			fmt.Sprintf("%.0f MiB", s.w.most()), fmt.Sprintf("%.0f MiB", s.broker.most()), filling[sizes[i]])
	}
	few, many := sides[0], sides[1]
	f.Meet("devices-fold", many.folds[rounds/2]/few.folds[rounds/2], "")
	f.Meet("devices-reconcile", many.tell[rounds/2]/few.tell[rounds/2], "")
	f.Meet("devices-memory", many.w.most(), "")
	hand(b, f)
	b.ReportMetric(many.w.most(), "MiB-RSS")
}

// TestManyDocuments has a worker's memory stay small beside 50 000 documents.
func TestManyDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	documents := 50_000
	if raced {
		documents = 5000
	}
	b := newCrowd(t, natstest.Server(t).URL(), 1, 10*time.Second, 1, 1000)
	w := filled(t, b, documents)
	b.add(1500, events.Remove)
	b.publishAll(nil)
	b.until("all to settle", b.settled)
	if n := b.documents(); n != documents {
		t.Errorf("the ledger has %d documents, want %d: a device has two, or none", n, documents)
	}
	if most := w.most(); most > 96 && !raced {
		t.Errorf("the worker had %.0f MiB", most)
	}
}
