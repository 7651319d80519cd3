package worker

import (
	"sync"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/quota"
)

func newPause(now func() time.Time) *pause {
	return &pause{now: now, lost: map[quota.Class]uint64{}, spells: map[cause]spell{}}
}

// A pause keeps a tenant from being called for a while: Graph throttled it, or
// its permission is lost. Nobody else waits.
type pause struct {
	now func() time.Time

	mu    sync.Mutex
	word  events.Outcome // why
	began time.Time
	until time.Time
	why   string                 // Graph could not be asked last; "" after a success
	told  time.Time              // when people were last told of it
	lost  map[quota.Class]uint64 // times in a row that the permission for such calls was found lost

	spells map[cause]spell // that nothing has ended yet
	unwell time.Time       // until when Graph was in trouble, at the latest
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if left := p.until.Sub(p.now()); left > 0 {
		return &end{p.word, left, nil}
	}
	return nil
}

// denied pauses longer each time: a person has to mend it. It returns how long,
// and whether this is a new pause.
func (p *pause) denied(c quota.Class) (after time.Duration, begun bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if left := p.until.Sub(now); left > 0 && p.word == events.Unavailable {
		return left, false // calls that were under way when it began
	}
	p.lost[c]++
	p.hold(events.Unavailable, now.Add(backoff(p.lost[c], deniedMin, pauseMax)))
	p.meet(cause{whyDenied, c}, p.until)
	return p.until.Sub(now), true
}

// trouble remembers why Graph could not be asked, and reports whether people have
// to be told again.
func (p *pause) trouble(c quota.Class, why string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.meet(cause{whyUnavailable, c}, now)
	again := p.why == "" || now.Sub(p.told) >= noticeEvery
	if p.why = why; again {
		p.told = now
	}
	return again
}

// last is why Graph could not be asked lately; "" if it could.
func (p *pause) last() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// throttled pauses until then, as all workers do. It returns how long that is.
func (p *pause) throttled(c quota.Class, until time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meet(cause{whyThrottled, c}, until)
	p.hold(events.Throttled, until)
	return max(p.until.Sub(p.now()), 0)
}

// hold makes the pause end no earlier than until.
func (p *pause) hold(word events.Outcome, until time.Time) {
	now := p.now()
	if !until.After(now) || !until.After(p.until) {
		return
	}
	if !p.until.After(now) {
		p.began = now
	}
	p.word, p.until = word, until
}

// over is called after a success: it says nothing of a permission for calls of
// another class. It reports whether that was the last of what was wrong.
func (p *pause) over(c quota.Class) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, wrong := p.lost[c]
	wrong = wrong || p.why != ""
	delete(p.lost, c)
	p.end(c)
	p.why = ""
	return wrong && len(p.lost) == 0
}

// resume ends the pause, unless Graph asked for it, and reports whether anything
// was wrong.
func (p *pause) resume() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	wrong := p.why != "" || len(p.lost) > 0
	if p.word == events.Unavailable {
		p.until = time.Time{}
	}
	p.why = ""
	clear(p.lost)
	return wrong
}
