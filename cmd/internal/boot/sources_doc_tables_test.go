package boot_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"changerelay/internal/ingest"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// section is the manual's text from a heading to the next one that is not below
// it.
func section(t *testing.T, heading string) string {
	t.Helper()
	data, err := os.ReadFile(sourcesManual)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(data), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("%s has no %s", sourcesManual, heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	if end := regexp.MustCompile(fmt.Sprintf(`\n#{1,%d} `, len(level))).FindStringIndex(text); end != nil {
		text = text[:end[0]]
	}
	return text
}

// cells are those of a section's tables, without their heads.
func cells(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	for line := range strings.Lines(section(t, heading)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "| ---") {
			rows = rows[:len(rows)-1] // its head
		} else if strings.HasPrefix(line, "|") {
			rows = append(rows, strings.Split(strings.Trim(line, "| "), " | "))
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table", heading)
	}
	return rows
}

// column is what a section's tables have in one column, without marks of code.
func column(t *testing.T, heading string, n int) (list []string) {
	t.Helper()
	for _, row := range cells(t, heading) {
		list = append(list, strings.Trim(row[n], "` "))
	}
	slices.Sort(list)
	return list
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the manual has the %s\n%q\nthere are\n%q", what, got, want)
	}
}

func TestSourcesManualHasEveryReason(t *testing.T) {
	same(t, "reasons", column(t, "### Why a request is answered 401", 0), ingest.Refusals())
}

func TestSourcesManualHasEveryKind(t *testing.T) {
	same(t, "kinds", column(t, "## Which section is yours", 0), source.Kinds())
}

// The words are those of the OpenAPI document, which is tested against the
// server.
func TestSourcesManualHasEveryAnswer(t *testing.T) {
	data, err := os.ReadFile("../../../internal/ingest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	var want []string
	for name, member := range map[string]string{"Problem": "error", "Unauthorized": "error", "Ignored": "status", "Accepted": "status"} {
		words := doc.Components.Schemas[name].Properties[member].Enum
		if len(words) == 0 {
			t.Errorf("the schema %s has no words", name)
		}
		want = append(want, words...)
	}
	var got []string
	for _, cell := range column(t, "### Answers", 1) {
		got = append(got, strings.Split(cell, "`, `")...)
	}
	slices.Sort(got)
	same(t, "words", slices.Compact(got), want)
}

// Each preset is in the table, with its header, whether it signs a time, and
// where its delivery id is.
func TestSourcesManualHasEveryPreset(t *testing.T) {
	var want []string
	for _, name := range verify.Presets() {
		s, _ := verify.Preset(name)
		row := []string{name, s.Header, "no", "none"}
		if strings.Contains(s.Signed, "{timestamp}") {
			row[2] = "yes"
		}
		if s.IDHeader != "" {
			row[3] = s.IDHeader
		}
		if strings.Contains(s.Signed, "{id}") {
			row[3] += ", signed"
		}
		want = append(want, strings.Join(row, " | "))
	}
	var got []string
	for _, row := range cells(t, "### Presets") {
		got = append(got, strings.ReplaceAll(strings.Join(row, " | "), "`", ""))
	}
	slices.Sort(got)
	same(t, "presets", got, want)
}

// Metrics have the names that their manual gives them.
func TestSourcesManualMetrics(t *testing.T) {
	manual, err := os.ReadFile(sourcesManual)
	if err != nil {
		t.Fatal(err)
	}
	families, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`changerelay_[a-z_]+`).FindAllString(string(manual), -1) {
		if !strings.Contains(string(families), "`"+name+"`") {
			t.Errorf("there is no metric %s", name)
		}
	}
}
