package figures

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Table is Markdown that reads well in a terminal, too.
type Table struct {
	Columns []string   `json:"columns"` // one that ends with a colon is of numbers
	Rows    [][]string `json:"rows"`
}

// Row adds a row.
func (t *Table) Row(cells ...string) { t.Rows = append(t.Rows, cells) }

func (t Table) String() string {
	if len(t.Rows) == 0 {
		return ""
	}
	numbers, heads, wide := make([]bool, len(t.Columns)), make([]string, len(t.Columns)), make([]int, len(t.Columns))
	for i, c := range t.Columns {
		heads[i], numbers[i] = strings.CutSuffix(c, ":")
		wide[i] = max(4, utf8.RuneCountInString(heads[i]))
		for _, r := range t.Rows {
			wide[i] = max(wide[i], utf8.RuneCountInString(cell(r, i)))
		}
	}
	var s strings.Builder
	line := func(row []string) {
		for i := range t.Columns {
			pad, text := strings.Repeat(" ", wide[i]-utf8.RuneCountInString(cell(row, i))), cell(row, i)
			if numbers[i] {
				fmt.Fprintf(&s, "| %s%s ", pad, text)
			} else {
				fmt.Fprintf(&s, "| %s%s ", text, pad)
			}
		}
		s.WriteString("|\n")
	}
	line(heads)
	for i := range t.Columns {
		rule := strings.Repeat("-", wide[i])
		if numbers[i] {
			rule = rule[1:] + ":"
		}
		fmt.Fprintf(&s, "| %s ", rule)
	}
	s.WriteString("|\n")
	for _, r := range t.Rows {
		line(r)
	}
	return s.String()
}

func cell(row []string, i int) string {
	if i < len(row) {
		return row[i]
	}
	return ""
}

// figuresTable is of those that were measured.
func figuresTable(figures []Figure) string {
	t := Table{Columns: aimColumns}
	for _, f := range figures {
		t.Row(f.row()...)
	}
	if len(t.Rows) == 0 {
		return ""
	}
	return t.String() + "\n"
}

var aimColumns = []string{"figure", "measured:", "aim:", "ratio:", "holds", ""}

func (f Figure) row() []string {
	ratio, holds := "", "**no**"
	if f.Want != 0 {
		ratio = fmt.Sprintf("%.2f", f.Measured/f.Want)
	}
	if f.Aim.holds(f.Measured) {
		holds = "yes"
	}
	return []string{f.What, f.number(f.Measured), f.Aim.String(), ratio, holds, f.Note}
}
