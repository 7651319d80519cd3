package standalone

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"changerelay/internal/events"
)

// Each row of the outcome table in docs/protocol.md is reached by a scenario: a
// step asserts its word, and a final one is what an event ends with, as a sender
// sees it over HTTP.
func TestEveryOutcomeHasAScenario(t *testing.T) {
	asserted, ended := assertions(t)
	words := documented(t)
	for _, o := range events.Outcomes {
		if !slices.Contains(words, o) {
			t.Errorf("docs/protocol.md has no row for %s", o)
		}
	}
	for _, o := range words {
		switch {
		case !slices.Contains(events.Outcomes, o):
			t.Errorf("docs/protocol.md has a row for %s, which is no outcome", o)
		case len(asserted[o]) == 0:
			t.Errorf("no scenario reaches %s", o)
		case o.Final() && len(ended[o]) == 0:
			t.Errorf("in no scenario does an event end %s", o)
		}
	}
}

// documented are the words of the table.
func documented(t *testing.T) (words []events.Outcome) {
	t.Helper()
	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "\n## Outcomes\n")
	table, _, _ := strings.Cut(rest, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(table, -1) {
		words = append(words, events.Outcome(row[1]))
	}
	return words
}

// assertions are the scenarios whose steps want a word to come about, and those in
// which an event ends with it.
func assertions(t *testing.T) (asserted, ended map[events.Outcome][]string) {
	t.Helper()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	asserted, ended = map[events.Outcome][]string{}, map[events.Outcome][]string{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.Lines(string(a.Comment)) {
			text, _, _ = strings.Cut(text, "#")
			step, answer, _ := strings.Cut(text, "->")
			word, ends := wants(strings.Fields(step), strings.Fields(answer))
			asserted[word] = append(asserted[word], file)
			if ends {
				ended[word] = append(ended[word], file)
			}
		}
	}
	return asserted, ended
}

// wants is the word that a step asserts; "" is none.
func wants(step, answer []string) (word events.Outcome, ends bool) {
	switch {
	case len(answer) > 1: // an answer over HTTP
		return events.Outcome(answer[1]), true
	case len(step) >= 3 && (step[0] == "wait" || step[0] == "status"):
		return events.Outcome(step[2]), true
	case len(step) == 3 && step[0] == "logged":
		return events.Outcome(step[2]), false
	case len(step) == 5 && step[0] == "outcomes" && (step[3] == "==" || step[3] == ">=") && step[4] != "0":
		return events.Outcome(step[2]), false
	}
	return "", false
}
