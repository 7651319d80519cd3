package proof

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const seeds = 300

// TestPerfect: nothing is found where nothing is wrong.
func TestPerfect(t *testing.T) {
	for seed := range int64(seeds) {
		h := perfect(seed)
		for _, v := range Check(h) {
			t.Fatalf("seed %d: %s\n%s", seed, v, h.Timeline(v))
		}
	}
}

// A breaker breaks a promise in a history, if it can.
type breaker struct {
	promise Promise
	what    string
	does    func(*History) bool
}

var breakers = []breaker{
	{Lost, "an acknowledged event is not stored", func(h *History) bool {
		h.Sent = append(h.Sent, Sent{start, start, "gone", h.Final[0].Device, true, "202"})
		return true
	}},
	{Partial, "a call leaves out what another ticket removed", func(h *History) bool {
		return h.applied(func(c *Call, held []string) bool {
			i := slices.IndexFunc(c.Set, func(i string) bool { return slices.Contains(held, i) && h.onlyRemoved(c.Device, i) })
			if i < 0 {
				return false
			}
			c.Set = slices.Delete(slices.Clone(c.Set), i, i+1)
			return true
		})
	}},
	{Stale, "a call removes what nobody asks for", func(h *History) bool {
		return h.applied(func(c *Call, held []string) bool {
			c.Set = append(slices.Clone(c.Set), "stranger")
			return true
		})
	}},
	{Stale, "an old removal comes back after a newer restore was told", func(h *History) bool {
		return h.applied(func(c *Call, held []string) bool {
			for _, old := range h.Stored {
				for _, i := range old.Remove {
					if old.Device == c.Device && old.Stored.Before(c.At) && !slices.Contains(c.Set, i) && h.restoredBy(c, i) {
						c.Set = append(slices.Clone(c.Set), i)
						return true
					}
				}
			}
			return false
		})
	}},
	{Overlap, "two calls in flight", func(h *History) bool {
		for i := range h.Calls {
			for j := range i {
				if h.Calls[j].Device == h.Calls[i].Device {
					h.Calls[j].Done = h.Calls[i].At.Add(time.Millisecond)
					return true
				}
			}
		}
		return false
	}},
	{Quota, "four calls in the window of three", func(h *History) bool {
		c := h.Calls[0]
		for range h.Limits.Calls {
			c.N += 1000
			c.Applied, c.Status = false, 429
			h.Calls = append(h.Calls, c)
		}
		return true
	}},
	{Silent, "no outcome", func(h *History) bool {
		h.Outcomes = h.Outcomes[1:]
		return true
	}},
	{Silent, "two outcomes", func(h *History) bool {
		h.Outcomes = append(h.Outcomes, h.Outcomes[0])
		return true
	}},
	{Silent, "an outcome of nobody", func(h *History) bool {
		o := h.Outcomes[0]
		o.Event = "nobody"
		h.Outcomes = append(h.Outcomes, o)
		return true
	}},
	{Untrue, "accepted without a call", func(h *History) bool {
		i := slices.IndexFunc(h.Outcomes, func(o Outcome) bool { return o.Word == "accepted" })
		h.Outcomes[i].Ended = h.event(h.Outcomes[i].Event).Stored
		return true
	}},
	{Untrue, "unchanged, and was never so", func(h *History) bool {
		return h.outcome("accepted", func(o *Outcome, e *Event) bool {
			o.Word, e.Remove = "unchanged", append(slices.Clone(e.Remove), "never")
			return true
		})
	}},
	{Untrue, "superseded by nobody", func(h *History) bool {
		e := &h.Stored[len(h.Stored)-1]
		e.Time = start.Add(time.Hour)
		return h.outcome("", func(o *Outcome, of *Event) bool {
			if of.ID == e.ID {
				o.Word = "superseded"
			}
			return of.ID == e.ID
		})
	}},
	{Untrue, "refused by nobody", func(h *History) bool {
		return h.outcome("refused", func(o *Outcome, e *Event) bool {
			h.Calls = slices.DeleteFunc(h.Calls, func(c Call) bool { return c.Status == 400 })
			return true
		})
	}},
	{Untrue, "expired when it was young", func(h *History) bool {
		return h.outcome("accepted", func(o *Outcome, e *Event) bool { o.Word = "expired"; return true })
	}},
	{Untrue, "a word that is none", func(h *History) bool {
		h.Outcomes[0].Word = "fine"
		return true
	}},
	{Unlettered, "refused without a letter", func(h *History) bool {
		ok := len(h.Letters) > 0
		h.Letters = nil
		return ok
	}},
	{Unlettered, "accepted with a letter", func(h *History) bool {
		return h.outcome("accepted", func(o *Outcome, e *Event) bool {
			h.Letters = append(h.Letters, Letter{e.ID, "refused"})
			return true
		})
	}},
	{Wrong, "something is left removed", func(h *History) bool {
		h.Final[0].Removed = append(slices.Clone(h.Final[0].Removed), "left")
		return true
	}},
	{Wrong, "something was restored", func(h *History) bool {
		for i := range h.Final {
			if f := &h.Final[i]; len(f.Removed) > 0 {
				f.Removed = f.Removed[1:]
				return true
			}
		}
		return false
	}},
}

