package graphsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// pick takes the fault that strikes this call at this point, if any.
func (s *Sim) pick(c *Call, p Point) *armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) == 0 {
		return nil
	}
	now := s.look()
	s.expireFaults(now)
	for i, a := range s.faults {
		if !a.matches(c, p, now) {
			continue
		}
		if a.skip > 0 {
			a.skip--
			continue
		}
		if a.Chance > 0 && !s.dice.chance(a.Chance) {
			continue
		}
		a.struck++
		if a.left > 0 {
			a.left--
		}
		if a.left == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		c.Fault = true
		return a
	}
	return nil
}

// strike lets a fault at the call, whose true answer is known after the effect. It returns the
// answer to give instead, or nil to go on.
func (s *Sim) strike(x *exchange, p Point, was reply) *reply {
	f := s.pick(x.call, p)
	if f == nil {
		return nil
	}
	if f.Hook != nil {
		f.Hook()
	}
	stays := f.Delay <= 0 || s.pause(x, f.Delay)
	if f.Late > 0 {
		s.postpone(x, f.Late)
	}
	if !stays || f.Reset {
		return &reply{drop: true}
	}
	return f.answer(x, was)
}

// pause waits, and reports whether the caller is still there.
func (s *Sim) pause(x *exchange, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-x.r.Context().Done():
	case <-s.closed:
	}
	return false
}

func (f *armed) answer(x *exchange, was reply) *reply {
	a := f.formed(x, was)
	if f.Body != "" {
		mime := "application/json"
		if strings.HasPrefix(f.Body, "<") {
			mime = "text/html"
		}
		a = &reply{status: or(f.Status, http.StatusOK), header: kind(mime), body: []byte(f.Body)}
	}
	switch {
	case a == nil && f.Late > 0:
		return &reply{drop: true}
	case a == nil:
		return nil
	}
	for k, v := range f.Header {
		a.header[http.CanonicalHeaderKey(k)] = v
	}
	return a
}
