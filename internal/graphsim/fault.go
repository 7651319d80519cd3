package graphsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Point is where a fault strikes. The two are a pair: the caller sees the same, Graph does not.
type Point int

const (
	BeforeApply Point = iota // nothing has happened
	AfterApply               // the set is applied, the token is made; only successful calls get here
)

// Fault is one thing that goes wrong. At its point, in this order: Hook is called, Delay passes,
// Late is scheduled, and the call is dropped (Reset, Late) or answered (Status, Body). With none
// of these four the call goes on as if nothing had been.
type Fault struct {
	Op      string // "post", "get", "token"; "" = any
	Tenant  string // only this tenant; "" = any
	Device  string // only this device; "" = any
	Skip    int    // skip the first n matches
	Times   int    // then strike so often; 0 = once, -1 = until cleared
	Point   Point
	Status  int    // answer this status, with an error body in Graph's (or Entra's) shape
	Code    string // error.code of that body; a usual one by default
	Message string
	Header  http.Header   // added to the answer
	Body    string        // answer this body instead; Status is then 200 by default
	Reset   bool          // drop the connection without an answer
	Delay   time.Duration // wait in real time, or until the caller leaves; one that left before the effect has none
	Late    time.Duration // not applied now but this much later by the simulator's clock, whoever still listens
	Hook    func()        // called without any lock held; tests kill a worker here. It must not Close the simulator.
}

// armed is a fault with its counters, which are under the simulator's mu.
type armed struct {
	Fault
	skip, left int // left < 0: for ever
}

// Fail arms a fault. Of several that match at one point the one armed first strikes, alone.
func (s *Sim) Fail(f Fault) (cancel func()) {
	if f.Late > 0 {
		f.Point = BeforeApply
	}
	f.Header = f.Header.Clone()
	a := &armed{Fault: f, skip: f.Skip, left: f.Times}
	if f.Times == 0 {
		a.left = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, a)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.disarm(a)
	}
}

func (s *Sim) disarm(a *armed) {
	s.faults = slices.DeleteFunc(s.faults, func(o *armed) bool { return o == a })
}

func (f *Fault) matches(c *Call, p Point) bool {
	return f.Point == p &&
		(f.Op == "" || f.Op == c.Op) &&
		(f.Tenant == "" || same(f.Tenant, c.Tenant)) &&
		(f.Device == "" || same(f.Device, c.Device))
}

// pick takes the fault that strikes this call at this point, if any.
func (s *Sim) pick(c *Call, p Point) *armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.faults {
		if !a.matches(c, p) {
			continue
		}
		if a.skip > 0 {
			a.skip--
			continue
		}
		if a.left > 0 {
			a.left--
		}
		if a.left == 0 {
			s.disarm(a)
		}
		c.Fault = true
		return a
	}
	return nil
}

// strike lets a fault at the call. It returns the answer to give instead, or nil to go on.
func (s *Sim) strike(x *exchange, p Point) *reply {
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
	return f.answer(x)
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

func (f *armed) answer(x *exchange) *reply {
	var a reply
	switch {
	case f.Body != "":
		kind := "application/json"
		if strings.HasPrefix(f.Body, "<") {
			kind = "text/html"
		}
		a = reply{status: f.Status, header: http.Header{"Content-Type": {kind}}, body: []byte(f.Body)}
		if a.status == 0 {
			a.status = http.StatusOK
		}
	case f.Status != 0:
		a = x.refuse(refusal{status: f.Status, code: f.Code, message: f.Message})
	case f.Late > 0:
		return &reply{drop: true}
	default:
		return nil
	}
	for k, v := range f.Header {
		a.header[http.CanonicalHeaderKey(k)] = v
	}
	return &a
}