// TestBroken: each promise, broken in an otherwise perfect history, is found broken.
func TestBroken(t *testing.T) {
	for _, b := range breakers {
		t.Run(strings.ReplaceAll(b.what, " ", "_"), func(t *testing.T) {
			broken := 0
			for seed := range int64(seeds) {
				h := perfect(seed)
				if !b.does(&h) {
					continue
				}
				broken++
				if found := Check(h); !slices.ContainsFunc(found, func(v Violation) bool { return v.Promise == b.promise }) {
					t.Fatalf("seed %d: %q is not found; found: %v", seed, b.promise, found)
				}
			}
			if broken < seeds/10 {
				t.Errorf("only %d of %d histories could be broken so", broken, seeds)
			}
		})
	}
	for _, p := range Promises {
		if !slices.ContainsFunc(breakers, func(b breaker) bool { return b.promise == p }) {
			t.Errorf("nothing breaks %q", p)
		}
	}
}

func TestWriteRead(t *testing.T) {
	h := perfect(7)
	var b bytes.Buffer
	if err := h.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil || !reflect.DeepEqual(normal(got), normal(h)) {
		t.Errorf("read back otherwise than written: %v", err)
	}
}

func normal(h History) History {
	h.Stored = slices.Clip(h.Stored)
	for i, f := range h.Final {
		if len(f.Removed) == 0 {
			h.Final[i].Removed = nil
		}
	}
	for i, c := range h.Calls {
		if len(c.Set) == 0 {
			h.Calls[i].Set = nil
		}
	}
	return h
}

func (h *History) event(id string) *Event {
	for i := range h.Stored {
		if h.Stored[i].ID == id {
			return &h.Stored[i]
		}
	}
	return nil
}

func (h *History) outcome(word string, f func(*Outcome, *Event) bool) bool {
	for i := range h.Outcomes {
		if o := &h.Outcomes[i]; (word == "" || o.Word == word) && f(o, h.event(o.Event)) {
			return true
		}
	}
	return false
}

// applied calls f with each applied call and what was held before it, from the last on.
func (h *History) applied(f func(c *Call, held []string) bool) bool {
	for _, s := range slices.Backward(h.Calls) {
		if !s.Applied {
			continue
		}
		i := slices.IndexFunc(h.Calls, func(c Call) bool { return c.N == s.N })
		if f(&h.Calls[i], h.heldBefore(s)) {
			return true
		}
	}
	return false
}

func (h *History) heldBefore(call Call) (held []string) {
	for _, c := range h.stories() {
		for n, s := range c.states {
			if s.call != nil && s.call.N == call.N {
				for i := range c.states[n-1].removed {
					held = append(held, i)
				}
			}
		}
	}
	return held
}

// onlyRemoved: no ticket and no admin has ever wanted the item back.
func (h *History) onlyRemoved(d Device, item string) bool {
	return !slices.ContainsFunc(h.Edits, func(e Edit) bool { return e.Device == d && e.Item == item }) &&
		!slices.ContainsFunc(h.Stored, func(e Event) bool { return e.Device == d && slices.Contains(e.Restore, item) })
}

// restoredBy: the newest of all words on the item is a restore that was told before
// the call, and no admin has edited it.
func (h *History) restoredBy(c *Call, item string) bool {
	var newest *Event
	for i := range h.Stored {
		e := &h.Stored[i]
		if _, speaks := e.says(item); speaks && e.Device == c.Device && (newest == nil || e.newer(newest)) {
			newest = e
		}
	}
	edited := slices.ContainsFunc(h.Edits, func(e Edit) bool { return e.Device == c.Device && e.Item == item })
	return !edited && newest != nil && slices.Contains(newest.Restore, item) && slices.ContainsFunc(h.Outcomes, func(o Outcome) bool {
		return o.Event == newest.ID && o.Word == "accepted" && o.Ended.Before(c.At.Add(-time.Second))
	})
}
