package main

import (
	"go/ast"
	"strings"
)

// returns forgets to return, or what: nothing, or what the method was given.
func (m *maker) returns(s *ast.ReturnStmt) {
	if len(s.Results) == 0 {
		m.remove(s)
		return
	}
	types := m.results()
	if len(types) != len(s.Results) {
		return // of a call that returns them all
	}
	for i, t := range types {
		for _, v := range m.instead(t, s.Results[i]) {
			m.result(s, i, v)
		}
	}
}

// result returns v as the i-th. What it was stays in use.
func (m *maker) result(s *ast.ReturnStmt, i int, v string) {
	old := m.text(s.Results[i])
	texts := make([]string, len(s.Results))
	for j, e := range s.Results {
		texts[j] = m.text(e)
	}
	texts[i] = v
	list := strings.Join(texts, ", ")
	m.edit(s, m.text(s), "return "+list, m.at(s.Pos()), m.at(s.End()), "{ _ = "+old+"; return "+list+" }")
}

// results is the types of the innermost function's results.
func (m *maker) results() (types []string) {
	t := m.above[0].(*ast.FuncDecl).Type
	for _, n := range m.above {
		if f, ok := n.(*ast.FuncLit); ok {
			t = f.Type
		}
	}
	if t.Results == nil {
		return nil
	}
	for _, f := range t.Results.List {
		for range max(1, len(f.Names)) {
			types = append(types, m.text(f.Type))
		}
	}
	return types
}

// instead is what may be returned instead of e, which has type t.
func (m *maker) instead(t string, e ast.Expr) (values []string) {
	if t == "bool" {
		values = []string{"true", "false"}
	} else {
		values = []string{zero(t)}
	}
	if fn := m.above[0].(*ast.FuncDecl); fn.Recv != nil && m.text(fn.Recv.List[0].Type) == t && len(fn.Recv.List[0].Names) > 0 {
		values = append(values, fn.Recv.List[0].Names[0].Name)
	}
	n := 0
	for _, v := range values {
		if old := m.text(e); old != v && old != t+"{}" && !m.says(e) {
			values[n] = v
			n++
		}
	}
	return values[:n]
}

func zero(t string) string {
	switch {
	case t == "string":
		return `""`
	case t == "error" || strings.HasPrefix(t, "*") || strings.HasPrefix(t, "[]") || strings.HasPrefix(t, "map["):
		return "nil"
	case strings.HasPrefix(t, "int") || strings.HasPrefix(t, "uint") || strings.HasPrefix(t, "float"):
		return "0"
	}
	return "*new(" + t + ")"
}
