package worker

import (
	"time"

	"changerelay/internal/metrics"
	"changerelay/internal/quota"
)

// A cause is why calls of a class cannot be made.
type cause struct {
	reason string // of metrics.PauseReasons
	class  quota.Class
}

// Reasons of causes.
const (
	whyThrottled   = "throttled"
	whyDenied      = "denied"
	whyUnavailable = "unavailable"
)

// A spell is the time in which calls of a class have failed for a cause: from the
// first failure to a call that goes well, pauses and tries in between included.
type spell struct{ since, until time.Time }

// meet begins a spell, or goes on with it. The caller holds the lock.
func (p *pause) meet(c cause, until time.Time) {
	now := p.now()
	s, on := p.spells[c]
	if !on || s.lapsed(now) {
		s = spell{since: now}
	}
	s.until = latest(now, until, s.until)
	p.spells[c] = s
	p.unwell = latest(p.unwell, s.until)
}

func (s spell) lapsed(now time.Time) bool { return now.Sub(s.until) > spellLapses }

// end is for a call of the class that went well. The caller holds the lock.
func (p *pause) end(c quota.Class) {
	for _, reason := range metrics.PauseReasons {
		delete(p.spells, cause{reason, c})
	}
}

// since is when the oldest spell of that reason began; zero if there is none.
func (p *pause) since(reason string) (t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for c, s := range p.spells {
		if c.reason == reason && !s.lapsed(now) && (t.IsZero() || s.since.Before(t)) {
			t = s.since
		}
	}
	return t
}

// ail remembers that a call has just ended without Graph's word on it, or with
// the word that there are too many.
func (p *pause) ail() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unwell = latest(p.unwell, p.now())
}

// wellSince says, for the metric, how Graph was from then on, as far as this
// process knows.
func (p *pause) wellSince(then time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unwell.After(then) {
		return metrics.Unwell
	}
	return metrics.Well
}

// follow takes over how Graph was from the pause of the tenant as it was configured
// before: what waited then was not late by our fault.
func (p *pause) follow(before *pause) {
	before.mu.Lock()
	unwell := before.unwell
	before.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); unwell.After(now) { // a pause that nobody obeys any more
		unwell = now
	}
	p.unwell = latest(p.unwell, unwell)
}

// ends is when the pause in force ends, or the last one has.
func (p *pause) ends() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until
}

func latest(ts ...time.Time) (last time.Time) {
	for _, t := range ts {
		if t.After(last) {
			last = t
		}
	}
	return last
}
