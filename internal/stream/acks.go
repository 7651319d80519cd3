package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// acks brings each publish its acknowledgement. It is what jetstream's PublishMsg
// does, for a fraction of its processor time: one subscription for all, and per
// publish neither contexts nor a reader of JSON by reflection.
//
//	request ──► inbox.7 ──► broker ──► deliver ──► waiters[7] ──► request
//
// A number is used once, so an acknowledgement that comes late, or twice, can
// never be taken for another publish's.
type acks struct {
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

func newAcks(nc *nats.Conn) (*acks, error) {
	a := &acks{nc: nc, inbox: nc.NewInbox() + ".", waiters: map[uint64]*waiter{}}
	a.idle.New = func() any {
		t := time.NewTimer(time.Hour)
		t.Stop()
		return &waiter{make(chan *nats.Msg, 1), t}
	}
	if _, err := nc.Subscribe(a.inbox+"*", a.deliver); err != nil {
		return nil, fmt.Errorf("subscribing to acknowledgements: %w", err)
	}
	return a, nil
}

// deliver hands an answer to who waits for it. It does so under the lock: else
// the waiter could give up and wait for another answer meanwhile.
func (a *acks) deliver(m *nats.Msg) {
	n, err := strconv.ParseUint(m.Subject[len(a.inbox):], 10, 64)
	if err != nil {
		return // nobody publishes with such a reply
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.waiters[n]; w != nil {
		delete(a.waiters, n)
		w.answer <- m
	}
}

func (a *acks) enter() (uint64, *waiter) {
	w := a.idle.Get().(*waiter)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	a.waiters[a.last] = w
	return a.last, w
}

func (a *acks) leave(n uint64, w *waiter) {
	a.mu.Lock()
	delete(a.waiters, n)
	a.mu.Unlock()
	select {
	case <-w.answer: // it came when nobody waited any more
	default:
	}
	w.timer.Stop()
	a.idle.Put(w)
}

// request publishes msg once and returns the sequence that it is stored under.
// It waits for at most PublishTry.
func (a *acks) request(ctx context.Context, msg *nats.Msg) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, w := a.enter()
	defer a.leave(n, w)
	msg.Reply = a.inbox + strconv.FormatUint(n, 10)
	if err := a.nc.PublishMsg(msg); err != nil {
		return 0, err
	}
	w.timer.Reset(PublishTry)
	select {
	case m := <-w.answer:
		return readAck(m)
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-w.timer.C:
		return 0, errNoAck
	}
}

// errNoAck reports that a try was not answered.
var errNoAck = errors.New("no acknowledgement within " + PublishTry.String())

// readAck reads what the broker says of a publish. Without a stream for its
// subject the broker says that nobody is there.
func readAck(m *nats.Msg) (uint64, error) {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return 0, jetstream.ErrNoStreamResponse
	}
	if seq, ok := plainAck(m.Data); ok {
		return seq, nil
	}
	var ack struct {
		Error    *jetstream.APIError `json:"error"`
		Stream   string              `json:"stream"`
		Sequence uint64              `json:"seq"`
	}
	switch err := json.Unmarshal(m.Data, &ack); {
	case err != nil:
		return 0, jetstream.ErrInvalidJSAck
	case ack.Error != nil:
		return 0, ack.Error
	case ack.Stream == "":
		return 0, jetstream.ErrInvalidJSAck
	}
	return ack.Sequence, nil
}

// plainAck reads the usual acknowledgement, {"stream":"CHANGES","seq":7}, and
// nothing else.
func plainAck(data []byte) (uint64, bool) {
	rest, ok := bytes.CutPrefix(data, []byte(`{"stream":"`))
	name, rest, found := bytes.Cut(rest, []byte(`","seq":`))
	digits, closed := bytes.CutSuffix(rest, []byte("}"))
	if !ok || !found || !closed || !isStreamName(name) || len(digits) == 0 || digits[0] == '0' {
		return 0, false
	}
	var seq uint64
	for _, c := range digits {
		if c < '0' || c > '9' || len(digits) > 19 { // 19 digits cannot overflow
			return 0, false
		}
		seq = seq*10 + uint64(c-'0')
	}
	return seq, true
}

// isStreamName accepts names such as ours, which JSON writes as they are.
func isStreamName(s []byte) bool {
	for _, c := range s {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return len(s) > 0
}
