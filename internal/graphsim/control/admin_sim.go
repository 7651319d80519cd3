package control

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"changerelay/internal/graphsim"
)

// done is what a change answers that has nothing to tell.
type done struct {
	OK bool `json:"ok"`
}

func (a *admin) index(*http.Request) (any, *problem) {
	return map[string]any{"graph": a.sim.URL(), "now": a.sim.Now(), "tenants": a.sim.Tenants()}, nil
}

func (a *admin) doReset(*http.Request) (any, *problem) {
	a.reset()
	return done{true}, nil
}

func (a *admin) clock(*http.Request) (any, *problem) {
	return map[string]time.Time{"now": a.sim.Now()}, nil
}

func (a *admin) advance(r *http.Request) (any, *problem) {
	var in struct{ Advance time.Duration }
	if _, bad := read(r, &in); bad != nil {
		return nil, bad
	}
	if in.Advance <= 0 || in.Advance > maxAdvance {
		return nil, wrong(errors.New("advance: want a duration over 0 and at most 8784h; time does not run back"))
	}
	a.sim.Advance(in.Advance)
	return a.clock(r)
}

func (a *admin) knobs(*http.Request) (any, *problem) { return encode(a.sim.Knobs()), nil }

// turn changes the knobs that are named.
func (a *admin) turn(r *http.Request) (any, *problem) {
	k := a.sim.Knobs()
	d, bad := read(r, &k)
	if bad != nil {
		return nil, bad
	}
	if d.knobs("", k); d.err() != nil {
		return nil, wrong(d.err())
	}
	a.sim.Set(k)
	return a.knobs(r)
}

func (a *admin) faults(*http.Request) (any, *problem) { return encode(a.sim.Faults()), nil }

func (a *admin) inject(r *http.Request) (any, *problem) {
	var f graphsim.Fault
	d, bad := read(r, &f)
	if bad != nil {
		return nil, bad
	}
	if d.fault("", f); d.err() != nil {
		return nil, wrong(d.err())
	}
	if len(a.sim.Faults()) >= maxFaults {
		return nil, conflict("too many faults are armed; clear some")
	}
	return map[string]int{"id": a.sim.Arm(f)}, nil
}

func (a *admin) clear(r *http.Request) (any, *problem) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || !a.sim.Clear(id) {
		return nil, missing("no such fault is armed; it may have struck for the last time")
	}
	return done{true}, nil
}

func (a *admin) clearAll(*http.Request) (any, *problem) {
	for _, f := range a.sim.Faults() {
		a.sim.Clear(f.ID)
	}
	return done{true}, nil
}
