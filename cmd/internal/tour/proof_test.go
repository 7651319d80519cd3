package main

import (
	"context"
	"encoding/xml"
	"html"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/dashboard"
)

// none are the queries, by dashboard, panel and reference, that show nothing on
// the tour's day, each with the reason. One that shows something is no longer
// to be listed.
var none = map[string]string{
	"changerelay-graph, In trouble since, A": "at the end of the day no tenant is in trouble: the story wants initech in it before",
}

// A proof asks the tour's Prometheus what the dashboards ask.
type proof struct {
	s    *stage
	span dashboard.Span
}

func newProof(t *testing.T, s *stage, began time.Time) *proof {
	span := since(began)
	if span.To.Sub(began) < rateOver {
		t.Fatalf("the day took %v: too short to show anything", span.To.Sub(began))
	}
	return &proof{s, span}
}

func (p *proof) values(b dashboard.Dashboard) dashboard.Values {
	return b.All(rateOver, p.span.To.Sub(p.span.From))
}

// board wants data for every variable, panel and annotation, and no error for
// any choice of a variable.
func (p *proof) board(t *testing.T, b dashboard.Dashboard) {
	prom := p.s.prometheus()
	v := p.values(b)
	for _, a := range b.Annotations.List {
		if a.BuiltIn == 0 {
			got, err := prom.Instant(t.Context(), v.Expand(a.Expr), p.span.To)
			if err != nil || !shows(got) {
				t.Errorf("annotation %s: %v, %v", a.Name, got, err)
			}
		}
	}
	p.panels(t, b, v)
	for _, one := range b.Templating.List {
		if one.Type != "query" {
			continue
		}
		choices, err := prom.Choices(t.Context(), one.Text(), v)
		if err != nil || len(choices) == 0 {
			t.Errorf("$%s has the choices %v, %v", one.Name, choices, err)
		}
		for _, choice := range choices {
			p.chosen(t, b, one.Name, choice)
		}
	}
}

func (p *proof) panels(t *testing.T, b dashboard.Dashboard, v dashboard.Values) {
	for _, panel := range b.Panels {
		data, err := p.s.prometheus().Data(t.Context(), panel, v, p.span)
		if err != nil {
			t.Error(err)
			continue
		}
		for i, got := range data {
			at := b.UID + ", " + panel.Title + ", " + panel.Targets[i].Ref
			reason, listed := none[at]
			switch is := shows(got); {
			case !is && !listed:
				t.Errorf("%s shows nothing: %s", at, v.Expand(panel.Targets[i].Expr))
			case is && listed:
				t.Errorf("%s shows something, though %s", at, reason)
			}
		}
	}
}

// chosen evaluates the whole dashboard with one choice of a variable.
func (p *proof) chosen(t *testing.T, b dashboard.Dashboard, name, choice string) {
	v := p.values(b)
	v[name] = regexp.QuoteMeta(choice)
	for _, panel := range b.Panels {
		if _, err := p.s.prometheus().Data(t.Context(), panel, v, p.span); err != nil {
			t.Errorf("with $%s %s: %v", name, choice, err)
		}
	}
}

// shows reports whether any series has a number.
func shows(all []dashboard.Series) bool {
	for _, s := range all {
		for _, p := range append(s.Values, s.Value) {
			if p.T != 0 && !math.IsNaN(p.V) {
				return true
			}
		}
	}
	return false
}

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

// commands runs what the text panels say to type, as it stands but for the names.
func commands(t *testing.T, s *stage, boards []dashboard.Dashboard) {
	letters, err := s.relayctl(t.Context(), "dead", "list", "--ticket", "CHG0044000", "--output", "json")
	number := regexp.MustCompile(`"letter":(\d+)|"number":(\d+)`).FindStringSubmatch(letters)
	if err != nil || number == nil {
		t.Fatalf("the refused ticket's letter: %v\n%s", err, letters)
	}
	names := strings.NewReplacer("CHG0031337", "CHG0043000", "show 12", "show "+number[1]+number[2], "TENANT", "acme", "DEVICE", device(acme, 12))
	ran := 0
	for _, b := range boards {
		for _, panel := range b.Panels {
			for _, line := range regexp.MustCompile(`(?m)^relayctl .*$`).FindAllString(panel.Options.Content, -1) {
				ran++
				args := strings.Fields(names.Replace(line))[1:]
				if said, err := s.relayctl(t.Context(), args...); err != nil || said == "" {
					t.Errorf("%s: %v\n%s", line, err, said)
				}
			}
		}
	}
	if ran < 5 {
		t.Errorf("the panels have %d commands, fewer than questions", ran)
	}
}

// pictures draws the dashboards and wants everything of them in the pictures.
func (p *proof) pictures(t *testing.T, c *cli) {
	c.Pictures = t.TempDir()
	if err := c.draw(t.Context(), p.s, io.Discard, p.span); err != nil {
		t.Fatal(err)
	}
	boards, err := c.boards()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		svg, err := os.ReadFile(filepath.Join(c.Pictures, strings.TrimPrefix(b.UID, "changerelay-")+".svg"))
		if err != nil || len(svg) > 200_000 {
			t.Errorf("%s: %d bytes, %v", b.UID, len(svg), err)
		}
		var all struct{}
		if err := xml.Unmarshal(svg, &all); err != nil {
			t.Errorf("%s is no XML: %v", b.UID, err)
		}
		for _, panel := range b.Panels {
			if !strings.Contains(string(svg), html.EscapeString(panel.Title)) {
				t.Errorf("%s lacks %s", b.UID, panel.Title)
			}
		}
	}
}
