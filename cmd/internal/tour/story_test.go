package main

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"changerelay/internal/dashboard"
)

// What the day must have left in the panels: series whose name matches have been
// above zero.
var story = []struct{ board, panel, series string }{
	{"overview", "Dead letters", "letters"},
	{"overview", "Tenants paused", "paused"},
	{"overview", "Refused", "^dead: refused$"},
	{"overview", "Refused", "^dead: invalid$"},
	{"overview", "Refused", "^401: "},
	{"overview", "Outcomes", "^superseded$"},
	{"overview", "Reached Graph in 5 minutes", "."},
	{"tickets", "Requests", "^servicenow$"},
	{"tickets", "Answers", "^202$"},
	{"tickets", "Answers", "^429$"},
	{"tickets", "Answers", "^503$"},
	{"tickets", "Failed requests", "^desk$"},
	{"tickets", "Too many: 429", "^scanner$"},
	{"tickets", "Signed with a key past its time", "^desk signature old$"},
	{"tickets", "Given to the broker", "^duplicate$"},
	{"tickets", "Dead letters and parked bodies", "^parked: servicenow$"},
	{"graph", "Calls, by how they ended", "^post throttled$"},
	{"graph", "Calls, by how they ended", "^post in_doubt$"},
	{"graph", "Calls, by how they ended", "^post refused$"},
	{"graph", "Answers, by status", "^post 429$"},
	{"graph", "Devices that wait", "^acme waiting$"},
	{"graph", "Token requests", "^denied$"},
	{"graph", "Writes", "^acme: calls$"},
	{"graph", "In trouble since", "^denied initech$"},
	{"graph", "In trouble since", "^throttled acme$"},
	{"graph", "Pauses", "^write acme$"},
	{"graph", "Pauses", "^read initech$"},
	{"worker", "Not folded yet", "events"},
	{"worker", "Oldest event not folded", "age"},
	{"worker", "Reconnects", "changerelay-ingest"},
	{"worker", "Size", "^CHANGES$"},
	{"worker", "New messages", "^OUTCOMES$"},
}

func (p *proof) story(t *testing.T, boards []dashboard.Dashboard) {
	for _, want := range story {
		if !p.told(t.Context(), t, boards, want.board, want.panel, regexp.MustCompile(want.series)) {
			t.Errorf("%s, %s: %s was never above zero", want.board, want.panel, want.series)
		}
	}
}

func (p *proof) told(ctx context.Context, t *testing.T, boards []dashboard.Dashboard, board, title string, series *regexp.Regexp) bool {
	for _, b := range boards {
		for _, panel := range b.Panels {
			if b.UID != "changerelay-"+board || panel.Title != title {
				continue
			}
			for i := range panel.Targets {
				panel.Targets[i].Instant = false // tables, too, over the whole day
			}
			data, err := p.s.prometheus().Data(ctx, panel, p.values(b), p.span)
			if err != nil {
				t.Error(err)
			}
			for i, got := range data {
				for _, s := range got {
					if series.MatchString(name(panel.Targets[i], s)) && above(s) {
						return true
					}
				}
			}
		}
	}
	return false
}

// name is the legend's, or in a table the labels in the order of their names.
func name(q dashboard.Target, s dashboard.Series) string {
	if q.Legend != "" {
		return q.Name(s)
	}
	var words []string
	for _, label := range slices.Sorted(maps.Keys(s.Labels)) {
		words = append(words, s.Labels[label])
	}
	return strings.Join(words, " ")
}

func above(s dashboard.Series) bool {
	for _, p := range s.Values {
		if p.V > 0 {
			return true
		}
	}
	return false
}
