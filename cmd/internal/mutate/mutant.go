package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// A mutant is one mistake in a file. Its String has no line number, and so
// outlives changes elsewhere.
type mutant struct {
	file     string // its base name
	line     int
	place    string // the function it is in, with its receiver's type
	old, new string // in one line, for people
	nth      int    // of those that say the same of the function, from 1
	source   string // the file with the mistake in it
}

func (m mutant) String() string {
	s := fmt.Sprintf("%s %s: %s → %s", m.file, m.place, m.old, m.new)
	if m.nth > 1 {
		s += fmt.Sprintf(" (%d)", m.nth)
	}
	return s
}

// read makes all mutants of a file.
func read(file string) ([]mutant, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading what to mutate: %w", err)
	}
	return mutants(filepath.Base(file), string(src))
}

func mutants(name, src string) ([]mutant, error) {
	m := &maker{name: name, src: src, fset: token.NewFileSet(), made: map[string]bool{src: true}, said: map[string]int{}}
	f, err := parser.ParseFile(m.fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parsing what to mutate: %w", err)
	}
	m.file = f
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			m.function(fn)
		}
	}
	return m.all, nil
}

// A maker makes the mutants of one file.
type maker struct {
	name, src string
	fset      *token.FileSet
	file      *ast.File
	place     string
	above     []ast.Node      // the path to the node at hand, which is the last
	made      map[string]bool // sources, so that two rules make no mutant twice
	said      map[string]int
	all       []mutant
}

func (m *maker) function(fn *ast.FuncDecl) {
	m.place = fn.Name.Name
	if fn.Recv != nil {
		m.place = strings.TrimPrefix(m.text(fn.Recv.List[0].Type), "*") + "." + m.place
	}
	m.above = []ast.Node{fn}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if n == nil {
			m.above = m.above[:len(m.above)-1]
			return true
		}
		if e, ok := n.(ast.Expr); ok && m.says(e) {
			return false
		}
		m.above = append(m.above, n)
		m.expression(n)
		m.statement(n)
		return true
	})
}

// says reports whether an expression is what is said to people: a text with a
// space in it, or a sum of such.
func (m *maker) says(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING && strings.Contains(e.Value, " ")
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (m.says(e.X) || m.says(e.Y))
	}
	return false
}

// swap makes the mutant in which n is written otherwise.
func (m *maker) swap(n ast.Node, new string) {
	m.edit(n, m.text(n), new, m.at(n.Pos()), m.at(n.End()), new)
}

// edit makes the mutant that has text between two places, for a mistake at n
// that people would call old → new.
func (m *maker) edit(n ast.Node, old, new string, from, to int, text string) {
	source := m.src[:from] + text + m.src[to:]
	if strings.Contains(text, "slices.") && !strings.Contains(m.src, "\t\"slices\"\n") {
		end := m.at(m.file.Name.End())
		source = source[:end] + `; import "slices"` + source[end:]
	}
	if m.made[source] {
		return
	}
	m.made[source] = true
	x := mutant{file: m.name, line: m.fset.Position(n.Pos()).Line, place: m.place, old: flat(old), new: flat(new), source: source}
	m.said[x.String()]++
	x.nth = m.said[x.String()]
	m.all = append(m.all, x)
}

func (m *maker) at(p token.Pos) int { return m.fset.Position(p).Offset }

func (m *maker) text(n ast.Node) string { return m.src[m.at(n.Pos()):m.at(n.End())] }

// flat is code in one line.
func flat(code string) string { return strings.Join(strings.Fields(code), " ") }
