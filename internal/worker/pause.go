package worker

import (
	"sync"
	"time"

	"changerelay/internal/events"
)

// A pause keeps a tenant from being called for a while: Graph throttled it, or
// its permission is lost. Nobody else waits.
type pause struct {
	now func() time.Time

	mu    sync.Mutex
	word  events.Outcome // why
	began time.Time
	until time.Time
	count uint64 // pauses since the last success
}

// left is how long the tenant must not be called yet.
func (p *pause) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.until.Sub(p.now()), 0)
}

// gate is how long the tenant must not be pulled from yet. In a long pause its
// devices are looked at once, so that what is too old expires, and are put back
// until the end.
func (p *pause) gate() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	return max(min(p.until.Sub(now), p.began.Add(gateFor).Sub(now)), 0)
}

// wait is how a device is put back that meets the pause; nil if there is none.
func (p *pause) wait() *end {
	left := p.left()
	if left == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return &end{p.word, left, nil}
}

// throttled pauses for what Graph asked, or longer each time if it asked nothing.
func (p *pause) throttled(asked time.Duration) time.Duration {
	return p.begin(events.Throttled, asked, pauseMin)
}

// denied pauses longer each time: a person has to mend it.
func (p *pause) denied() time.Duration { return p.begin(events.Unavailable, 0, deniedMin) }

func (p *pause) begin(word events.Outcome, asked, least time.Duration) time.Duration {
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
	p.word, p.began, p.until = word, now, now.Add(min(asked, pauseMax))
	return p.until.Sub(now)
}

// over is called after a success.
func (p *pause) over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count = 0
}
