package proof

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A story is all of a history about one device.
type story struct {
	device  Device
	limits  Limits
	events  []*Event
	outcome map[string]Outcome // by event
	calls   []Call             // in order of arrival
	states  []state            // in order
	final   map[string]bool
	known   bool // what it holds at the end is known
	cut     bool // the history was
}

// A state is what Graph held from a moment on: after a call, or an admin's edit.
type state struct {
	from    time.Time
	removed map[string]bool
	call    *Call
	edit    *Edit
}

// stories are the history's devices, by name.
func (h History) stories() []*story {
	by := map[Device]*story{}
	of := func(d Device) *story {
		if by[d] == nil {
			by[d] = &story{device: d, limits: h.Limits, cut: h.Cut, outcome: map[string]Outcome{}}
		}
		return by[d]
	}
	for i := range h.Stored {
		c := of(h.Stored[i].Device)
		c.events = append(c.events, &h.Stored[i])
	}
	for _, o := range h.Outcomes {
		of(o.Device).outcome[o.Event] = o
	}
	for _, call := range h.Calls {
		c := of(call.Device)
		c.calls = append(c.calls, call)
	}
	for _, f := range h.Final {
		c := of(f.Device)
		c.known, c.final = true, set(f.Removed)
	}
	edits := map[Device][]Edit{}
	for _, e := range h.Edits {
		edits[e.Device] = append(edits[e.Device], e)
		of(e.Device)
	}
	for d, c := range by {
		slices.SortStableFunc(c.calls, func(a, b Call) int { return cmp.Compare(a.N, b.N) })
		c.play(edits[d])
	}
	return slices.SortedFunc(maps.Values(by), func(a, b *story) int { return cmp.Compare(a.device.String(), b.device.String()) })
}

func set(items []string) map[string]bool {
	s := map[string]bool{}
	for _, i := range items {
		s[i] = true
	}
	return s
}

// play follows what Graph held, change by change.
func (c *story) play(edits []Edit) {
	c.states = []state{{removed: map[string]bool{}}}
	var changes []state
	for i := range c.calls {
		if call := &c.calls[i]; call.Post && call.Applied {
			changes = append(changes, state{from: call.AppliedAt, call: call})
		}
	}
	for i := range edits {
		changes = append(changes, state{from: edits[i].At, edit: &edits[i]})
	}
	slices.SortStableFunc(changes, func(a, b state) int { return cmp.Compare(a.order(), b.order()) })
	for _, s := range changes {
		last := c.states[len(c.states)-1].removed
		if s.call != nil {
			s.removed = set(s.call.Set)
		} else {
			s.removed = maps.Clone(last)
			delete(s.removed, s.edit.Item)
			if s.edit.Removed {
				s.removed[s.edit.Item] = true
			}
		}
		c.states = append(c.states, s)
	}
}

func (s state) order() int {
	if s.call != nil {
		return s.call.Order
	}
	return s.edit.Order
}

func (c *story) violation(p Promise, event string, call int, format string, args ...any) Violation {
	return Violation{p, c.device, event, call, fmt.Sprintf(format, args...)}
}

// effective are outcomes after which the event's words are in force, or have been.
var effective = map[string]bool{"accepted": true, "unchanged": true, "superseded": true}

// newestTold is the newest event with a word on the item that the relay knew to be in
// force by then; nil if there is none.
func (c *story) newestTold(item string, by time.Time) (newest *Event) {
	for _, e := range c.events {
		o, ended := c.outcome[e.ID]
		if !ended || !effective[o.Word] || o.Word == "superseded" || !o.Ended.Before(by.Add(-skew)) {
			continue
		}
		if _, speaks := e.says(item); speaks && (newest == nil || e.newer(newest)) {
			newest = e
		}
	}
	return newest
}

// asked reports whether a call at that time may have the item removed (or not)
// because an event says so that is no older than the newest told one.
func (c *story) asked(item string, removed bool, by time.Time) bool {
	told := c.newestTold(item, by)
	for _, e := range c.events {
		if !around(e.Stored, by) || c.outcome[e.ID].Word == "refused" || c.outcome[e.ID].Word == "invalid" {
			continue
		}
		if says, speaks := e.says(item); speaks && says == removed && (told == nil || e == told || e.newer(told)) {
			return true
		}
	}
	return false
}
