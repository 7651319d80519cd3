package stream

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// A Delivery is a message that a worker holds. Its handler decides it, by Ack
// or Nak; what it leaves undecided comes again after UndecidedPause. What it
// Keeps it decides later.
//
// A Delivery that a test made itself answers nobody.
type Delivery struct {
	Subject    string
	Header     nats.Header // nil without any
	Data       []byte
	Sequence   uint64    // in its stream
	Time       time.Time // when the broker stored it
	Deliveries uint64    // how often it was delivered, this time included
	Pulled     time.Time // when this worker received it

	nc        *nats.Conn
	retention time.Duration // of its stream; zero is DefaultRetention
	reply     string
	decided   atomic.Bool
}

// deliver makes a Delivery of a message that a consumer sent.
func (s *Streams) deliver(m *nats.Msg) (*Delivery, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, fmt.Errorf("reading a delivery of %s: %w", m.Subject, err)
	}
	return &Delivery{Subject: m.Subject, Header: m.Header, Data: m.Data, Sequence: meta.Sequence.Stream, Time: meta.Timestamp,
		Deliveries: meta.NumDelivered, Pulled: time.Now(), nc: s.nc, retention: s.o.Retention, reply: m.Reply}, nil
}

// Ack says that the message is done, and waits for the broker to have heard it.
// After an error the message may come again.
func (d *Delivery) Ack(ctx context.Context) error {
	if d.nc == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, AckTry)
	defer cancel()
	d.decided.Store(true)
	if _, err := d.nc.RequestWithContext(ctx, d.reply, []byte("+ACK")); err != nil {
		return fmt.Errorf("%w: acknowledging %s: %w", ErrUnavailable, d.Subject, err)
	}
	return nil
}

// Done is an Ack that does not wait for the broker, for half of its price. It is
// for messages that may come again without harm: one that is lost does.
func (d *Delivery) Done() error {
	d.decided.Store(true)
	return d.answer([]byte("+ACK"))
}

// Nak puts the message back for delay. The delay is never nothing: the broker
// would deliver at once, five times in a millisecond.
func (d *Delivery) Nak(delay time.Duration) error {
	d.decided.Store(true)
	b := strconv.AppendInt([]byte(`-NAK {"delay":`), max(delay, time.Millisecond).Nanoseconds(), 10)
	return d.answer(append(b, '}'))
}

// Keep has the message stay in hand when the handler returns. It is to be
// decided within AckWait less ProgressEvery; else it is given to another worker.
func (d *Delivery) Keep() { d.decided.Store(true) }

// Progress says that the message is being worked at, and gives it another
// AckWait. Folds and Wakes do so by themselves.
func (d *Delivery) Progress() error { return d.answer([]byte("+WPI")) }

func (d *Delivery) answer(what []byte) error {
	if d.nc == nil {
		return nil
	}
	if err := d.nc.Publish(d.reply, what); err != nil {
		return fmt.Errorf("%w: answering for %s: %w", ErrUnavailable, d.Subject, err)
	}
	return nil
}

// keep shows progress for those undecided until done is closed.
func keep(ds []*Delivery, every time.Duration, done <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			for _, d := range ds {
				if !d.decided.Load() {
					_ = d.Progress() // the next tick tries again; so does the broker, with AckWait
				}
			}
		}
	}
}
