package proof

import (
	"cmp"
	"fmt"
	"time"
)

// acknowledged: what a sender was told is stored, is stored.
func (h History) acknowledged() (found []Violation) {
	stored := map[string]bool{}
	for _, e := range h.Stored {
		stored[e.ID] = true
	}
	for _, s := range h.Sent {
		if s.Ack && !stored[s.Event] {
			found = append(found, Violation{Lost, s.Device, s.Event, 0, fmt.Sprintf("answered %q, and is not stored", clipped(s.Answer))})
		}
	}
	return found
}

// ended: each event that is stored has one final outcome, and nothing else has.
func (h History) ended() (found []Violation) {
	count := map[string]int{}
	for _, o := range h.Outcomes {
		count[o.Event]++
	}
	for _, e := range h.Stored {
		if n := count[e.ID]; n != 1 && !(h.Cut && n == 0) {
			found = append(found, Violation{Silent, e.Device, e.ID, 0, fmt.Sprintf("has %d final outcomes", n)})
		}
		delete(count, e.ID)
	}
	for _, o := range h.Outcomes {
		if count[o.Event] > 0 {
			found = append(found, Violation{Silent, o.Device, o.Event, 0, "ended " + o.Word + ", and was never stored"})
		}
	}
	return found
}

// dead are the words that a person must look at.
var dead = map[string]bool{"invalid": true, "refused": true, "approval_required": true, "expired": true}

// lettered: such an outcome has a letter with the same word, and no other has one.
func (h History) lettered() (found []Violation) {
	letters := map[string][]string{}
	for _, l := range h.Letters {
		letters[l.Event] = append(letters[l.Event], l.Reason)
	}
	for _, o := range h.Outcomes {
		got := letters[o.Event]
		switch {
		case dead[o.Word] && (len(got) != 1 || got[0] != o.Word):
			found = append(found, Violation{Unlettered, o.Device, o.Event, 0, fmt.Sprintf("ended %s, with the letters %q", o.Word, got)})
		case !dead[o.Word] && len(got) > 0:
			found = append(found, Violation{Unlettered, o.Device, o.Event, 0, fmt.Sprintf("ended %s, and has the letters %q", o.Word, got)})
		}
	}
	return found
}

// newer orders events of a device: by time, then sequence, then key.
func (e *Event) newer(than *Event) bool {
	return cmp.Or(e.Time.Compare(than.Time), cmp.Compare(e.Seq, than.Seq), cmp.Compare(e.Key, than.Key)) > 0
}

// says is the event's word on an item.
func (e *Event) says(item string) (removed, speaks bool) {
	for _, i := range e.Remove {
		if i == item {
			return true, true
		}
	}
	for _, i := range e.Restore {
		if i == item {
			return false, true
		}
	}
	return false, e.All
}

func (e *Event) items() []string { return append(append([]string{}, e.Remove...), e.Restore...) }

// around is a time with its tolerance: a is no later than b.
func around(a, b time.Time) bool { return !a.After(b.Add(skew)) }
