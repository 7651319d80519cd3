package trial

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A recorder reads what the broker and Graph have, when all is over.
type recorder struct {
	*trial
	nc *nats.Conn
	js jetstream.JetStream
}

func (t *trial) record() (*recorder, error) {
	nc, js, err := t.connect()
	if err != nil {
		return nil, err
	}
	return &recorder{t, nc, js}, nil
}

func (r *recorder) close() { r.nc.Close() }

// settle waits until everything that is stored has ended, nobody has a wake-up
// left, and no set is on its way.
func (r *recorder) settle(ctx context.Context) error {
	last, said, moved := "", time.Now(), time.Now()
	calm := 0
	err := r.until(ctx, "all events to end", r.Settle, func() bool {
		left, due, text := r.left(ctx)
		if text != last {
			moved = time.Now()
		}
		if due == 0 && r.Still > 0 && time.Since(moved) > r.Still {
			return true // nobody will end what is left
		}
		if time.Since(said) > sayEvery && text != last {
			r.say("settling: %s", text)
			said = time.Now()
		}
		if last = text; left+due != 0 {
			calm = 0
			return false
		}
		calm++
		return calm > 5
	})
	if err != nil {
		return fmt.Errorf("%w: %s", err, last)
	}
	return r.until(ctx, "late sets to arrive", 2*settle+readyFor, func() bool { // a late set is told again
		left, due, _ := r.left(ctx)
		return (left == 0 || r.Still > 0) && due == 0 && time.Since(r.mended) > 2*lateBy
	})
}

// left is how many events are open, and how many devices are due.
func (r *recorder) left(ctx context.Context) (open, due uint64, text string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	count := map[string]uint64{}
	for _, name := range []string{"CHANGES", "OUTCOMES", "DEVICES"} {
		s, err := r.js.Stream(ctx, name)
		if err != nil {
			return 1, 1, err.Error()
		}
		count[name] = s.CachedInfo().State.Msgs
	}
	if count["CHANGES"] > count["OUTCOMES"] {
		open = count["CHANGES"] - count["OUTCOMES"]
	}
	return open, count["DEVICES"], fmt.Sprintf("%d stored, %d ended, %d devices due", count["CHANGES"], count["OUTCOMES"], count["DEVICES"])
}
