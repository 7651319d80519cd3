package dashboard

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A family is a row of docs/metrics.md.
type family struct {
	kind   string // counter, gauge or histogram
	labels []string
	shared bool // the broker's state: the same in each process that reports it
}

var row = regexp.MustCompile("(?m)^\\| `(changerelay_\\w+)` \\| (counter|gauge|histogram)[^|]*\\|([^|]*)\\|")

func contract(t *testing.T) map[string]family {
	t.Helper()
	all := map[string]family{}
	doc := text(t, metrics)
	for _, m := range row.FindAllStringSubmatch(doc, -1) {
		all[m[1]] = family{m[2], strings.FieldsFunc(m[3], func(r rune) bool { return strings.ContainsRune("`, ", r) }), stated.MatchString(m[1])}
	}
	if len(all) < 50 {
		t.Fatalf("docs/metrics.md has %d metrics", len(all))
	}
	return all
}

// stated are the families that say what the broker holds.
var stated = regexp.MustCompile(`_(stream_\w+|unfolded_events|oldest_unfolded_\w+|due_devices|quota_(rate|limit|paused)\w*|tenant_paused_\w+|broker_findings)$`)

var (
	selector = regexp.MustCompile(`\b([a-z]\w*)\{([^}]*)\}`)
	metric   = regexp.MustCompile(`\bchangerelay_\w+`)
	matcher  = regexp.MustCompile(`(\w+)(=~|!~|!=|=)"`)
	grouping = regexp.MustCompile(`\b(?:by|on|without|ignoring) \(([^)]*)\)`)
	windows  = regexp.MustCompile(`\[([^\]]*)\]`)
	summed   = regexp.MustCompile(`\bsum(?: by \([^)]*\))? \(?(changerelay_\w+)`)
)

// scraped are the labels that Prometheus adds.
var scraped = []string{"namespace", "job", "instance"}

func TestExpressionsKeepTheContract(t *testing.T) {
	all := contract(t)
	for _, d := range read(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				expression(t, d.UID+", "+p.Title+": "+q.Expr, q.Expr, q.Legend, all)
			}
		}
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				expression(t, d.UID+", $"+v.Name+": "+v.Text(), v.Text(), "", all)
			}
		}
		for _, a := range d.Annotations.List {
			if a.BuiltIn == 0 {
				expression(t, d.UID+", annotation "+a.Name+": "+a.Expr, a.Expr, "", all)
			}
		}
	}
}

func expression(t *testing.T, at, expr, legendFormat string, all map[string]family) {
	variable := strings.HasPrefix(expr, "label_values(")
	for _, name := range metric.FindAllString(expr, -1) {
		if _, ok := find(all, name); !ok {
			t.Errorf("%s: docs/metrics.md has no %s", at, name)
		}
		if !variable && !strings.Contains(expr, name+"{") {
			t.Errorf("%s: %s is not of the chosen namespace and service", at, name)
		}
	}
	known := slices.Clone(scraped)
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		known = append(known, chosen(t, at, m[1], m[2], variable, all)...)
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for _, label := range strings.FieldsFunc(g[1], func(r rune) bool { return r == ',' || r == ' ' }) {
			if !slices.Contains(known, label) {
				t.Errorf("%s: no metric in it has the label %s", at, label)
			}
		}
	}
	for _, l := range legend.FindAllStringSubmatch(legendFormat, -1) {
		if !slices.Contains(known, l[1]) {
			t.Errorf("%s: the legend has the label %s", at, l[1])
		}
	}
	for _, w := range windows.FindAllStringSubmatch(expr, -1) {
		if w[1] != "$__rate_interval" && w[1] != "$__range" {
			t.Errorf("%s: a window of %s fits one interval of scrapes only", at, w[1])
		}
	}
	for _, s := range summed.FindAllStringSubmatch(expr, -1) {
		if f, _ := find(all, s[1]); f.shared {
			t.Errorf("%s: %s is the same in every process: take the max, not the sum", at, s[1])
		}
	}
}

// chosen checks one selector, and returns the labels that its metric has.
func chosen(t *testing.T, at, name, matchers string, variable bool, all map[string]family) (labels []string) {
	f, ok := find(all, name)
	switch {
	case ok:
		labels = slices.Concat(f.labels, scraped)
		if f.kind == "histogram" && strings.HasSuffix(name, "_bucket") {
			labels = append(labels, "le")
		}
	case strings.HasPrefix(name, "process_") || strings.HasPrefix(name, "go_"):
		labels = scraped
	default:
		t.Errorf("%s: %s is nobody's metric", at, name)
	}
	for _, m := range matcher.FindAllStringSubmatch(matchers, -1) {
		if !slices.Contains(labels, m[1]) {
			t.Errorf("%s: %s has no label %s", at, name, m[1])
		}
	}
	if !variable && !strings.HasPrefix(matchers, `namespace=~"$namespace",job=~"$job"`) {
		t.Errorf("%s: %s is not of the chosen namespace and service", at, name)
	}
	if f.kind == "counter" || f.kind == "histogram" {
		if rated := regexp.MustCompile(`(rate|increase)\(` + regexp.QuoteMeta(name+"{"+matchers+"}") + `\[`); !variable && !rated.MatchString(at) {
			t.Errorf("%s: %s only ever grows; show its rate", at, name)
		}
	}
	return labels
}

// find knows a histogram by the names of its parts, too.
func find(all map[string]family, name string) (family, bool) {
	if f, ok := all[name]; ok {
		return f, f.kind != "histogram"
	}
	for _, part := range []string{"_bucket", "_sum", "_count"} {
		if f, ok := all[strings.TrimSuffix(name, part)]; ok && strings.HasSuffix(name, part) {
			return f, f.kind == "histogram"
		}
	}
	return family{}, false
}
