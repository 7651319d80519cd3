package proof

import (
	"maps"
	"slices"
	"time"
)

// paced: no window has more of a tenant's POSTs than it may.
func (h History) paced() (found []Violation) {
	if h.Limits.Calls == 0 {
		return nil
	}
	at := map[string][]Call{}
	for _, c := range h.Calls {
		if c.Post {
			at[c.Device.Tenant] = append(at[c.Device.Tenant], c)
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(at)) {
		calls := at[tenant]
		slices.SortFunc(calls, func(a, b Call) int { return a.At.Compare(b.At) })
		for i := h.Limits.Calls; i < len(calls); i++ {
			if d := calls[i].At.Sub(calls[i-h.Limits.Calls].At); d < h.Limits.Window {
				found = append(found, Violation{Quota, calls[i].Device, "", calls[i].N,
					tenant + " has made " + plural(h.Limits.Calls+1, "call") + " within " + d.String()})
				break
			}
		}
	}
	return found
}

// overlaps: a POST arrives while another for the device is being answered. One that Graph has
// had for longer than a call may take is nobody's any more: who sent it has hung up, or is stopped.
func (c *story) overlaps() (found []Violation) {
	var last *Call
	for i := range c.calls {
		call := &c.calls[i]
		if !call.Post {
			continue
		}
		forsaken := last != nil && c.limits.Budget > 0 && call.At.Sub(last.At) >= c.limits.Budget
		if last != nil && !forsaken && (last.Done.IsZero() || last.Done.After(call.At)) {
			found = append(found, c.violation(Overlap, "", call.N, "arrives while call %d is in flight", last.N))
		}
		if last == nil || call.Done.IsZero() || call.Done.After(last.Done) {
			last = call
		}
	}
	return found
}

// sets: whatever an applied call changed, somebody had asked for; what it brought
// back or took away was not decided otherwise by a newer event that had been told.
func (c *story) sets() (found []Violation) {
	for n := 1; n < len(c.states); n++ {
		now := c.states[n]
		if now.call == nil {
			continue
		}
		was, call := c.states[n-1], now.call
		if call.Late { // Graph chose the moment: what counts is what it held when the call came
			was = c.states[c.at(call.At)]
		}
		for _, item := range slices.Sorted(maps.Keys(union(was.removed, now.removed))) {
			removes := now.removed[item]
			switch {
			case removes && !c.asked(item, true, call.At) && !c.seen(n, item):
				found = append(found, c.violation(Stale, "", call.N, "removes %s, which nobody asks for, or no longer", item))
			case !removes && !c.asked(item, false, call.At) && !c.unseen(n, item):
				found = append(found, c.violation(Partial, "", call.N, "restores %s, which nobody asked for", item))
			}
		}
	}
	return found
}

// at is the state that held at that time.
func (c *story) at(t time.Time) (n int) {
	for n+1 < len(c.states) && !c.states[n+1].from.After(t) {
		n++
	}
	return n
}

// seen reports whether the call of state n may have the item because a read showed
// it as removed: it was, at some time since the last call of the relay that was
// answered, or Graph has applied another late. An admin's removal that the last call undid
// unseen is still in a read that lags, and is put back.
func (c *story) seen(n int, item string) bool {
	answered := false
	for i := n - 1; i >= 0; i-- {
		s := c.states[i]
		old := c.ends(i).Before(c.states[n].call.At.Add(-c.limits.Fresh)) // no read could show it any more
		if s.removed[item] {
			return !answered || c.byAdmin(i, item) && !old
		}
		if old {
			return false
		}
		answered = answered || s.call != nil && !s.call.Late || s.call == nil && s.edit == nil
	}
	return false
}

// byAdmin reports whether an admin's edit is why the item is removed in state i.
func (c *story) byAdmin(i int, item string) bool {
	for i > 0 && c.states[i-1].removed[item] {
		i--
	}
	return c.states[i].edit != nil
}

// unseen reports whether the call of state n may miss that the item is removed: an
// admin did that so shortly before that no read has shown it, or Graph applied an
// older set late.
func (c *story) unseen(n int, item string) bool {
	for i := n - 1; i > 0; i-- {
		s := c.states[i]
		if c.states[i-1].removed[item] {
			continue // it was removed before
		}
		return s.edit != nil && s.from.After(c.states[n].call.At.Add(-c.limits.Fresh)) || s.call != nil && s.call.Late
	}
	return false
}

// ends is when state i was over.
func (c *story) ends(i int) time.Time {
	if i+1 < len(c.states) {
		return c.states[i+1].from
	}
	return time.Unix(1<<40, 0)
}

func union(a, b map[string]bool) map[string]bool {
	u := maps.Clone(a)
	maps.Copy(u, b)
	return u
}
