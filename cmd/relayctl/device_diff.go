package main

import (
	"slices"

	"changerelay/internal/events"
	"changerelay/internal/graph"
)

// A difference is where Graph shows otherwise than the relay believes.
type difference struct {
	ID       string `json:"id"`
	Believed string `json:"believed"` // removed, or not
	Graph    string `json:"graph"`    // removed, restored, or not_listed
	Means    string `json:"means"`
}

// differences need both sides to have been read.
func (s *sight) differences() (all []difference) {
	if s.doc == nil || s.graph == nil || s.doc.View.At.IsZero() {
		return nil
	}
	for _, it := range s.items() {
		removed := s.believed(it.ID) == "removed"
		shown := s.shown(it.ID)
		if removed == (shown == "removed") {
			continue
		}
		d := difference{ID: it.ID, Believed: "not", Graph: shown, Means: "removed in the portal since, or by a call that came late: it is kept"}
		if s.own {
			d.Means = "removed in the portal since, or by a call that came late: the next call restores it"
		}
		if removed {
			d.Believed, d.Means = "removed", s.unlisted(it.ID)
			if shown == "restored" {
				d.Means = "restored since, by Graph itself or in the portal"
			}
		}
		all = append(all, d)
	}
	return all
}

// unlisted says how long a removal is believed that Graph does not list.
func (s *sight) unlisted(id string) string {
	if w, ok := s.doc.Told[id]; ok && w.Intent == events.Remove && !w.Yielded {
		if until := w.At.Add(s.timing.Hold); until.After(s.now) {
			return "Graph does not list it, which proves nothing: it is believed until " + stamp(until, s.now)
		}
	}
	return "Graph does not list it any more"
}

// shown is what Graph lists of an item.
func (s *sight) shown(id string) string {
	has := func(list []graph.Item) bool {
		return slices.ContainsFunc(list, func(it graph.Item) bool { return it.ID == id })
	}
	switch {
	case has(s.graph.Removed):
		return "removed"
	case has(s.graph.Restored):
		return "restored"
	}
	return "not_listed"
}
