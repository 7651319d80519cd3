package metrics

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
)

// A documented family is one as docs/metrics.md has it.
type documented struct{ kind, labels, by, help string }

var (
	row  = regexp.MustCompile("(?m)^\\| `(changerelay_[a-z_]+)` \\| (counter|gauge|histogram)( \\*e\\*)? \\|(.*?)\\| ([iwb]) \\| (.*?) \\|$")
	link = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)
)

// manual reads the tables.
func manual(t *testing.T) map[string]documented {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]documented{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		names := strings.Split(strings.NewReplacer("`", "", " ", "").Replace(m[4]), ",")
		slices.Sort(names)
		all[m[1]] = documented{kind: m[2], labels: strings.Join(names, ","), by: m[5], help: sentence(m[6])}
	}
	if n := strings.Count(string(text), "\n| `changerelay_"); len(all) != n {
		t.Fatalf("%d of the manual's %d rows can be read", len(all), n)
	}
	return all
}

// sentence is a cell's text as help texts have it: plain, and a sentence.
func sentence(cell string) string {
	text := []rune(strings.ReplaceAll(link.ReplaceAllString(cell, "$1"), "`", ""))
	text[0] = unicode.ToUpper(text[0])
	return string(text) + "."
}

// The manual and what the services show agree: each family with its type, labels
// and help text, none more and none less, in either service and in both together.
func TestManual(t *testing.T) {
	all := manual(t)
	for of, letters := range map[Service]string{Ingest: "ib", Worker: "wb", 0: "iwb", Ingest | Worker: "iwb"} {
		reg := prometheus.NewRegistry()
		l := labels
		l.Of = of
		m := New(reg, "v1.2.3", l)
		m.SetSources([]SourceLabels{snow, desk})
		shown := families(t, reg)
		for name, want := range all {
			got, there := shown[name]
			if want.by = strings.Trim(want.by, letters); (want.by == "") != there {
				t.Errorf("service %d: %s is shown: %t", of, name, there)
			}
			if there && got != want {
				t.Errorf("%s is\n%+v, and in the manual\n%+v", name, got, want)
			}
		}
		for name := range shown {
			if _, ok := all[name]; !ok {
				t.Errorf("the manual lacks %s", name)
			}
		}
	}
}

// families are those that are ours, as the registry has them.
func families(t *testing.T, reg *prometheus.Registry) map[string]documented {
	t.Helper()
	gathered, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]documented{}
	for _, f := range gathered {
		if !strings.HasPrefix(f.GetName(), "changerelay_") {
			continue
		}
		var names []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			names = append(names, l.GetName())
		}
		slices.Sort(names)
		shown[f.GetName()] = documented{kind: strings.ToLower(f.GetType().String()), labels: strings.Join(names, ","), help: f.GetHelp()}
	}
	return shown
}

// The manual's label values are those of the series.
func TestManualsValues(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for what, values := range map[string][]string{
		"results": results, "stages": stages, "ops": ops, "statuses": statuses, "tokens": tokens, "classes": classes, "reasons": PauseReasons,
		"states": {Runnable, Waiting}, "graph": {Well, Unwell}, "levels": levels, "reloads": reloads, "uses": uses,
	} {
		for _, v := range values {
			if !strings.Contains(string(text), "`"+v+"`") {
				t.Errorf("%s: the manual lacks %s", what, v)
			}
		}
	}
}
