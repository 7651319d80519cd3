package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Requests brings each request its answer. It is what jetstream's PublishMsg does,
// for a fraction of its processor time: one subscription for all, and per
// request neither contexts nor a reader of JSON by reflection.
//
//	Do ──► inbox.7 ──► broker ──► deliver ──► waiters[7] ──► Do
//
// A number is used once, so an answer that comes late, or twice, can never be
// taken for another request's.
type Requests struct {
	nc    *nats.Conn
	inbox string // before the number in reply subjects
	idle  sync.Pool

	mu      sync.Mutex
	last    uint64
	waiters map[uint64]*waiter
}

// A waiter is reused; what it was sent before is gone by then.
type waiter struct {
	answer chan *nats.Msg // has room for the only one
	timer  *time.Timer
}

// NewRequests subscribes to answers for as long as the connection lasts.
func NewRequests(nc *nats.Conn) (*Requests, error) {
	r := &Requests{nc: nc, inbox: nc.NewInbox() + ".", waiters: map[uint64]*waiter{}}
	r.idle.New = func() any {
		t := time.NewTimer(time.Hour)
		t.Stop()
		return &waiter{make(chan *nats.Msg, 1), t}
	}
	if _, err := nc.Subscribe(r.inbox+"*", r.deliver); err != nil {
		return nil, fmt.Errorf("subscribing to the broker's answers: %w", err)
	}
	return r, nil
}

// deliver hands an answer to who waits for it. It does so under the lock: else
// the waiter could give up and wait for another answer meanwhile.
func (r *Requests) deliver(m *nats.Msg) {
	n, err := strconv.ParseUint(m.Subject[len(r.inbox):], 10, 64)
	if err != nil {
		return // nobody asks with such a reply
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.waiters[n]; w != nil {
		delete(r.waiters, n)
		w.answer <- m
	}
}

func (r *Requests) enter() (uint64, *waiter) {
	w := r.idle.Get().(*waiter)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	r.waiters[r.last] = w
	return r.last, w
}

func (r *Requests) leave(n uint64, w *waiter) {
	r.mu.Lock()
	delete(r.waiters, n)
	r.mu.Unlock()
	select {
	case <-w.answer: // it came when nobody waited any more
	default:
	}
	w.timer.Stop()
	r.idle.Put(w)
}

// ErrSilent reports that a request was not answered in time: what it asked for
// may have been done all the same.
var ErrSilent = errors.New("the broker has not answered in time")

// Do publishes msg once and returns the answer, for which it waits for at most
// within. It sets msg.Reply. Without anybody there to answer, the error is
// jetstream.ErrNoStreamResponse.
func (r *Requests) Do(ctx context.Context, msg *nats.Msg, within time.Duration) (*nats.Msg, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n, w := r.enter()
	defer r.leave(n, w)
	msg.Reply = r.inbox + strconv.FormatUint(n, 10)
	if err := r.nc.PublishMsg(msg); err != nil {
		return nil, err
	}
	w.timer.Reset(within)
	select {
	case m := <-w.answer:
		if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
			return nil, jetstream.ErrNoStreamResponse
		}
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-w.timer.C:
		return nil, fmt.Errorf("%w: %v", ErrSilent, within)
	}
}

// Publish has a stream store msg, and returns the sequence under which it is
// stored.
func (r *Requests) Publish(ctx context.Context, msg *nats.Msg, within time.Duration) (uint64, error) {
	m, err := r.Do(ctx, msg, within)
	if err != nil {
		return 0, err
	}
	return readAck(m.Data)
}
