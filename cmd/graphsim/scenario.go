package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"changerelay/internal/graphsim/control"
)

const (
	maxScenario = 16 << 20 // bytes; about 80 000 devices
	maxDepth    = 20       // of nested values
)

// scenario reads the scenario file, or the example.
func (c *cli) scenario() (*control.Scenario, error) {
	name, data := "example.yaml", example
	if c.Scenario != "" {
		var err error
		name = c.Scenario
		if data, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("reading --scenario: %w", err)
		}
	}
	sc, err := parse(data, filepath.Dir(name))
	if err != nil {
		return nil, errors.New(name + ":" + strings.ReplaceAll(err.Error(), "\n", "\n"+name+":"))
	}
	return sc, nil
}

// parse makes a scenario of YAML. Every line of its error begins with a place. The files that
// the scenario names are found from dir.
func parse(data []byte, dir string) (*control.Scenario, error) {
	if len(data) > maxScenario {
		return nil, fmt.Errorf("1:1: the file is larger than %d bytes", maxScenario)
	}
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntax(err)
	}
	if len(f.Docs) > 1 {
		return nil, errors.New("1:1: a scenario is one document")
	}
	var v control.Value
	if len(f.Docs) == 1 && f.Docs[0].Body != nil {
		if v, err = toValue(f.Docs[0].Body, maxDepth); err != nil {
			return nil, err
		}
	}
	return control.Load(v, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return os.ReadFile(name)
	})
}

// syntax is the parser's complaint without the lines that it quotes: there are secrets in them.
func syntax(err error) error {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		return errors.New("1:1: the file is not YAML")
	}
	p := e.GetToken().Position
	return fmt.Errorf("%d:%d: %s", p.Line, p.Column, e.GetMessage())
}

// toValue takes a node over, with its place.
func toValue(n ast.Node, depth int) (v control.Value, err error) {
	p := n.GetToken().Position
	v.Line, v.Column = p.Line, p.Column
	if depth == 0 {
		return v, fmt.Errorf("%d:%d: values are nested too deeply", v.Line, v.Column)
	}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		v.Kind, v.Text = control.Text, n.Value
	case *ast.LiteralNode:
		v.Kind, v.Text = control.Text, n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode:
		v.Kind, v.Text = control.Number, n.GetToken().Value
	case *ast.BoolNode:
		v.Kind, v.Text = control.Bool, fmt.Sprint(n.Value)
	case *ast.SequenceNode:
		v.Kind = control.List
		for _, item := range n.Values {
			one, err := toValue(item, depth-1)
			if err != nil {
				return v, err
			}
			v.Items = append(v.Items, one)
		}
	case *ast.MappingNode:
		return toMap(v, n.Values, depth)
	case *ast.MappingValueNode:
		return toMap(v, []*ast.MappingValueNode{n}, depth)
	default:
		return v, fmt.Errorf("%d:%d: anchors, aliases and tags are not supported; write the value out", v.Line, v.Column)
	}
	return v, nil
}

func toMap(v control.Value, entries []*ast.MappingValueNode, depth int) (control.Value, error) {
	v.Kind = control.Map
	for _, e := range entries {
		tok := e.Key.GetToken()
		if e.Key.Type() == ast.MergeKeyType {
			return v, fmt.Errorf("%d:%d: merge keys are not supported; write the values out", tok.Position.Line, tok.Position.Column)
		}
		one, err := toValue(e.Value, depth-1)
		if err != nil {
			return v, err
		}
		v.Keys = append(v.Keys, control.Key{Name: tok.Value, Line: tok.Position.Line, Column: tok.Position.Column, Value: one})
	}
	return v, nil
}
