package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// others is what an operator may be mistaken for.
var others = map[token.Token][]string{
	token.LSS: {"<=", ">="}, token.LEQ: {"<", ">"}, token.GTR: {">=", "<="}, token.GEQ: {">", "<"},
	token.EQL: {"!="}, token.NEQ: {"=="}, token.LAND: {"||"}, token.LOR: {"&&"},
	token.ADD: {"-"}, token.SUB: {"+"}, token.MUL: {"/"}, token.QUO: {"*"},
}

// shapers are methods that return what they are called on, in another shape.
var shapers = []string{"Abs", "Clone", "Local", "Round", "Truncate", "UTC", "clone", "sane"}

func (m *maker) expression(n ast.Node) {
	switch e := n.(type) {
	case *ast.BinaryExpr:
		m.binary(e)
	case *ast.UnaryExpr:
		if e.Op == token.NOT || e.Op == token.SUB {
			m.swap(e, m.text(e.X))
		}
	case *ast.BasicLit:
		m.literal(e)
	case *ast.Ident:
		_, returned := m.parent().(*ast.ReturnStmt) // which has rules of its own
		if other := map[string]string{"true": "false", "false": "true"}[e.Name]; other != "" && !returned {
			m.swap(e, other)
		}
	case *ast.CallExpr:
		m.call(e)
	case *ast.CompositeLit:
		m.fields(e)
	}
}

// binary mistakes the operator, or forgets a side of a condition.
func (m *maker) binary(e *ast.BinaryExpr) {
	x, y := m.text(e.X), m.text(e.Y)
	for _, op := range others[e.Op] {
		m.swap(e, x+" "+op+" "+y)
	}
	if e.Op == token.LAND || e.Op == token.LOR {
		m.swap(e, x)
		m.swap(e, y)
	}
}

// literal counts one more or less, and forgets a name or invents one.
func (m *maker) literal(e *ast.BasicLit) {
	switch e.Kind {
	case token.INT:
		if n, err := strconv.Atoi(e.Value); err == nil {
			m.swap(e, strconv.Itoa(n+1))
			m.swap(e, strconv.Itoa(n-1))
		}
	case token.STRING:
		if e.Value == `""` {
			m.swap(e, `"x"`)
		} else {
			m.swap(e, `""`)
		}
	}
}

// fields leaves out one named field.
func (m *maker) fields(e *ast.CompositeLit) {
	for i, el := range e.Elts {
		kv, ok := el.(*ast.KeyValueExpr)
		if !ok || m.says(kv.Value) {
			continue
		}
		from, to := m.at(el.Pos()), m.at(el.End())
		if i+1 < len(e.Elts) {
			to = m.at(e.Elts[i+1].Pos())
		}
		m.edit(el, m.text(el), "left out", from, to, "")
	}
}

func (m *maker) call(e *ast.CallExpr) {
	if f, ok := e.Fun.(*ast.SelectorExpr); ok {
		m.method(e, f)
		return
	}
	f, ok := e.Fun.(*ast.Ident)
	if !ok || slices.Contains([]string{"len", "cap", "append", "make", "new", "panic"}, f.Name) {
		return
	}
	for _, a := range e.Args {
		m.swap(e, m.text(a))
	}
	if len(e.Args) > 2 {
		for i := range e.Args {
			m.swap(e, fmt.Sprintf("%s(%s)", f.Name, m.list(slices.Delete(slices.Clone(e.Args), i, i+1))))
		}
	}
	if other := map[string]string{"min": "max", "max": "min"}[f.Name]; other != "" {
		m.swap(e, other+"("+m.list(e.Args)+")")
	}
}

// method mistakes a call of a method, or of another package's function.
func (m *maker) method(e *ast.CallExpr, f *ast.SelectorExpr) {
	x, args := m.text(f.X), m.list(e.Args)
	foreign := m.imports(x)
	switch {
	case foreign && f.Sel.Name == "Backward":
		m.swap(e, "slices.All("+args+")")
	case foreign && len(e.Args) == 1:
		m.swap(e, args) // not cloned, not sorted
	case foreign:
	case f.Sel.Name == "Before": // than means earlier or the same
		m.swap(e, "!"+x+".After("+args+")")
		m.swap(e, "!("+m.text(e)+")")
	case f.Sel.Name == "After":
		m.swap(e, "!"+x+".Before("+args+")")
		m.swap(e, "!("+m.text(e)+")")
	case f.Sel.Name == "Add":
		m.swap(e, x)
		m.swap(e, x+".Add("+minus(args)+")")
	case slices.Contains(shapers, f.Sel.Name):
		m.swap(e, x)
	}
}

// minus is the other way; of what has a sign already, the rule for signs makes it.
func minus(x string) string {
	if strings.HasPrefix(x, "-") {
		return x
	}
	return "-(" + x + ")"
}

// imports reports whether a name is that of a package.
func (m *maker) imports(name string) bool {
	return slices.ContainsFunc(m.file.Imports, func(i *ast.ImportSpec) bool {
		return strings.HasSuffix(`/`+strings.Trim(i.Path.Value, `"`), `/`+name)
	})
}

func (m *maker) list(es []ast.Expr) string {
	var texts []string
	for _, e := range es {
		texts = append(texts, m.text(e))
	}
	return strings.Join(texts, ", ")
}
