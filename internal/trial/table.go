package trial

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"changerelay/internal/proof"
)

// Table is what a trial comes to, for people: faults by class and name, what was
// sent and called, and how it was judged.
func Table(h proof.History, found []proof.Violation) string {
	var s strings.Builder
	acked, words := map[string]bool{}, map[string]int{}
	for _, one := range h.Sent {
		if one.Ack {
			acked[one.Event] = true
		}
	}
	for _, o := range h.Outcomes {
		words[o.Word]++
	}
	posts, applied, late := 0, 0, 0
	for _, c := range h.Calls {
		if c.Post {
			posts++
		}
		if c.Applied {
			applied++
		}
		if c.Late {
			late++
		}
	}
	fmt.Fprintf(&s, "seed %d, %s\n\n", h.Seed, h.Ended.Sub(h.Began).Round(1e8))
	fmt.Fprintf(&s, "| what | number |\n| --- | ---: |\n")
	row := func(what string, n any) { fmt.Fprintf(&s, "| %s | %v |\n", what, n) }
	row("tries of senders", len(h.Sent))
	row("events acknowledged", len(acked))
	row("events stored", len(h.Stored))
	for _, w := range slices.Sorted(maps.Keys(words)) {
		row("… ended "+w, words[w])
	}
	row("requests to Graph for a device", len(h.Calls))
	row("… POSTs", posts)
	row("… sets applied; of these after the answer, or without one", fmt.Sprintf("%d; %d", applied, late))
	row("admins' edits", len(h.Edits))
	row("faults", len(h.Faults))
	row("violations", len(found))
	s.WriteString("\n| class | fault | times |\n| ---: | --- | ---: |\n")
	count := map[string]int{}
	for _, f := range h.Faults {
		count[fmt.Sprintf("| %d | %s |", f.Class, kind(f.What))]++
	}
	for _, k := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(&s, "%s %d |\n", k, count[k])
	}
	return s.String()
}

// kind is the fault's name without its details.
func kind(what string) string {
	for _, f := range faults {
		if strings.HasPrefix(what, f.name+" ") || what == f.name {
			return f.name
		}
	}
	return what
}
