package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

func plural(n int, what string) string { return fmt.Sprintf("%d %ss", n, what) }

// Timeline is all that happened to a device, a line each, in order, and the faults
// that struck meanwhile: what a person reads after a violation.
func (h History) Timeline(d Device) string {
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	add := func(at time.Time, format string, args ...any) {
		lines = append(lines, line{at, fmt.Sprintf(format, args...)})
	}
	for _, s := range h.Sent {
		if s.Device == d {
			add(s.At, "send     %s, answered %s later: %s", s.Event, s.Answered.Sub(s.At).Round(time.Millisecond), s.Answer)
		}
	}
	for _, e := range h.Stored {
		if e.Device == d {
			add(e.Stored, "stored   %s %s as %d, said at %s: %s", e.ID, e.Ticket, e.Seq, e.Time.Format(clock), e.words())
		}
	}
	for _, c := range h.Calls {
		if c.Device == d {
			add(c.At, "%s", c.text())
		}
	}
	for _, e := range h.Edits {
		if e.Device == d {
			add(e.At, "portal   %s removed: %t", e.Item, e.Removed)
		}
	}
	for _, o := range h.Outcomes {
		if o.Device == d {
			add(o.Ended, "outcome  %s %s: %s", o.Event, o.Word, o.Reason)
		}
	}
	if len(lines) == 0 {
		return "nothing is known of " + d.String() + "\n"
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	first, last := lines[0].at, lines[len(lines)-1].at
	for _, f := range h.Faults {
		if f.At.Before(last) && (f.Over.IsZero() || f.Over.After(first)) {
			add(f.At, "FAULT    %s, for %s", f.What, f.Over.Sub(f.At).Round(time.Millisecond))
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	var s strings.Builder
	fmt.Fprintf(&s, "seed %d, device %s\n", h.Seed, d)
	for _, l := range lines {
		fmt.Fprintf(&s, "%s  %s\n", l.at.Format(clock), l.text)
	}
	return s.String()
}

const clock = "15:04:05.000"

func (e *Event) words() string {
	var w []string
	for _, i := range e.Remove {
		w = append(w, "-"+i)
	}
	for _, i := range e.Restore {
		w = append(w, "+"+i)
	}
	if e.All {
		w = append(w, "restore all")
	}
	return strings.Join(w, " ")
}

func (c Call) text() string {
	if !c.Post {
		return fmt.Sprintf("read     call %d: %d", c.N, c.Status)
	}
	s := fmt.Sprintf("POST     call %d [%s]: %d after %s", c.N, strings.Join(c.Set, " "), c.Status, c.Done.Sub(c.At).Round(time.Millisecond))
	if c.Applied {
		s += fmt.Sprintf(", applied as %d at %s", c.Order, c.AppliedAt.Format(clock))
	}
	return s
}
