package main

import (
	"cmp"
	"fmt"
	"slices"
)

// A judgement is what became of a load.
type judgement struct {
	words   map[string]int // outcomes, how many of each
	effects int            // calls that changed something
	faults  []string
}

// verdict compares the events that were taken with their outcomes and with the calls for
// their devices. Every event removes an item of its own, so each set that takes effect holds
// the one before, and more: less is a change undone, the same a call that nobody needed.
func verdict(kept map[string]event, ends map[string][]string, calls []call) judgement {
	j := judgement{words: map[string]int{}}
	devices := map[string]bool{}
	for id, e := range kept {
		devices[e.device] = true
		if n := len(ends[id]); n != 1 {
			j.fault("%s has %d outcomes %v", id, n, ends[id])
			continue
		}
		j.words[ends[id][0]]++
		if w := ends[id][0]; w != "accepted" && w != "unchanged" {
			j.fault("%s ended %s", id, w)
		}
	}
	held := map[string]map[string]bool{}
	calls = slices.Clone(calls)
	slices.SortFunc(calls, func(a, b call) int { return cmp.Compare(a.Order, b.Order) })
	for _, c := range calls {
		if devices[c.Device] {
			held[c.Device] = j.call(c, held[c.Device])
		}
	}
	for id, e := range kept {
		if !held[e.device][e.item] {
			j.fault("%s had no effect", id)
		}
	}
	return j
}

// call judges one call by what the device held, and returns what it holds now.
func (j *judgement) call(c call, held map[string]bool) map[string]bool {
	if c.Overlap {
		j.fault("call %d overlapped another for its device", c.N)
	}
	if !c.Applied {
		return held
	}
	j.effects++
	now := map[string]bool{}
	for _, i := range c.Items {
		now[i.ID] = true
	}
	if len(now) <= len(held) {
		j.fault("call %d repeated what the device held", c.N)
	}
	for item := range held {
		if !now[item] {
			j.fault("call %d undid %s", c.N, item)
		}
	}
	return now
}

func (j *judgement) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}
