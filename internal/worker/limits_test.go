package worker

import (
	"testing"
	"time"

	"changerelay/internal/ledger"
	"changerelay/internal/stream"
)

// podGrace is what the chart will give a pod to end, terminationGracePeriodSeconds.
const podGrace = 60 * time.Second

func TestBoundsNest(t *testing.T) {
	budget := ledger.DefaultTiming.Budget
	for _, c := range []struct {
		what            string
		shorter, longer time.Duration
	}{
		{"one request within an attempt's budget", CallTimeout, budget},
		{"another turn and the request within an attempt's budget", turnWait + CallTimeout, budget},
		{"an attempt's budget within the ack wait", budget, stream.AckWait},
		{"the ack wait within a pod's grace", stream.AckWait, podGrace},
		{"the drain within a pod's grace", stream.DrainFor, podGrace},
		{"a request begun at the stop, and its answer's write, within the drain", CallTimeout + writeFor, stream.DrainFor},
		{"a fold, and 5 s of clock, within the ack wait", FoldWithin + 4*time.Second, stream.AckWait},
		{"an event's age within Graph's own restore", DefaultMaxAge, ledger.DefaultTiming.Hold},
	} {
		if c.shorter >= c.longer {
			t.Errorf("%s: %v is not below %v", c.what, c.shorter, c.longer)
		}
	}
}

func TestBackoffGrowsToItsBound(t *testing.T) {
	for n, most := range map[uint64]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 60: time.Minute, 1 << 60: time.Minute} {
		for range 100 {
			if d := backoff(n, time.Second, time.Minute); d < most/2 || d > most {
				t.Fatalf("pause %d is %v, want %v to %v", n, d, most/2, most)
			}
		}
	}
}
