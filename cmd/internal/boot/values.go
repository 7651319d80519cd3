package boot

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// field is a key of a section, as the struct tag writes it.
func field(f reflect.StructField) (key, option string) {
	key, option, _ = strings.Cut(f.Tag.Get("yaml"), ",")
	return key, option
}

// keys maps a section's keys to its fields and lists them in order. Unexported
// fields have no key.
func keys(t reflect.Type) (index map[string]int, names []string) {
	index = map[string]int{}
	for i := range t.NumField() {
		if k, _ := field(t.Field(i)); k != "" {
			index[k] = i
			names = append(names, k)
		}
	}
	return index, names
}

// section decodes a mapping with known keys.
func (d *decoder) section(path string, n ast.Node, v reflect.Value) {
	index, names := keys(v.Type())
	d.mapping(path, n, "of "+strings.Join(names, ", "), func(key, path string, n ast.Node) {
		i, ok := index[key]
		if !ok {
			d.bad(path, "%s", unknownKey(key, names))
			return
		}
		_, option := field(v.Type().Field(i))
		d.value(path, n, v.Field(i), option)
	})
}

// entries decodes a mapping whose keys are the user's names.
func (d *decoder) entries(path string, n ast.Node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.mapping(path, n, "from names to values", func(key, path string, n ast.Node) {
		entry := reflect.New(v.Type().Elem()).Elem()
		d.value(path, n, entry, "")
		v.SetMapIndex(reflect.ValueOf(key), entry)
	})
}

// mapping walks a mapping's keys and remembers where each one is. The parser
// has refused repeated keys already.
func (d *decoder) mapping(path string, n ast.Node, want string, each func(key, path string, n ast.Node)) {
	m, ok := n.(ast.MapNode)
	if !ok {
		d.bad(path, "want a mapping %s", want)
		return
	}
	for it := m.MapRange(); it.Next(); {
		key := it.Key().GetToken()
		child := strings.TrimPrefix(path+"."+key.Value, ".")
		d.at[child] = place{key.Position.Line, key.Position.Column}
		each(key.Value, child, it.Value())
	}
}

func (d *decoder) list(path string, n ast.Node, v reflect.Value) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		d.bad(path, "want a list: lines that begin with a dash, or [a, b]")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values)))
	for i, item := range s.Values {
		child := fmt.Sprintf("%s[%d]", path, i)
		d.at[child] = start(item)
		d.value(child, item, v.Index(i), "")
	}
}

// text takes strings only: YAML would read an unquoted no, 1e3 or 0x10 as
// something other than what was typed.
func (d *decoder) text(path string, n ast.Node, v reflect.Value, option string) {
	var s string
	switch n := n.(type) {
	case *ast.StringNode:
		s = n.Value
	case *ast.LiteralNode:
		s = n.Value.Value
	default:
		d.bad(path, "want text; put the value in quotes")
		return
	}
	if option == "file" {
		s = d.resolve(s)
	}
	v.SetString(s)
}

func (d *decoder) number(path string, n ast.Node, v reflect.Value) {
	i, err := strconv.Atoi(n.GetToken().Value)
	if n.Type() != ast.IntegerType || err != nil {
		d.bad(path, "want a whole number")
		return
	}
	v.SetInt(int64(i))
}

func (d *decoder) duration(path string, n ast.Node, v reflect.Value) {
	t, err := time.ParseDuration(n.GetToken().Value)
	if n.Type() != ast.StringType || err != nil {
		d.bad(path, "want a duration such as 30s, 5m or 720h")
		return
	}
	v.SetInt(int64(t))
}
