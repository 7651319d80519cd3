package graphsim

import (
	"net/http"
	"slices"
	"time"
)

// Point is where a fault strikes. The two are a pair: the caller sees the same, Graph does not.
type Point int

const (
	BeforeApply Point = iota // nothing has happened
	AfterApply               // the set is applied, the token is made; only successful calls get here
)

// Fault is one thing that goes wrong. At its point, in this order: Hook is called, Delay passes,
// Late is scheduled, and the call is dropped (Reset, Late) or answered (Status, Form, Body). With none
// of these the call goes on as if nothing had been.
type Fault struct {
	Op      string        // "post", "get", "token", "batch", "approvals", "other"; "" = any
	Tenant  string        // only this tenant; "" = any
	App     string        // only this client id; "" = any. Token requests have none
	Device  string        // only this device; "" = any
	After   time.Duration // not before this long from now, by the simulator's clock
	For     time.Duration // and then only for this long; 0 = without an end
	Chance  float64       // strikes this part of the matches, by the simulator's seed; 0 = all
	Skip    int           // skip the first n matches
	Times   int           // then strike so often; 0 = once, -1 = until cleared
	Point   Point
	Status  int    // answer this status, with an error body in Graph's (or Entra's) shape
	Form    string // the shape of the answer, one of Forms
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
	id, struck  int
	from, until time.Time // until is zero when there is no end
	skip, left  int       // left < 0: for ever
}

// Armed is a fault that waits, and how far it is.
type Armed struct {
	ID int // for Clear
	Fault
	Left   int // strikes that remain; -1 = until cleared
	Struck int // so far
}

// Fail arms a fault. Of several that match at one point the one armed first strikes, alone.
func (s *Sim) Fail(f Fault) (cancel func()) {
	id := s.Arm(f)
	return func() { s.Clear(id) }
}

// Arm is Fail with an id for Clear.
func (s *Sim) Arm(f Fault) (id int) {
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
	s.armings++
	a.id, a.from = s.armings, s.look().Add(f.After)
	if f.For > 0 {
		a.until = a.from.Add(f.For)
	}
	s.faults = append(s.faults, a)
	return a.id
}

// Faults are those that are armed, in order of their arming.
func (s *Sim) Faults() []Armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireFaults(s.look())
	out := make([]Armed, 0, len(s.faults))
	for _, a := range s.faults {
		f := a.Fault
		f.Header = f.Header.Clone()
		out = append(out, Armed{a.id, f, a.left, a.struck})
	}
	return out
}

// Clear disarms a fault, and reports whether it was armed.
func (s *Sim) Clear(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.faults)
	s.faults = slices.DeleteFunc(s.faults, func(o *armed) bool { return o.id == id })
	return len(s.faults) < before
}

// expireFaults forgets faults whose time is over.
func (s *Sim) expireFaults(now time.Time) {
	s.faults = slices.DeleteFunc(s.faults, func(a *armed) bool { return !a.until.IsZero() && !now.Before(a.until) })
}

func (f *armed) matches(c *Call, p Point, now time.Time) bool {
	return f.Point == p && !now.Before(f.from) &&
		(f.App == "" || same(f.App, c.App)) &&
		(f.Op == "" || f.Op == c.Op) &&
		(f.Tenant == "" || same(f.Tenant, c.Tenant)) &&
		(f.Device == "" || same(f.Device, c.Device))
}
