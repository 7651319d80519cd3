package proof

import (
	"fmt"
	"slices"
	"strings"
)

// names are short ones for a device's items and events: nobody compares 36 digits at
// three in the morning.
type names struct {
	items   []string
	replace *strings.Replacer
}

func (h History) namesOf(d Device) (n names) {
	item := func(i string) {
		if !slices.Contains(n.items, i) {
			n.items = append(n.items, i)
		}
	}
	var pairs []string
	known := map[string]bool{}
	for _, e := range h.Stored {
		if e.Device != d {
			continue
		}
		known[e.ID] = true
		pairs = append(pairs, e.ID, fmt.Sprintf("#%d", e.Seq))
		for _, i := range e.items() {
			item(i)
		}
	}
	for _, s := range h.Sent {
		if s.Device == d && !known[s.Event] {
			known[s.Event] = true
			pairs = append(pairs, s.Event, fmt.Sprint("unstored", len(known)))
		}
	}
	for _, c := range h.Calls {
		if c.Device == d {
			for _, i := range c.Set {
				item(i)
			}
		}
	}
	slices.Sort(n.items)
	for k, i := range n.items {
		if len(i) > len("item9") {
			pairs = append(pairs, i, fmt.Sprint("item", k+1))
		}
	}
	n.replace = strings.NewReplacer(pairs...)
	return n
}

func (n names) short(text string) string { return n.replace.Replace(text) }

// spoken reports whether a line has an item in it that the violation speaks of.
func (n names) spoken(violation, line string) bool {
	return slices.ContainsFunc(n.items, func(i string) bool { return strings.Contains(violation, i) && strings.Contains(line, n.short(i)) })
}

// legend has the long names of what the violation speaks of; the others are in the history.
func (n names) legend(v Violation) string {
	var s strings.Builder
	for _, i := range n.items {
		if short := n.short(i); short != i {
			fmt.Fprintf(&s, "%s is %s\n", short, i)
		}
	}
	if v.Event != "" {
		fmt.Fprintf(&s, "%s is %s\n", n.short(v.Event), v.Event)
	}
	return s.String()
}

func (e *Event) words() string {
	var w []string
	for _, i := range e.Remove {
		w = append(w, signed(true, i))
	}
	for _, i := range e.Restore {
		w = append(w, signed(false, i))
	}
	if e.All {
		w = append(w, "restore all")
	}
	return strings.Join(w, " ")
}

func signed(removed bool, item string) string {
	if removed {
		return "-" + item
	}
	return "+" + item
}

func (c Call) text() string {
	if !c.Post {
		return fmt.Sprintf("read     call %d: %d", c.N, c.Status)
	}
	s := fmt.Sprintf("POST     call %d [%s]: %d after %s", c.N, strings.Join(c.Set, " "), c.Status, c.Done.Sub(c.At).Round(1e6))
	switch {
	case c.Done.IsZero():
		s = fmt.Sprintf("POST     call %d [%s]: in flight", c.N, strings.Join(c.Set, " "))
	case !c.Applied:
		s += ", not applied"
	}
	if c.Applied {
		s += fmt.Sprintf(", applied as %d at %s", c.Order, c.AppliedAt.Format(clock))
	}
	return s
}

// clipped is the beginning of an answer: the rest is in the history.
func clipped(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	s, _, _ = strings.Cut(s, " {")
	return s[:min(len(s), 100)]
}
