package worker

import (
	"sync"
	"time"
)

// A pause keeps a tenant from being called for a while: Graph throttled it, or
// its permission is lost. Nobody else waits.
type pause struct {
	now func() time.Time

	mu    sync.Mutex
	until time.Time
	count uint64 // pauses since the last success
}

// left is how long the tenant must not be called yet.
func (p *pause) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.until.Sub(p.now()), 0)
}

// throttled pauses for what Graph asked, or longer each time if it asked nothing.
func (p *pause) throttled(asked time.Duration) time.Duration { return p.begin(asked, pauseMin) }

// denied pauses longer each time: a person has to mend it.
func (p *pause) denied() time.Duration { return p.begin(0, deniedMin) }

func (p *pause) begin(asked, least time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if left := p.until.Sub(now); left > asked && left > 0 {
		return left // calls that were under way when it began
	}
	p.count++
	if asked == 0 {
		asked = backoff(p.count, least, pauseMax)
	}
	p.until = now.Add(min(asked, pauseMax))
	return p.until.Sub(now)
}

// over is called after a success.
func (p *pause) over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count = 0
}
