package worker

import (
	"context"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// During an upgrade a newer worker writes documents that this one does not know.
// It leaves them alone and says so, goes on with all others, and goes on with
// these when the newer one has brought them back to a form that both know.
func TestADocumentOfANewerVersionIsLeftAlone(t *testing.T) {
	t.Parallel()
	const other = "1f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d12"
	r := newRig(t)
	r.enrol(phoneOf(other))
	js, err := jetstream.New(natstest.Connect(t, r.url))
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(context.Background(), "ledger")
	if err != nil {
		t.Fatal(err)
	}
	const newer = `{"v":99,"pending":[{"k":"what this worker cannot read"}]}`
	key := "acme." + device
	if _, err := kv.Put(context.Background(), key, []byte(newer)); err != nil {
		t.Fatal(err)
	}
	w := r.work()
	waits := r.publish(remove(app(1))...)
	if err := r.s.Wake(context.Background(), waits.Address()); err != nil { // the newer worker's
		t.Fatal(err)
	}
	r.outcome(r.publishTo(other, remove(app(2))...), events.Accepted)
	await.State(t, "both stages to say why they wait", func() bool {
		n := 0
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, "stored document has version 99") && strings.Contains(line, `"outcome":"unavailable"`) {
				if strings.Contains(line, `"stage":"fold"`) {
					n |= 1
				}
				if strings.Contains(line, `"stage":"reconcile"`) {
					n |= 2
				}
			}
		}
		return n == 3
	})
	e, err := kv.Get(context.Background(), key)
	if err != nil || string(e.Value()) != newer {
		t.Fatalf("the document is %s, %v", e.Value(), err)
	}
	if _, err := kv.Update(context.Background(), key, []byte(`{"v":1}`), e.Revision()); err != nil {
		t.Fatal(err)
	}
	r.outcome(waits, events.Accepted)
	w.stop()
	r.held(device, app(1))
	r.held(other, app(2))
}
