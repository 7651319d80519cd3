package stream

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/natstest"
)

// heartbeat is the broker's sign that it holds a pull request.
func heartbeat() *nats.Msg {
	return &nats.Msg{Header: nats.Header{"Status": {"100"}, "Description": {"Idle Heartbeat"}}}
}

// A change of leader can swallow a request: then the worker must ask the new
// one soon, for until it does nothing of the tenant is done.
func TestALostPullIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers, began := make(chan *nats.Msg, 1), time.Now()
		go func() {
			time.Sleep(pullBeat)
			answers <- heartbeat() // and then the leader goes
		}()
		ds, over, err := (&Streams{}).gather(t.Context(), answers, nil, 1)
		if len(ds) > 0 || over || err != nil {
			t.Errorf("gathered %v, %v, %v", ds, over, err)
		}
		if waited := time.Since(began); waited > PullFor*2/3 {
			t.Errorf("asked again after %v", waited)
		}
	})
}

// A request that the broker holds is left with it, because another one costs
// more.
func TestAHeldPullIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers, began := make(chan *nats.Msg), time.Now()
		go func() {
			for range PullFor/pullBeat - 1 {
				time.Sleep(pullBeat)
				answers <- heartbeat()
			}
			time.Sleep(pullBeat)
			answers <- forged("")
		}()
		if _, over, err := (&Streams{}).gather(t.Context(), answers, nil, 1); !over || err != nil {
			t.Errorf("gathered %v, %v", over, err)
		}
		if waited := time.Since(began); waited != PullFor {
			t.Errorf("given up after %v", waited)
		}
	})
}

// The broker takes the request as it is, and sends what it is asked for.
func TestTheBrokerGivesSignsOfLife(t *testing.T) {
	t.Parallel()
	s := solo(t)
	beats := make(chan *nats.Msg, 10)
	nc := natstest.Connect(t, s.nc.ConnectedUrl())
	if _, err := nc.Subscribe("_INBOX.>", func(m *nats.Msg) {
		if m.Header.Get("Status") == "100" {
			beats <- m
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	waking(t, s, 1, nil, func(ctx context.Context, d *Delivery) { ack(t, ctx, d) })
	receive(t, beats, "a heartbeat while nothing is due")
}
