// Package await is how tests wait and look: for a state, never for a time, and
// at a log that several goroutines write. Only tests import it.
package await

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// most is how long a state may take to come; nothing healthy takes so long.
const most = 30 * time.Second

// State waits until is reports true. It fails the test, naming what it waited
// for, when that does not come.
func State(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			t.Fatalf("waited %v for %s", most, what)
		case <-tick.C:
		}
	}
}

// A Log keeps what is written to it.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
