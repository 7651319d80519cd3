package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

func (m *maker) statement(n ast.Node) {
	switch s := n.(type) {
	case *ast.IfStmt:
		m.condition(s.Cond)
	case *ast.SwitchStmt:
		m.cases(s)
	case *ast.ForStmt:
		m.loop(s, s.Body)
	case *ast.RangeStmt:
		m.loop(s, s.Body)
		if s.Value != nil && !strings.HasPrefix(m.text(s.X), "slices.") {
			m.swap(s.X, "slices.Backward("+m.text(s.X)+")")
		}
	case *ast.ExprStmt:
		m.forget(s)
	case *ast.IncDecStmt:
		m.swap(s, m.text(s.X)+map[token.Token]string{token.INC: "--", token.DEC: "++"}[s.Tok])
		if _, counts := m.parent().(*ast.ForStmt); !counts {
			m.remove(s)
		}
	case *ast.AssignStmt:
		m.assign(s)
	case *ast.BranchStmt:
		m.branch(s)
	case *ast.ReturnStmt:
		m.returns(s)
	}
}

func (m *maker) parent() ast.Node { return m.above[len(m.above)-2] }

func (m *maker) remove(s ast.Stmt) {
	m.edit(s, m.text(s), "removed", m.at(s.Pos()), m.at(s.End()), "{}")
}

// forget does not call; what it would have been called with stays in use.
func (m *maker) forget(s *ast.ExprStmt) {
	c, ok := s.X.(*ast.CallExpr)
	if !ok || len(c.Args) == 0 {
		m.remove(s)
		return
	}
	blanks := strings.Repeat("_, ", len(c.Args)-1) + "_"
	m.edit(s, m.text(s), "removed", m.at(s.Pos()), m.at(s.End()), "{ "+blanks+" = "+m.list(c.Args)+" }")
}

// condition is always so, or never, or the other way round; its names stay in
// use. For operators there are rules that turn them round.
func (m *maker) condition(e ast.Expr) {
	from, to, c := m.at(e.Pos()), m.at(e.End()), m.text(e)
	m.edit(e, c, "always", from, to, "("+c+") || true")
	m.edit(e, c, "never", from, to, "("+c+") && false")
	switch e.(type) {
	case *ast.BinaryExpr, *ast.UnaryExpr:
	default:
		m.swap(e, "!("+c+")")
	}
}

func (m *maker) cases(s *ast.SwitchStmt) {
	for _, c := range s.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			if s.Tag == nil {
				m.condition(e)
			}
		}
	}
}

// loop does not run, or once.
func (m *maker) loop(s ast.Stmt, body *ast.BlockStmt) {
	head := m.src[m.at(s.Pos()):m.at(body.Lbrace)]
	first, last := m.at(body.Lbrace)+1, m.at(body.Rbrace)
	m.edit(s, head, "never", first, first, " break; ")
	if len(body.List) > 0 && !leaves(body.List[len(body.List)-1]) {
		m.edit(s, head, "once", last, last, "; break ")
	}
}

func leaves(s ast.Stmt) bool {
	switch s.(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	}
	return false
}

// assign forgets to: the value is worked out, and goes nowhere.
func (m *maker) assign(s *ast.AssignStmt) {
	switch s.Tok {
	case token.DEFINE:
		return
	case token.ADD_ASSIGN:
		m.swap(s, m.text(s.Lhs[0])+" -= "+m.text(s.Rhs[0]))
	case token.SUB_ASSIGN:
		m.swap(s, m.text(s.Lhs[0])+" += "+m.text(s.Rhs[0]))
	}
	for i, l := range s.Lhs {
		if m.text(l) == "_" {
			continue
		}
		left := slices.Clone(s.Lhs)
		left[i] = ast.NewIdent("_")
		m.edit(s, m.text(s), m.text(l)+" is forgotten", m.at(s.Pos()), m.at(s.End()), m.blank(s.Lhs, i)+" = "+m.list(s.Rhs))
	}
}

// blank is the list with its i-th place left blank.
func (m *maker) blank(es []ast.Expr, i int) string {
	texts := make([]string, len(es))
	for j, e := range es {
		texts[j] = m.text(e)
	}
	texts[i] = "_"
	return strings.Join(texts, ", ")
}

func (m *maker) branch(s *ast.BranchStmt) {
	if s.Label != nil {
		return
	}
	switch s.Tok {
	case token.CONTINUE:
		m.swap(s, "break")
	case token.BREAK:
		m.swap(s, "continue")
	default:
		return
	}
	m.remove(s)
}
