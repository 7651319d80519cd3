package dashboard

import (
	"strings"
	"testing"
)

const page = "../../docs/observability.md"

// The manual names each dashboard, its file and its picture, and the questions
// with their commands and panels as the first dashboard has them.
func TestManual(t *testing.T) {
	doc := text(t, page)
	all := read(t)
	for _, d := range all {
		name := strings.TrimPrefix(d.UID, "changerelay-")
		if want := "| " + d.Title + " | `" + name + ".json` ([picture](pictures/" + name + ".svg)) |"; !strings.Contains(doc, want) {
			t.Errorf("the manual lacks %s", want)
		}
	}
	_, table, _ := strings.Cut(doc, "## The five questions")
	questions := 0
	for _, d := range all {
		for i, p := range d.Panels {
			number, question, ok := strings.Cut(p.Title, ". ")
			if !ok || p.Type != "text" {
				continue
			}
			questions++
			row := line(table, question)
			for _, command := range strings.Split(p.Options.Content, "\n") {
				if strings.HasPrefix(command, "relayctl ") && !strings.Contains(row, "`"+command+"`") {
					t.Errorf("question %s: the manual lacks %s", number, command)
				}
			}
			if beside := d.Panels[i+1]; beside.Pos.Y != p.Pos.Y || !strings.Contains(row, "| "+beside.Title+" |") {
				t.Errorf("question %s: the manual does not say that %q is beside it", number, beside.Title)
			}
		}
	}
	if questions != 5 {
		t.Errorf("there are %d questions", questions)
	}
}

// line is the table's row that begins so.
func line(table, first string) string {
	_, rest, _ := strings.Cut(table, "| "+first+" |")
	row, _, _ := strings.Cut(rest, "\n")
	return row
}
