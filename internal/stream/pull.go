package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A pull asks a consumer for some messages: all there are, at most so many, and
// if there are none, the first that come within PullFor. nats.go offers either
// half of that, but not both in one request: its Fetch holds what has come back
// until the batch is full or time is up.

// pullRequest is the broker's. With both NoWait and Expires it ends at the end
// of the stream, once anything was delivered. A request that reaches a leader
// which is just going is lost without a word: only the lack of heartbeats tells.
type pullRequest struct {
	Batch     int           `json:"batch"`
	Expires   time.Duration `json:"expires"`
	NoWait    bool          `json:"no_wait"`
	Heartbeat time.Duration `json:"idle_heartbeat"`
}

// Bounds of one pull.
const (
	pullBeat   = 5 * time.Second        // the broker's sign of life while it has nothing; no raft entry
	pullSilent = 11 * time.Second       // two of them missing: the broker does not have the request
	pullGap    = 250 * time.Millisecond // between two messages of an answer; then the rest is not coming
	stragglers = 2 * time.Second        // for the broker to confirm that a cancelled pull is over
)

// pull returns at most most deliveries. It ends early, and without an error,
// when ctx does.
func (s *Streams) pull(ctx context.Context, stream, durable string, most int) ([]*Delivery, error) {
	lost := s.nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	defer s.nc.RemoveStatusListener(lost)
	answers := make(chan *nats.Msg, most+8) // and a few words of status
	inbox := s.nc.NewInbox()
	sub, err := s.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		return nil, err
	}
	defer sub.Unsubscribe()
	req, err := json.Marshal(pullRequest{most, PullFor, true, pullBeat})
	if err != nil {
		return nil, err
	}
	if err := s.nc.PublishRequest(jetstream.DefaultAPIPrefix+"CONSUMER.MSG.NEXT."+stream+"."+durable, inbox, req); err != nil {
		return nil, err
	}

	ds, over, err := s.gather(ctx, answers, lost, most)
	if !over {
		ds = append(ds, s.cancel(sub, answers)...)
	}
	return ds, err
}

// gather collects the answer. over says that the broker holds the request no
// more.
func (s *Streams) gather(ctx context.Context, answers <-chan *nats.Msg, lost <-chan nats.Status, most int) (ds []*Delivery, over bool, err error) {
	quiet := time.NewTimer(pullSilent)
	defer quiet.Stop()
	for len(ds) < most {
		select {
		case m := <-answers:
			if m.Reply == "" { // only a word of status needs no acknowledgement
				if m.Header.Get("Status") == "100" { // a heartbeat
					if len(ds) == 0 {
						quiet.Reset(pullSilent)
					}
					continue
				}
				return ds, true, statusError(m.Header)
			}
			d, err := s.deliver(m)
			if err != nil {
				return ds, false, err
			}
			ds = append(ds, d)
			quiet.Reset(pullGap)
		case <-quiet.C:
			return ds, false, nil
		case <-ctx.Done():
			return ds, false, nil
		case <-lost:
			return ds, true, nats.ErrDisconnected // the request is gone with the connection
		}
	}
	return ds, true, nil
}

// cancel takes a request back, and returns what was delivered before the broker
// knew: unreturned, those would lie still for AckWait.
func (s *Streams) cancel(sub *nats.Subscription, answers <-chan *nats.Msg) (ds []*Delivery) {
	if sub.Drain() != nil || s.nc.FlushTimeout(stragglers) != nil {
		return nil
	}
	for {
		select {
		case m, open := <-answers:
			if !open {
				return ds
			}
			if d, err := s.deliver(m); err == nil { // an error is a word of status
				ds = append(ds, d)
			}
		default:
			return ds
		}
	}
}

// statusError returns nil for the ends that are no failure.
func statusError(h nats.Header) error {
	switch status := h.Get("Status"); status {
	case "404", "408": // nothing there, nothing came in time
		return nil
	default:
		return fmt.Errorf("the broker ended a pull: %s %s", status, h.Get("Description"))
	}
}
