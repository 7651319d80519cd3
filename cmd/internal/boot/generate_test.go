package boot

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"changerelay/internal/ingest/source"
)

// A node is a part of a schema.
type node map[string]any

// A generator makes the schema of the types, with the manual's words.
type generator struct {
	t       *testing.T
	rules   map[string]node
	used    map[string]bool
	meaning map[string]row
}

func generate(t *testing.T) []byte {
	g := generator{t, schemaRules(), map[string]bool{}, documented(t)}
	c := defaults()
	s := g.node("", reflect.ValueOf(&c).Elem())
	maps.Copy(s, node{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "changerelay's configuration",
		"$defs": node{
			"secret": g.secret(reflect.ValueOf(&Secret{}).Elem()),
			"key":    g.secret(reflect.ValueOf(&Key{}).Elem()),
		},
	})
	for path := range g.rules {
		if !g.used[path] {
			t.Errorf("there is no %s for a rule to be about", path)
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// node is the schema of a value and of what is below it.
func (g generator) node(path string, v reflect.Value) node {
	if x, ok := v.Addr().Interface().(defaulter); ok {
		x.setDefaults()
	}
	n := g.of(path, v)
	if path == "" {
		return n
	}
	g.explain(n, path, v)
	return n
}

// explain adds the manual's words, the default and the rule.
func (g generator) explain(n node, path string, v reflect.Value) {
	if r, ok := g.meaning[path]; ok {
		n["description"] = plainText(r.meaning)
		if r.value != "" {
			n["default"] = v.Interface()
			if d, ok := v.Interface().(time.Duration); ok {
				n["default"] = written(reflect.ValueOf(d))
			}
		}
	}
	g.used[path] = true
	maps.Copy(n, g.rules[path])
}

// plainText takes Markdown off.
func plainText(s string) string { return strings.NewReplacer("`", "", `\|`, "|").Replace(s) }

func (g generator) of(path string, v reflect.Value) node {
	t := v.Type()
	switch v.Interface().(type) {
	case time.Duration:
		return node{"type": "string", "pattern": durationPattern}
	case time.Time:
		return node{"type": "string", "format": "date-time", "pattern": timePattern}
	case netip.Prefix:
		return node{"type": "string", "pattern": rangePattern}
	case Secret:
		return node{"$ref": "#/$defs/secret"}
	case Key:
		return node{"$ref": "#/$defs/key"}
	}
	switch t.Kind() {
	case reflect.String:
		return node{"type": "string"}
	case reflect.Bool:
		return node{"type": "boolean"}
	case reflect.Int:
		return node{"type": "integer"}
	case reflect.Float64:
		return node{"type": "number"}
	case reflect.Pointer:
		n := g.of(path, reflect.New(t.Elem()).Elem())
		n["type"] = "object"
		return n
	case reflect.Slice:
		return node{"type": "array", "minItems": 1, "items": g.node(path+"[]", reflect.New(t.Elem()).Elem())}
	case reflect.Map:
		return g.entries(path, t)
	}
	return g.section(path, v)
}

// entries may be commented out, all of them. Their names are in patterns: the
// validator tells a wrong place for errors of propertyNames.
func (g generator) entries(path string, t reflect.Type) node {
	n := node{"type": []string{"object", "null"}, "additionalProperties": false}
	if t.Elem().Kind() == reflect.Struct {
		below := g.node(path+".<name>", reflect.New(t.Elem()).Elem())
		below["type"] = "object"
		n["patternProperties"] = node{namePattern.String(): below}
		return n
	}
	properties := node{}
	for _, meaning := range map[string][]string{"sources.<name>.fields": source.Meanings, "sources.<name>.map": source.MapMeanings}[path] {
		properties[meaning] = node{"type": "string"}
	}
	n["properties"] = properties
	return n
}

// section may be commented out too, unless something is required of it.
func (g generator) section(path string, v reflect.Value) node {
	properties := node{}
	for _, f := range reflect.VisibleFields(v.Type()) {
		key, _ := field(f)
		if key == "" {
			continue
		}
		below := strings.TrimPrefix(path+"."+key, ".")
		if ofSecret(v.Type(), f) {
			below = "*." + key
		}
		properties[key] = g.node(below, v.FieldByIndex(f.Index))
	}
	n := node{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
	if strings.HasSuffix(path, "]") {
		n["type"] = "object"
	}
	return n
}

func (g generator) secret(v reflect.Value) node {
	n := g.section("*", v)
	n["type"], n["oneOf"] = "object", filedOrEnv()
	return n
}
