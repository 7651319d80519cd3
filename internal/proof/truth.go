package proof

import (
	"maps"
	"slices"
	"time"
)

// truths: each outcome's word is what happened.
func (c *story) truths() (found []Violation) {
	for _, e := range c.events {
		o, ended := c.outcome[e.ID]
		if !ended {
			continue
		}
		if why := c.untrue(e, o); why != "" {
			found = append(found, c.violation(Untrue, e.ID, 0, "ended %s, but %s", o.Word, why))
		}
	}
	return found
}

// untrue is why the outcome is not; "" if it is.
func (c *story) untrue(e *Event, o Outcome) string {
	switch o.Word {
	case "accepted":
		if !c.carried(e, o) {
			return "no call that Graph took in its time says so"
		}
	case "unchanged":
		if !c.wasSo(e, o) {
			return "the device was never so in its time"
		}
	case "superseded":
		if item, left := c.unbeaten(e); left && !c.cut {
			return "no newer event that is in force speaks of " + item
		}
	case "refused":
		if !c.refused(e, o) {
			return "Graph has not refused anything in its time"
		}
	case "expired":
		if age := o.Ended.Sub(e.Stored); age+skew < c.limits.MaxAge {
			return "it was only " + age.Round(time.Millisecond).String() + " old"
		}
	case "invalid", "approval_required":
	default:
		return "that is no final outcome"
	}
	return ""
}

// carried: a call that Graph took, arrived after the event was stored and before it
// ended, says each of its words, but those that a newer event has outdone.
func (c *story) carried(e *Event, o Outcome) bool {
	return slices.ContainsFunc(c.states, func(s state) bool {
		if s.call == nil || !around(e.Stored, s.call.At) || !around(s.call.At, o.Ended) {
			return false
		}
		return c.holds(e, s.removed, o.Ended)
	})
}

// wasSo: at some time between the two, Graph held what the event says.
func (c *story) wasSo(e *Event, o Outcome) bool {
	for i, s := range c.states {
		began := s.from.Before(o.Ended.Add(skew))
		// Graph's reads may lag: the state just before the event was stored will do.
		over := c.ends(i).Before(e.Stored.Add(-c.limits.Fresh))
		if began && !over && c.holds(e, s.removed, o.Ended) {
			return true
		}
	}
	return false
}

// holds reports whether a set agrees with the event, where no newer event that was
// stored by then says otherwise.
func (c *story) holds(e *Event, removed map[string]bool, by time.Time) bool {
	for _, item := range e.items() {
		says, _ := e.says(item)
		if removed[item] != says && !c.outdone(e, item, by) {
			return false
		}
	}
	if e.All {
		for item := range removed {
			if _, named := (&Event{Remove: e.Remove, Restore: e.Restore}).says(item); !named && !c.outdone(e, item, by) {
				return false
			}
		}
	}
	return true
}

func (c *story) outdone(e *Event, item string, by time.Time) bool {
	return slices.ContainsFunc(c.events, func(other *Event) bool {
		_, speaks := other.says(item)
		return speaks && other.newer(e) && around(other.Stored, by)
	})
}

// unbeaten is an item of the event on which no newer event in force speaks.
func (c *story) unbeaten(e *Event) (string, bool) {
	for _, item := range e.items() {
		if !slices.ContainsFunc(c.events, func(other *Event) bool {
			_, speaks := other.says(item)
			return speaks && other.newer(e) && effective[c.outcome[other.ID].Word]
		}) {
			return item, true
		}
	}
	return "", false
}

func (c *story) refused(e *Event, o Outcome) bool {
	return slices.ContainsFunc(c.calls, func(call Call) bool {
		return call.Status >= 400 && call.Status < 500 && call.Status != 401 && call.Status != 429 &&
			around(e.Stored, call.At) && around(call.At, o.Ended)
	})
}

// end: the device holds what its tickets and its admins say.
func (c *story) end() (found []Violation) {
	if !c.known {
		return nil
	}
	items := map[string]bool{}
	maps.Copy(items, c.final)
	for _, e := range c.events {
		maps.Copy(items, set(e.items()))
	}
	for _, s := range c.states {
		maps.Copy(items, s.removed)
	}
	for _, item := range slices.Sorted(maps.Keys(items)) {
		want, by := c.oracle(item)
		if c.final[item] == want || c.disputed(item) {
			continue
		}
		held := "restored"
		if c.final[item] {
			held = "removed"
		}
		found = append(found, c.violation(Wrong, by, 0, "%s is %s at the end", item, held))
	}
	return found
}

// oracle is what is right for the item at the end, and which event says so: the
// newest one in force, unless an admin has edited it after that was told.
func (c *story) oracle(item string) (removed bool, by string) {
	var newest *Event
	for _, e := range c.events {
		if _, speaks := e.says(item); speaks && effective[c.outcome[e.ID].Word] && (newest == nil || e.newer(newest)) {
			newest = e
		}
	}
	var since time.Time
	if newest != nil {
		removed, _ = newest.says(item)
		by, since = newest.ID, c.outcome[newest.ID].Ended
	}
	for _, s := range c.states {
		if s.edit != nil && s.edit.Item == item && (newest == nil || s.from.After(since)) {
			removed, by = s.edit.Removed, ""
		}
	}
	return removed, by
}

// disputed reports whether an admin edited the item at a moment when the relay may
// or may not have seen it before its last call.
func (c *story) disputed(item string) bool {
	return slices.ContainsFunc(c.states, func(edit state) bool {
		return edit.edit != nil && edit.edit.Item == item && slices.ContainsFunc(c.states, func(s state) bool {
			return s.call != nil && s.call.At.After(edit.from.Add(-c.limits.Fresh)) && s.call.At.Before(edit.from.Add(c.limits.Fresh))
		})
	})
}
