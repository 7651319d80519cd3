package stream

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"changerelay/internal/natstest"
)

// A replicated cluster answers some racers with "another is in flight", and
// loses its leader afterwards.
func TestClusterStoresAnEventOnce(t *testing.T) {
	t.Parallel()
	c := natstest.Cluster(t, 3)
	var ss []*Streams
	for i := range 8 {
		ss = append(ss, open(t, c.URLs()[i%3], Options{Replicas: 3}))
	}
	inFlight := overhear(t, c.URL(), "_INBOX.>", `"err_code":10164`)
	race(t, ss, 100)
	if inFlight.Load() == 0 {
		t.Error("no publish was answered with 10164, so this test has not tried it")
	}
	t.Logf("%d publishes were answered with 10164", inFlight.Load())

	leader := c.Leader(Changes)
	c.StopServer(leader)
	other := ss[(leader+1)%3] // its connection stays
	publish(t, other, event(t, 1000), false)
	publish(t, other, event(t, 1000), true)
	if r, err := other.Find(t.Context(), event(t, 5).Ref()); err != nil || r.Ticket == "" {
		t.Errorf("after the leader is gone, found %+v, %v", r, err)
	}
}

// The pull that waits is with a leader that dies, while the worker's own
// connection stays.
func TestClusterWakesAfterALeaderIsGone(t *testing.T) {
	t.Parallel()
	c := natstest.Cluster(t, 3)
	ss := []*Streams{}
	for _, url := range c.URLs() {
		ss = append(ss, open(t, url, Options{Replicas: 3}))
	}
	got := make(chan *Delivery, 10)
	leader := c.Leader(Devices)
	s := ss[(leader+1)%3]
	waking(t, s, 2, nil, func(ctx context.Context, d *Delivery) { ack(t, ctx, d); got <- d })
	wake(t, s, event(t, 1).Address())
	receive(t, got, "wake-up")
	c.StopServer(leader)
	wake(t, s, event(t, 2).Address())
	receive(t, got, "wake-up after the leader is gone")
}

// overhear counts the messages on the wire that contain what.
func overhear(t *testing.T, url, subject, what string) *atomic.Int64 {
	t.Helper()
	var n atomic.Int64
	nc := natstest.Connect(t, url)
	_, err := nc.Subscribe(subject, func(m *nats.Msg) {
		if bytes.Contains(m.Data, []byte(what)) {
			n.Add(1)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return &n
}

// forged is a message that says it is the broker's "no messages".
func forged(subject string) *nats.Msg {
	return &nats.Msg{Subject: subject, Header: nats.Header{"Status": {"404"}, "Description": {"No Messages"}}}
}
