package boot

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// field is a key of a section, as the struct tag writes it.
func field(f reflect.StructField) (key, option string) {
	key, option, _ = strings.Cut(f.Tag.Get("yaml"), ",")
	return key, option
}

// keys maps a section's keys to its fields and lists them in order, those of
// embedded structs too. A field without a tag has no key.
func keys(t reflect.Type) (index map[string]reflect.StructField, names []string) {
	index = map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if k, _ := field(f); k != "" {
			index[k] = f
			names = append(names, k)
		}
	}
	return index, names
}

// preparer is a section one of whose keys decides what the others begin with.
type preparer interface {
	prepare(text func(key string) string)
}

// section decodes a mapping with known keys.
func (d *decoder) section(path string, n ast.Node, v reflect.Value) {
	if x, ok := v.Addr().Interface().(preparer); ok {
		x.prepare(func(key string) string { return textOf(n, key) })
	}
	index, names := keys(v.Type())
	d.mapping(path, n, "of "+strings.Join(names, ", "), func(key, path string, n ast.Node) {
		f, ok := index[key]
		if !ok {
			d.bad(path, "%s", unknownKey(key, names))
			return
		}
		_, option := field(f)
		d.value(path, n, v.FieldByIndex(f.Index), option)
	})
}

// textOf is the text at a mapping's key, or "".
func textOf(n ast.Node, key string) string {
	if m, ok := n.(ast.MapNode); ok {
		for it := m.MapRange(); it.Next(); {
			if s, ok := it.Value().(*ast.StringNode); ok && it.Key().GetToken().Value == key {
				return s.Value
			}
		}
	}
	return ""
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
	if len(s.Values) == 0 {
		d.bad(path, "want at least one entry; leave the key out for none")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values)))
	for i, item := range s.Values {
		child := fmt.Sprintf("%s[%d]", path, i)
		d.at[child] = start(item)
		d.value(child, item, v.Index(i), "")
	}
}
