package main

import (
	"encoding/xml"
	"html"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
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
