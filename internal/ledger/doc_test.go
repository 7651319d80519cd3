package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

const protocolDoc = "../../docs/protocol.md"

// TestProtocolDoc keeps docs/protocol.md true. LEDGER_DOC=write writes the
// table of mutants anew.
func TestProtocolDoc(t *testing.T) {
	doc := source(t, protocolDoc)
	if os.Getenv("LEDGER_DOC") == "write" {
		doc = withMutants(t, doc)
		if err := os.WriteFile(protocolDoc, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	has := func(line string) {
		t.Helper()
		if !strings.Contains(doc, line) {
			t.Errorf("docs/protocol.md does not have:\n%s", line)
		}
	}
	if doc != withMutants(t, doc) {
		t.Error("the table of mutants in docs/protocol.md is old: LEDGER_DOC=write go test ./internal/ledger -run TestProtocolDoc")
	}

	timing := reflect.ValueOf(DefaultTiming)
	for i := range timing.NumField() {
		has(fmt.Sprintf("| `%s` | %v | ", timing.Type().Field(i).Name, timing.Field(i).Interface().(time.Duration)))
	}
	device := reflect.TypeFor[Device]()
	for i := range device.NumField() {
		has(fmt.Sprintf("| `%s` | ", device.Field(i).Name))
	}
	for _, s := range []Step{Done, Wait, Observe, Post} {
		has(fmt.Sprintf("| `%v` | ", s))
	}
	for _, o := range events.Outcomes {
		has(fmt.Sprintf("| `%s` | %s | %s | ", o, yes(o.Final()), yes(o.Dead())))
	}
	has(fmt.Sprintf("at most %d events, %d\ntombstones and %d doubts", MaxEvents, MaxWords, MaxDoubts))
	has(fmt.Sprintf("at most %d items", events.MaxItems))
	has(fmt.Sprintf("after %d probes", maxProbes))

	points := regexp.MustCompile(`Point = "(.*)"`).FindAllStringSubmatch(source(t, "../worker/point.go"), -1)
	if len(points) < 10 {
		t.Errorf("only %d points in worker/point.go", len(points))
	}
	for _, p := range points {
		has(fmt.Sprintf("| `%s` | ", p[1]))
	}

	tests := allTests(t)
	for _, name := range regexp.MustCompile("`(Test[A-Z]\\w+)`").FindAllStringSubmatch(doc, -1) {
		if !slices.Contains(tests, name[1]) {
			t.Errorf("docs/protocol.md names %s, which is no test", name[1])
		}
	}
	for _, name := range tests {
		if strings.HasPrefix(name, "TestLaw") {
			has("`" + name + "`")
		}
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

var mutantsTable = regexp.MustCompile(`(?s)(<!-- mutants: [^\n]*-->\n).*(<!-- end -->)`)

// withMutants puts the table of mutants in its place.
func withMutants(t *testing.T, doc string) string {
	t.Helper()
	if !mutantsTable.MatchString(doc) {
		t.Fatal("docs/protocol.md has no place for the mutants")
	}
	var b strings.Builder
	b.WriteString("| mistake | law | where | found by |\n| --- | --- | --- | --- |\n")
	for _, m := range mutants {
		file, by := "workers", "simulation"
		if m.file != "" {
			file = "`" + filepath.Base(m.file) + "`"
		}
		if m.by != "" {
			by = "`" + strings.TrimSuffix(m.by, ".*") + "…`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", m.name, m.law, file, by)
	}
	return mutantsTable.ReplaceAllString(doc, "${1}\n"+strings.ReplaceAll(b.String(), "$", "$$")+"\n${2}")
}

// allTests lists the tests of the floors up to the workers.
func allTests(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(source(t, f), -1) {
			names = append(names, m[1])
		}
	}
	return names
}
