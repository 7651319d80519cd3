package boot

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of the configuration file, for
// editors. It knows no rule between one key and another far from it; Lint does.
func Schema() []byte { return bytes.Clone(schema) }

// A Validator calls found for each rule of a JSON Schema that a document breaks.
// Package conform has one; it is not linked here, for its size.
type Validator func(schema []byte, doc any, found func(pointer, rule string)) error

// Lint is Load, and holds the file against the schema too: what the decoder has
// taken and the schema refuses is a mistake as well, of one of the two.
func Lint(path string, check Validator) (*Config, error) {
	data, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	c, err := lint(path, data, check)
	if err != nil {
		return nil, err
	}
	d := newDecoder(path)
	d.lacks(c, len(bytes.TrimSpace(data)) == 0)
	if len(d.mistakes) > 0 {
		return nil, d.mistakes
	}
	return c, nil
}

func lint(name string, data []byte, check Validator) (*Config, error) {
	c, d := parse(name, data)
	if err := d.validate(check); err != nil {
		return nil, err
	}
	if len(d.mistakes) > 0 {
		return nil, d.mistakes.sorted()
	}
	return c, nil
}

// lacks notes what no program can do anything without. A service starts all the
// same, and waits for a reload. What takes no webhooks in needs no source.
func (d *decoder) lacks(c *Config, empty bool) {
	switch {
	case len(c.Tenants) > 0:
	case empty:
		d.bad("", "the file is empty: name the broker under nats (url, unless it is %s; changerelay-standalone has its own), at least one tenant under tenants, and for ingest at least one source under sources", c.NATS.URL)
	case len(c.Sources) == 0:
		d.bad("tenants", "is missing: every event would be invalid; add at least one tenant, and for ingest at least one source under sources")
	default:
		d.bad("tenants", "is missing: every event would be invalid; add at least one tenant")
	}
}

// validate adds what the schema finds and the decoder has not.
func (d *decoder) validate(check Validator) error {
	if d.body == nil {
		return nil
	}
	at, known := pointers{}, d.mistakes
	err := check(schema, at.plain(d.body, "", ""), func(pointer, rule string) {
		path := at.path(pointer)
		if !slices.ContainsFunc(known, func(m Mistake) bool { return inside(m.Key, path) || inside(path, m.Key) }) {
			d.bad(path, "does not fit the schema at %q: %s", pointer, rule)
		}
	})
	if err != nil {
		return fmt.Errorf("validating the configuration: %w", err)
	}
	return nil
}

// inside reports whether a path is another one, or below it.
func inside(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && (rest == "" || strings.ContainsAny(rest[:1], ".["))
}

// Tokens of a JSON pointer (RFC 6901).
var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// pointers are the config paths of JSON pointers.
type pointers map[string]string

// path is also that of a member that is not there.
func (at pointers) path(pointer string) string {
	if path, ok := at[pointer]; ok {
		return path
	}
	i := max(0, strings.LastIndexByte(pointer, '/'))
	name := unescape.Replace(strings.TrimPrefix(pointer[i:], "/"))
	return strings.TrimPrefix(at.path(pointer[:i])+"."+name, ".")
}

// plain is a node as the schema's validator takes it, typed as the decoder sees
// it.
func (at pointers) plain(n ast.Node, here, path string) any {
	at[here] = path
	switch n := n.(type) {
	case ast.MapNode:
		m := map[string]any{}
		for it := n.MapRange(); it.Next(); {
			key := it.Key().GetToken().Value
			m[key] = at.plain(it.Value(), here+"/"+escape.Replace(key), strings.TrimPrefix(path+"."+key, "."))
		}
		return m
	case *ast.SequenceNode:
		list := make([]any, len(n.Values))
		for i, v := range n.Values {
			list[i] = at.plain(v, here+"/"+strconv.Itoa(i), entry(path, i))
		}
		return list
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.StringNode:
		return n.Value
	case *ast.IntegerNode:
		return n.Value
	case *ast.FloatNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.NullNode:
		return nil
	}
	return n.GetToken().Value // infinity, and what the decoder has refused
}
