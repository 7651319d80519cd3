package boot_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// folders are where the tests of the checklist's packages are.
var folders = map[string]string{
	"ingest": "internal/ingest", "verify": "internal/ingest/verify", "source": "internal/ingest/source", "expression": "internal/ingest/expression", "events": "internal/events",
	"metrics": "internal/metrics", "stream": "internal/stream", "relay": "internal/relay", "standalone": "internal/standalone",
	"boot": "cmd/internal/boot", "relayctl": "cmd/relayctl", "graph": "internal/graph", "importtest": "internal/importtest", "deploy": "deploy",
}

var testNames = regexp.MustCompile("`([a-z]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)`")

// Every line of the checklist names a test that there is, or says that there is
// none.
func TestSourcesManualChecklist(t *testing.T) {
	for _, row := range cells(t, "## The security checklist") {
		shown := row[len(row)-1]
		names := testNames.FindAllStringSubmatch(shown, -1)
		if len(names) == 0 && !strings.HasPrefix(shown, "no test: ") {
			t.Errorf("%s: nothing shows it", row[0])
		}
		for _, n := range names {
			if !hasTest(t, n[1], n[2]) {
				t.Errorf("%s: there is no test %s of package %s", row[0], n[2], n[1])
			}
		}
	}
}

// Every test that the threat model names is there, and so are the runbook's headings.
func TestSecurityManual(t *testing.T) {
	const dir = "../../../docs/"
	data, err := os.ReadFile(dir + "security.md")
	if err != nil {
		t.Fatal(err)
	}
	names := testNames.FindAllStringSubmatch(string(data), -1)
	for _, n := range names {
		if !hasTest(t, n[1], n[2]) {
			t.Errorf("there is no test %s of package %s", n[2], n[1])
		}
	}
	led := links.FindAllStringSubmatch(string(data), -1)
	for _, m := range led {
		file, err := os.ReadFile(dir + m[1])
		if err != nil {
			t.Error(err)
		}
		if m[2] != "" && !slices.Contains(headings(file), m[2][1:]) {
			t.Errorf("%s has no heading %s", m[1], m[2])
		}
	}
	if len(names) < 30 || len(led) < 10 {
		t.Errorf("the manual names %d tests and has %d links", len(names), len(led))
	}
}

func hasTest(t *testing.T, pkg, name string) bool {
	t.Helper()
	files, err := filepath.Glob("../../../" + folders[pkg] + "/*_test.go")
	if err != nil || folders[pkg] == "" {
		t.Fatalf("the folder of package %s is not known: %v", pkg, err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		data, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(data), "\nfunc "+name+"(")
	})
}

var (
	links   = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	anchors = regexp.MustCompile(`\]\(#([^)]+)\)`)
	heads   = regexp.MustCompile(`(?m)^#+ (.+)$`)
	plain   = regexp.MustCompile(`[^a-z0-9 -]`)
)

// Links lead to files and headings that there are.
func TestSourcesManualLinks(t *testing.T) {
	data, err := os.ReadFile(sourcesManual)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range links.FindAllStringSubmatch(string(data), -1) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(sourcesManual), m[1])); err != nil {
			t.Error(err)
		}
	}
	known := headings(data)
	for _, m := range anchors.FindAllStringSubmatch(string(data), -1) {
		if !slices.Contains(known, m[1]) {
			t.Errorf("there is no heading #%s", m[1])
		}
	}
}

// headings are a manual's, as links name them.
func headings(manual []byte) (all []string) {
	for _, m := range heads.FindAllStringSubmatch(string(manual), -1) {
		all = append(all, strings.ReplaceAll(plain.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}
