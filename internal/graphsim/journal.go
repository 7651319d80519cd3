package graphsim

import (
	"slices"
	"time"
)

// Call is one request as the simulator saw it. A caller must not change Items.
type Call struct {
	N                          int       // its place in order of arrival, from 1
	At, Done                   time.Time // simulator clock; Done is zero while it is in flight
	Op                         string    // "post", "get", "token", "batch", "approvals", "portal" (an admin, not a request), "other"
	Method, Path               string    // as sent, at most 200 bytes each
	Route                      string    // by which the device was named: "managedDevices", "deviceHealthScripts", …; "list"
	Batch                      int       // N of the $batch that it was a part of
	Tenant, App, Device        string    // canonical lower case; Device is empty for a list
	ClientRequestID, RequestID string
	Items                      []Item    // the first 64
	Status                     int       // 0: no answer was sent
	Applied                    bool      // the set took effect, now or late
	AppliedAt                  time.Time // when it did
	Order                      int       // its place among the sets that took effect, from 1
	Overlap                    bool      // another POST for the device was in flight at the same time
	Fault                      bool      // a fault struck it
}

// Journal is every call still kept, in order of arrival, with what is known of it now.
func (s *Sim) Journal() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	kept := s.journal[max(0, len(s.journal)-s.keep):]
	out := make([]Call, len(kept))
	for i, c := range kept {
		out[i] = *c
	}
	return out
}

// enter writes the call down at its arrival. The caller holds mu.
func (s *Sim) enter(c *Call) {
	s.arrived++
	c.N, c.At = s.arrived, s.look()
	if len(s.journal) >= 2*s.keep {
		s.journal = slices.Delete(s.journal, 0, len(s.journal)-s.keep)
	}
	s.journal = append(s.journal, c)
	if c.Op != "post" {
		return
	}
	k := key{c.Tenant, c.Device}
	for _, other := range s.flight[k] {
		other.Overlap, c.Overlap = true, true
	}
	s.flight[k] = append(s.flight[k], c)
}

// end closes a call before its answer leaves: were it closed after, a caller could send its
// next POST in between and be blamed for an overlap. Only the first end counts.
func (s *Sim) end(c *Call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.Done.IsZero() {
		return
	}
	c.Done, c.Status = s.look(), status
	k := key{c.Tenant, c.Device}
	if rest := slices.DeleteFunc(s.flight[k], func(o *Call) bool { return o == c }); len(rest) > 0 {
		s.flight[k] = rest
	} else {
		delete(s.flight, k)
	}
}
