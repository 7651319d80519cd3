// Package figures is how measurements reach docs/performance.md: as data, from
// the benchmark that made them to the program that tells of them.
//
//	a benchmark ──Part.Hand──► <directory>/<part>.json ──cmd/internal/bench──► docs/performance.json, docs/performance.md
//
// A Part is what one benchmark came to: tables as they are to be shown, and for
// each Aim that it is about, how far it was met. The aims are those of this
// package and of nobody else; one that nobody has measured is "not measured".
// docs/performance.json keeps the newest of each part, so a part that was not run
// stays as it was. Nothing here has a date: when a figure was made says less than
// the commit and the machine that it is of.
package figures

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// DirEnv is set, in a benchmark's environment, to the directory that its parts
// are to be written to. Without it they are printed only.
const DirEnv = "CHANGERELAY_FIGURES"

// A Part is what is measured together and shown in one place.
type Part struct {
	Name    string   `json:"part"` // in the document: <!-- measured: name -->
	On      Machine  `json:"on"`
	Figures []Figure `json:"figures,omitempty"` // of the aims
	Tables  []*Table `json:"tables,omitempty"`
	Notes   []string `json:"notes,omitempty"`  // lines below the tables
	Others  string   `json:"others,omitempty"` // what share of the processors everybody else used meanwhile
	Commit  string   `json:"commit,omitempty"`
}

// A Figure is an aim and what was measured of it.
type Figure struct {
	Aim
	Measured float64 `json:"measured"`
	Note     string  `json:"note,omitempty"`
	Holds    bool    `json:"holds"`
}

// New begins a part, on this machine.
func New(name string) *Part {
	return &Part{Name: name, On: ThisMachine()}
}

// Meet says how far an aim is met. The note is what else there is to say of it.
func (p *Part) Meet(aim string, measured float64, note string, args ...any) {
	a := find(aim)
	p.Figures = append(p.Figures, Figure{Aim: a, Measured: measured, Note: fmt.Sprintf(note, args...), Holds: a.holds(measured)})
}

// Table begins a table. A column's name that ends with a colon is of numbers.
func (p *Part) Table(columns ...string) *Table {
	t := &Table{Columns: columns}
	p.Tables = append(p.Tables, t)
	return t
}

// Note adds a line below the tables.
func (p *Part) Note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// Hand prints the part, and writes it to the directory of DirEnv if there is one.
func (p *Part) Hand() error {
	fmt.Printf("\n%s, %s\n\n%s%s\n", p.Name, p.On, figuresTable(p.Figures), p.text())
	if dir := os.Getenv(DirEnv); dir != "" {
		return p.Write(dir)
	}
	return nil
}

// Write writes the part to a directory.
func (p *Part) Write(dir string) error {
	if err := writeJSON(filepath.Join(dir, p.Name+".json"), p); err != nil {
		return fmt.Errorf("handing over the figures of %s: %w", p.Name, err)
	}
	return nil
}

// Read reads all parts of a directory.
func Read(dir string) (parts []Part, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		var p Part
		data, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(data, &p)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func writeJSON(file string, v any) error {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text.String()), 0o644) // #nosec G306 G703 -- a document for everybody, where its caller says
}
