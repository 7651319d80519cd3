package runbook

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"changerelay/internal/promtest"
)

// A rule is a recording rule or an alert, as Prometheus reads it.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

// A unit is a test that promtool runs.
type unit struct {
	Name       string
	AlertTests []struct {
		Name string `yaml:"alertname"`
		Exp  []struct {
			Labels map[string]string `yaml:"exp_labels"`
		} `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
}

func files(t *testing.T, pattern string) (paths []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(promtest.Root(t), filepath.FromSlash(pattern)))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v, %v", pattern, paths, err)
	}
	return paths
}

func ruleFiles(t *testing.T) []string { return files(t, "deploy/helm/changerelay/rules/*.yaml") }
func testFiles(t *testing.T) []string { return files(t, "deploy/rules-tests/*.yaml") }

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// parse decodes a file, and refuses what it does not know.
func parse(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.UnmarshalWithOptions([]byte(read(t, path)), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	for _, path := range ruleFiles(t) {
		var f struct {
			Groups []struct{ Rules []rule }
		}
		parse(t, path, &f)
		for _, g := range f.Groups {
			all = append(all, g.Rules...)
		}
	}
	return all
}

var (
	recorded  = regexp.MustCompile(`^namespace(_[a-z]+)*:changerelay_[a-z_]+:[a-z0-9_]+$`) // level:metric:operation
	templates = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

// Each alert says how bad it is, what is so, and where to read on. The chart
// ships the files as they are: no template in them is Helm's.
func TestEachAlertSaysWhatItIs(t *testing.T) {
	for _, r := range rules(t) {
		if r.Alert == "" {
			if !recorded.MatchString(r.Record) {
				t.Errorf("%s is not level:metric:operation", r.Record)
			}
			continue
		}
		if !regexp.MustCompile(`^Changerelay[A-Z][A-Za-z]+$`).MatchString(r.Alert) {
			t.Errorf("%s is not CamelCase", r.Alert)
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: its severity is %q", r.Alert, s)
		}
		if want := "docs/operations.md#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s: its runbook is at %q, want %q", r.Alert, r.Annotations["runbook_url"], want)
		}
		for _, name := range []string{"summary", "description"} {
			if len(r.Annotations[name]) < 10 {
				t.Errorf("%s: its %s is %q", r.Alert, name, r.Annotations[name])
			}
			for _, tmpl := range templates.FindAllString(r.Annotations[name], -1) {
				if !strings.HasPrefix(tmpl, "{{ $value") && !strings.HasPrefix(tmpl, "{{ $labels.") {
					t.Errorf("%s: %s is not Prometheus'", r.Alert, tmpl)
				}
			}
		}
	}
}

var series = regexp.MustCompile(`[a-z_]*:?changerelay_[a-z_]+(:[a-z0-9_]+)?`)

// Every metric that a rule names is in the manual, or is recorded by a rule.
func TestEachMetricIsInTheManual(t *testing.T) {
	manual := read(t, filepath.Join(promtest.Root(t), "docs", "metrics.md"))
	made := map[string]bool{}
	for _, r := range rules(t) {
		made[r.Record] = true
	}
	used := map[string]bool{}
	for _, r := range rules(t) {
		for _, name := range series.FindAllString(r.Expr, -1) {
			used[name] = true
			base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
			if !made[name] && !strings.Contains(manual, "| `"+name+"` |") && !strings.Contains(manual, "| `"+base+"` | histogram") {
				t.Errorf("%s%s names %s, which nobody has", r.Alert, r.Record, name)
			}
		}
	}
	for name := range made {
		if name != "" && !used[name] && name != "namespace:changerelay_unfolded_events:max" { // for people and dashboards
			t.Errorf("no alert uses %s", name)
		}
	}
}

// Each alert has an entry in the runbook under its name, and each entry an alert.
func TestEachAlertHasARunbookEntry(t *testing.T) {
	_, part, ok := strings.Cut(read(t, filepath.Join(promtest.Root(t), "docs", "operations.md")), "\n## Alerts\n")
	if !ok {
		t.Fatal("docs/operations.md has no part Alerts")
	}
	part, _, _ = strings.Cut(part, "\n## ")
	entries := map[string]string{}
	for entry := range strings.SplitSeq(part, "\n### ") {
		name, text, _ := strings.Cut(entry, "\n")
		entries[name] = text
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		text, ok := entries[r.Alert]
		if !ok {
			t.Errorf("%s has no entry", r.Alert)
		}
		for _, word := range []string{"**It means**", "**Look at**", "**Do**"} {
			if ok && !strings.Contains(text, word) {
				t.Errorf("the entry of %s has no %s", r.Alert, word)
			}
		}
	}
	for name := range entries {
		if strings.HasPrefix(name, "Changerelay") && !regexp.MustCompile(`(?m)^      - alert: `+name+`$`).MatchString(text(t, ruleFiles(t))) {
			t.Errorf("the entry %s has no alert", name)
		}
	}
}

func text(t *testing.T, paths []string) string {
	t.Helper()
	var b strings.Builder
	for _, path := range paths {
		b.WriteString(read(t, path))
	}
	return b.String()
}

// Each rule of an alert has a test in which it fires, and one in which it does
// not.
func TestEachAlertHasTests(t *testing.T) {
	var units []unit
	for _, path := range testFiles(t) {
		var f struct{ Tests []unit }
		parse(t, path, &f)
		units = append(units, f.Tests...)
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		fires, quiet := 0, 0
		for _, u := range units {
			for _, test := range u.AlertTests {
				if test.Name != r.Alert {
					continue
				}
				n := 0
				for _, exp := range test.Exp {
					if within(r.Labels, exp.Labels) {
						n++
					}
				}
				if n > 0 {
					fires++
				} else {
					quiet++
				}
			}
		}
		if fires == 0 || quiet == 0 {
			t.Errorf("%s %v: %d tests in which it fires, %d in which it does not", r.Alert, r.Labels, fires, quiet)
		}
	}
}

// within reports whether all of small is in big.
func within(small, big map[string]string) bool {
	for k, v := range small {
		if big[k] != v {
			return false
		}
	}
	return true
}

// What the manual has people look for in the log, a program writes.
func TestTheManualsLinesAreWritten(t *testing.T) {
	var source strings.Builder
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(promtest.Root(t), top), func(path string, _ os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				source.WriteString(read(t, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	manual, tried := read(t, filepath.Join(promtest.Root(t), "docs", "operations.md")), 0
	for _, m := range regexp.MustCompile(`\| grep (?:-\S+ )?'?([^'\n]+)`).FindAllStringSubmatch(manual, -1) {
		for text := range strings.SplitSeq(m[1], "|") {
			if strings.HasPrefix(text, `"`) {
				continue // a field
			}
			if tried++; !regexp.MustCompile(`"[^"\n]*` + regexp.QuoteMeta(text)).MatchString(source.String()) {
				t.Errorf("the manual looks for %q, which no program writes", text)
			}
		}
	}
	if tried < 4 {
		t.Errorf("only %d texts were found", tried)
	}
}
