package boot

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A decoder fills a Config from the file's syntax tree. The YAML module could
// decode too, but its errors quote the file, which may hold a pasted secret,
// do not know the keys that are allowed, and end at the first; and the checks
// that follow need the place of every key.
type decoder struct {
	file     string
	at       map[string]place // config path → where its key is
	mistakes Mistakes
	body     ast.Node // nil: the file is empty, or no YAML
}

type place struct{ line, column int }

func newDecoder(file string) *decoder {
	return &decoder{file: file, at: map[string]place{"": {1, 1}}}
}

// bad notes a mistake at the path's key, or at the nearest one above it that
// the file has: a missing key is reported where it should be.
func (d *decoder) bad(path, format string, args ...any) {
	p := d.place(path)
	d.mistakes = append(d.mistakes, Mistake{d.file, p.line, p.column, path, fmt.Sprintf(format, args...)})
}

func (d *decoder) place(path string) place {
	for {
		if p, ok := d.at[path]; ok {
			return p
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

func (d *decoder) decode(data []byte, c *Config) {
	if len(data) > MaxConfig {
		d.bad("", "the file is larger than %d bytes", MaxConfig)
		return
	}
	text := strings.TrimPrefix(string(data), "\ufeff") // Windows editors write one
	f, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		d.syntax(err)
		return
	}
	if len(f.Docs) > 1 {
		d.at[""] = start(f.Docs[1])
		d.bad("", "a second document begins here; the configuration is one document")
		return
	}
	if len(f.Docs) == 1 && f.Docs[0].Body != nil {
		d.body = f.Docs[0].Body
		d.value("", d.body, reflect.ValueOf(c).Elem(), "")
	}
}

// syntax takes over the parser's message without the lines that it quotes.
func (d *decoder) syntax(err error) {
	e, ok := err.(yaml.Error)
	if !ok || e.GetToken() == nil {
		d.bad("", "the file is not YAML")
		return
	}
	p := e.GetToken().Position
	d.at[""] = place{p.Line, p.Column}
	d.bad("", "%s", e.GetMessage())
}

// start is where a value begins; a mapping's own token is its first colon.
func start(n ast.Node) place {
	switch v := n.(type) {
	case *ast.DocumentNode:
		return place{v.Start.Position.Line, v.Start.Position.Column}
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			n = v.Values[0].Key
		}
	}
	p := n.GetToken().Position
	return place{p.Line, p.Column}
}

// defaulter is an entry of a map or an optional section, whose defaults cannot
// stand in defaults() because there is none of it at first.
type defaulter interface{ setDefaults() }

// placer wants to know where it stands in the file.
type placer interface{ placed(at string) }

// value decodes a node into what the type of v asks for.
func (d *decoder) value(path string, n ast.Node, v reflect.Value, option string) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.bad(path, "anchors, aliases and tags are not supported; write the value out")
		return
	}
	if x, ok := v.Addr().Interface().(defaulter); ok {
		x.setDefaults()
	}
	if !d.scalar(path, n, v, option) {
		d.collection(path, n, v, option)
	}
	if x, ok := v.Addr().Interface().(placer); ok {
		x.placed(d.where(path))
	}
}

// collection decodes what holds other values. A section whose every line is
// commented out has its defaults; a list or a check would vanish silently, and
// with it what it forbids.
func (d *decoder) collection(path string, n ast.Node, v reflect.Value, option string) {
	null := n.Type() == ast.NullType
	switch {
	case null && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice):
		d.bad(path, "is empty; give it a value, or leave the key out")
	case null:
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(path, n, v.Elem(), option)
	case v.Kind() == reflect.Struct:
		d.section(path, n, v)
	case v.Kind() == reflect.Map:
		d.entries(path, n, v)
	default:
		d.list(path, n, v)
	}
}

// where is a path's place and name, as errors begin.
func (d *decoder) where(path string) string {
	p := d.place(path)
	return fmt.Sprintf("%s:%d:%d: %s", d.file, p.line, p.column, path)
}

// resolve makes a file's path relative to the configuration's folder, so that
// the program may be started from anywhere.
func (d *decoder) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(d.file), path)
}
