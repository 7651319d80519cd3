package dashboard

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	folder  = "../../deploy/helm/changerelay/dashboards"
	manual  = "../../docs/operations.md"
	metrics = "../../docs/metrics.md"
)

func read(t *testing.T) []Dashboard {
	t.Helper()
	all, err := Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What hinders provisioning, or is of one Grafana only.
var foreign = []string{`"__inputs"`, `"__requires"`, `"__elements"`, `"pluginVersion"`, `"libraryPanel"`, "${DS_", `"iteration"`}

func TestForm(t *testing.T) {
	all := read(t)
	if len(all) != 4 {
		t.Errorf("there are %d dashboards, want 4", len(all))
	}
	for _, d := range all {
		name := strings.TrimPrefix(d.UID, "changerelay-")
		body := text(t, filepath.Join(folder, name+".json"))
		for _, word := range foreign {
			if strings.Contains(body, word) {
				t.Errorf("%s: it has %s", name, word)
			}
		}
		if d.ID != nil || d.SchemaVersion < 39 || d.Refresh == "" || d.Description == "" || !slices.Contains(d.Tags, "changerelay") {
			t.Errorf("%s: it must have no id, schema 39 or newer, a refresh, a description and the tag", name)
		}
		if len(d.Links) == 0 || d.Links[0].Type != "dashboards" || !d.Links[0].IncludeVars || !d.Links[0].KeepTime || !slices.Contains(d.Links[0].Tags, "changerelay") {
			t.Errorf("%s: it does not lead to the others with its variables and time", name)
		}
		for _, v := range d.Templating.List {
			variable(t, name, v)
		}
		used(t, d, body)
	}
}

func variable(t *testing.T, name string, v Variable) {
	switch v.Type {
	case "datasource":
		if v.Name != "datasource" || v.Text() != "prometheus" {
			t.Errorf("%s: the data source is chosen by $%s of %s", name, v.Name, v.Text())
		}
	case "textbox":
		if v.Text() == "" {
			t.Errorf("%s: $%s has no value", name, v.Name)
		}
	case "query":
		if v.Label == "" || !v.IncludeAll || !v.Multi || v.AllValue != ".*" || v.Refresh != 2 || v.Definition != v.Text() || !ours(v.Datasource) || !labelValues.MatchString(v.Text()) {
			t.Errorf("%s: the variable $%s is %+v", name, v.Name, v)
		}
	default:
		t.Errorf("%s: the variable $%s is of type %s", name, v.Name, v.Type)
	}
}

func ours(s Source) bool { return s == Source{"prometheus", "${datasource}"} }

var mention = regexp.MustCompile(`\$\{?([a-zA-Z_]\w*)`)

// used holds the variables that are there against those that are mentioned.
func used(t *testing.T, d Dashboard, body string) {
	mentioned := map[string]bool{"__rate_interval": true, "__range": true, "__all": true}
	for _, v := range d.Templating.List {
		mentioned[v.Name] = false
	}
	for _, m := range mention.FindAllStringSubmatch(body, -1) {
		if _, ok := mentioned[m[1]]; !ok {
			t.Errorf("%s: there is no variable $%s", d.UID, m[1])
		}
		mentioned[m[1]] = true
	}
	for name, is := range mentioned {
		if !is {
			t.Errorf("%s: nothing uses the variable $%s", d.UID, name)
		}
	}
}

// units are Grafana's names of those that the panels have.
var units = []string{"none", "short", "s", "bytes", "percentunit", "reqps", "ops", "dateTimeFromNow"}

func TestPanels(t *testing.T) {
	anchors := headings(text(t, manual))
	for _, d := range read(t) {
		ids, titles, taken := map[int]bool{}, map[string]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			at := d.UID + ", " + p.Title
			if p.Title == "" || titles[p.Title] || ids[p.ID] || p.ID == 0 {
				t.Errorf("%s: the title or the id %d is missing, or there twice", at, p.ID)
			}
			ids[p.ID], titles[p.Title] = true, true
			place(t, at, p, taken)
			if p.Type != "row" {
				panel(t, at, p, anchors)
			}
		}
	}
}

// place wants the panel inside the grid and on nobody else's.
func place(t *testing.T, at string, p Panel, taken map[[2]int]string) {
	if p.Pos.X < 0 || p.Pos.Y < 0 || p.Pos.W < 1 || p.Pos.H < 1 || p.Pos.X+p.Pos.W > 24 {
		t.Errorf("%s: it is at %+v", at, p.Pos)
	}
	for x := p.Pos.X; x < p.Pos.X+p.Pos.W; x++ {
		for y := p.Pos.Y; y < p.Pos.Y+p.Pos.H; y++ {
			if other := taken[[2]int{x, y}]; other != "" {
				t.Fatalf("%s: it lies over %s", at, other)
			}
			taken[[2]int{x, y}] = at
		}
	}
}

func panel(t *testing.T, at string, p Panel, anchors []string) {
	if len(p.Description) < 20 || !strings.HasSuffix(p.Description, ".") {
		t.Errorf("%s: the description is %q", at, p.Description)
	}
	book := slices.IndexFunc(p.Links, func(l Link) bool { return l.Title == "Runbook" })
	if book < 0 || !strings.HasPrefix(p.Links[book].URL, "${runbook}#") || !slices.Contains(anchors, strings.TrimPrefix(p.Links[book].URL, "${runbook}#")) {
		t.Errorf("%s: no link leads to a heading of the runbook: %+v", at, p.Links)
	}
	if p.Type == "text" {
		return
	}
	if !slices.Contains(units, p.Field.Defaults.Unit) || !ours(p.Datasource) || len(p.Targets) == 0 {
		t.Errorf("%s: unit %q, data source %+v, %d queries", at, p.Field.Defaults.Unit, p.Datasource, len(p.Targets))
	}
	for i, q := range p.Targets {
		if q.Ref != string(rune('A'+i)) || !ours(q.Datasource) || q.Instant == q.Range || (q.Format == "table") != (p.Type == "table") || (q.Format == "heatmap") != (p.Type == "heatmap") || q.Instant != (p.Type == "table") {
			t.Errorf("%s: query %+v", at, q)
		}
	}
	if kinds := []string{"stat", "timeseries", "heatmap", "table"}; !slices.Contains(kinds, p.Type) {
		t.Errorf("%s: a panel of type %s", at, p.Type)
	}
	for _, o := range p.Field.Overrides {
		if unit := p.Field.Column(o.Matcher.Options).Unit; o.Matcher.ID != "byName" || !slices.Contains(units, unit) {
			t.Errorf("%s: column %q has unit %q", at, o.Matcher.Options, unit)
		}
	}
}

var notInAnchors = regexp.MustCompile(`[^a-z0-9 _-]`)

// headings are the anchors of a Markdown file.
func headings(md string) (anchors []string) {
	for line := range strings.Lines(md) {
		if name := strings.TrimLeft(line, "#"); name != line {
			name = notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(name)), "")
			anchors = append(anchors, strings.ReplaceAll(name, " ", "-"))
		}
	}
	return anchors
}
