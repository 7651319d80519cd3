package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

func plural(n int, what string) string { return fmt.Sprintf("%d %ss", n, what) }

// maxLines is how long a timeline is at most: two screens.
const maxLines = 100

const clock = "15:04:05.000"

// A line is one thing that happened to a device.
type line struct {
	at    time.Time
	text  string
	same  string // lines in a row that have it too are one; "" is alone
	about bool   // the violation is about it
	near  bool   // it is about what the violation speaks of
	far   int    // lines to the nearest that the violation is about
}

// Timeline is what a tired person reads after a violation: what happened to its
// device, in order, with short names, and the faults meanwhile. Lines that it is about
// are marked; of a long story what is nearest to them is shown.
func (h History) Timeline(v Violation) string {
	n := h.namesOf(v.Device)
	lines := h.lines(v, n)
	if len(lines) == 0 {
		return fmt.Sprintf("%s\nseed %d, device %s: nothing is known of it\n", v, h.Seed, v.Device)
	}
	lines = h.struck(folded(lines))
	shown := nearest(lines)
	var s strings.Builder
	fmt.Fprintf(&s, "%s\nseed %d, device %s, %d of %d lines; > is what this is about\n%s\n", n.short(v.String()), h.Seed, v.Device, len(shown), len(lines), n.legend(v))
	last := -1
	for _, at := range shown {
		if at > last+1 {
			fmt.Fprintf(&s, "    … %s left out\n", plural(at-last-1, "line"))
		}
		last = at
		mark := " "
		if lines[at].about {
			mark = ">"
		}
		fmt.Fprintf(&s, "%s %s  %s\n", mark, lines[at].at.Format(clock), lines[at].text)
	}
	return s.String()
}

// lines are all that is known of the violation's device, in order.
func (h History) lines(v Violation, n names) (lines []line) {
	add := func(at time.Time, event string, call int, same, format string, args ...any) {
		text := n.short(fmt.Sprintf(format, args...))
		lines = append(lines, line{at: at, text: text, same: same, about: event != "" && event == v.Event || call != 0 && call == v.Call,
			near: n.spoken(v.Text, text)})
	}
	for _, s := range h.Sent {
		if s.Device == v.Device {
			add(s.At, s.Event, 0, fmt.Sprint("send", s.Event, s.Answer), "send     %s: %s after %s", s.Event, clipped(n.short(s.Answer)), s.Answered.Sub(s.At).Round(time.Millisecond))
		}
	}
	for _, e := range h.Stored {
		if e.Device == v.Device {
			add(e.Stored, e.ID, 0, "", "stored   %s of %s, said at %s: %s", e.ID, e.Ticket, e.Time.Format(clock), e.words())
		}
	}
	for _, c := range h.Calls {
		if c.Device == v.Device {
			same := ""
			if !c.Post && c.N != v.Call {
				same = fmt.Sprint("read", c.Status)
			}
			add(c.At, "", c.N, same, "%s", c.text())
		}
	}
	for _, e := range h.Edits {
		if e.Device == v.Device {
			add(e.At, "", 0, "", "portal   %s", signed(e.Removed, e.Item))
		}
	}
	for _, o := range h.Outcomes {
		if o.Device == v.Device {
			add(o.Ended, o.Event, 0, "", "outcome  %s: %s %s", o.Event, o.Word, clipped(n.short(o.Reason)))
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	return lines
}

// struck adds the faults that were in force at some time of the story.
func (h History) struck(lines []line) []line {
	first, last := lines[0].at, lines[len(lines)-1].at
	for _, f := range h.Faults {
		if f.At.Before(last) && (f.Over.IsZero() || f.Over.After(first)) {
			lines = append(lines, line{at: f.At, text: fmt.Sprintf("FAULT    %s, for %s", f.What, f.Over.Sub(f.At).Round(time.Millisecond))})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	return lines
}

// folded makes one line of many in a row that say the same.
func folded(lines []line) (out []line) {
	times := 1
	for _, l := range lines {
		if n := len(out); n > 0 && l.same != "" && l.same == out[n-1].same {
			times++
			base, _, _ := strings.Cut(out[n-1].text, "  (and ")
			out[n-1].text = fmt.Sprintf("%s  (and %d more by %s)", base, times-1, l.at.Format(clock))
			continue
		}
		times = 1
		out = append(out, l)
	}
	return out
}

// nearest are the places of the lines that are shown, in order: the end of the story
// if the violation is about no line.
func nearest(lines []line) (shown []int) {
	for i := range lines {
		lines[i].far = len(lines) - i
		for j := range lines {
			if lines[j].about {
				lines[i].far = min(lines[i].far, max(i-j, j-i))
			}
		}
		if lines[i].near {
			lines[i].far /= 8
		}
		shown = append(shown, i)
	}
	slices.SortStableFunc(shown, func(a, b int) int { return cmp.Compare(lines[a].far, lines[b].far) })
	shown = shown[:min(len(shown), maxLines)]
	slices.Sort(shown)
	return shown
}
