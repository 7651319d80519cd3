package figures

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// A Book is the newest of each part, as docs/performance.json keeps it.
type Book struct {
	Parts []Part `json:"parts"` // by name
}

// Open reads a book; one that is not there is empty.
func Open(file string) (b Book, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &b)
	}
	if err != nil {
		return b, fmt.Errorf("reading the figures: %w", err)
	}
	return b, nil
}

// Put takes a part in the place of what it was.
func (b *Book) Put(p Part) {
	i, found := slices.BinarySearchFunc(b.Parts, p.Name, func(p Part, name string) int { return strings.Compare(p.Name, name) })
	if found {
		b.Parts[i] = p
		return
	}
	b.Parts = slices.Insert(b.Parts, i, p)
}

// Gather puts all parts of a directory.
func (b *Book) Gather(dir string) error {
	parts, err := Read(dir)
	for _, p := range parts {
		b.Put(p)
	}
	return err
}

// Write writes the book.
func (b Book) Write(file string) error { return writeJSON(file, b) }

// Summary is the one table: every aim, and what was measured of it.
func (b Book) Summary() string {
	measured := map[string]Figure{}
	for _, p := range b.Parts {
		for _, f := range p.Figures {
			measured[f.Name] = f
		}
	}
	t := Table{Columns: aimColumns}
	for _, a := range Aims {
		f, ok := measured[a.Name]
		if !ok {
			t.Row(a.What, "not measured", a.String())
			continue
		}
		f.Aim = a
		t.Row(f.row()...)
	}
	return t.String()
}

// Machines says what the figures are of: a line for each machine and commit.
func (b Book) Machines() string {
	var lines []string
	parts := map[string][]string{}
	for _, p := range b.Parts {
		m := p.machine()
		if parts[m] == nil {
			lines = append(lines, m)
		}
		parts[m] = append(parts[m], p.Name)
	}
	if len(lines) == 1 {
		return lines[0] + ".\n"
	}
	var s strings.Builder
	for _, m := range lines {
		fmt.Fprintf(&s, "- %s: %s.\n", m, strings.Join(parts[m], ", "))
	}
	return s.String()
}

func (p Part) machine() string {
	s := p.On.String()
	if p.Commit != "" {
		s += ", commit " + p.Commit
	}
	return s
}

// text is what stands in the part's place in the document.
func (p Part) text() string {
	var s strings.Builder
	for _, t := range p.Tables {
		s.WriteString(t.String() + "\n")
	}
	for _, n := range p.Notes {
		s.WriteString(n + "\n\n")
	}
	var about []string
	if p.On.Load != "" {
		about = append(about, "load average at the start "+p.On.Load)
	}
	if p.Others != "" {
		about = append(about, "others used "+p.Others+" of the processors meanwhile")
	}
	if len(about) > 0 {
		s.WriteString("*" + strings.Join(about, ", ") + ".*\n")
	}
	return s.String()
}

// Fill writes the measured parts of a document between their markers, and leaves
// all else as it is. A part for which nothing was ever measured says so.
func (b Book) Fill(doc string) (string, error) {
	texts := map[string]string{"aims": b.Summary(), "machine": b.Machines()}
	for _, p := range b.Parts {
		texts[p.Name] = p.text()
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(doc, beginMarker)
		out.WriteString(before)
		if !found {
			break
		}
		name, rest, _ := strings.Cut(rest, " -->")
		old, after, ended := strings.Cut(rest, endMarker)
		if !ended || strings.Contains(old, beginMarker) {
			return "", fmt.Errorf("the document does not say where %q ends", name)
		}
		text := texts[name]
		if text == "" {
			text = "Not measured.\n"
		}
		fmt.Fprintf(&out, "%s%s -->\n%s%s", beginMarker, name, text, endMarker)
		delete(texts, name)
		doc = after
	}
	for name := range texts {
		return "", fmt.Errorf("the document has no place for %q", name)
	}
	return out.String(), nil
}

// Markers of a part in the document.
const (
	beginMarker = "<!-- measured: "
	endMarker   = "<!-- end -->"
)
