package control

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"changerelay/internal/graphsim"
)

// Mistake is one thing wrong in the input. It never quotes the input: there are secrets in it.
type Mistake struct {
	Line, Column int    // 0 = unknown
	Path         string // as tenants[0].devices[2].id
	Reason       string
}

// Mistakes are all that was found, in the input's order.
type Mistakes []Mistake

func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = strings.TrimPrefix(m.Path+": "+m.Reason, ": ")
		if m.Line > 0 {
			lines[i] = fmt.Sprintf("%d:%d: %s", m.Line, m.Column, lines[i])
		}
	}
	return strings.Join(lines, "\n")
}

type place struct{ line, column int }

type decoder struct {
	at       map[string]place
	mistakes Mistakes
}

// decode fills what target points at. What the input leaves out stays as it is.
func decode(v Value, target any) (*decoder, error) {
	d := &decoder{at: map[string]place{}}
	d.value("", v, reflect.ValueOf(target).Elem())
	return d, d.err()
}

func (d *decoder) err() error {
	if len(d.mistakes) == 0 {
		return nil
	}
	slices.SortStableFunc(d.mistakes, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return d.mistakes[:min(len(d.mistakes), maxMistakes)]
}

// bad notes a mistake at a path, or at the nearest place above it that the input has.
func (d *decoder) bad(path, format string, args ...any) {
	p, ok := d.at[path]
	for up := path; !ok && up != ""; p, ok = d.at[up] {
		up = up[:max(0, strings.LastIndexAny(up, ".["))]
	}
	d.mistakes = append(d.mistakes, Mistake{p.line, p.column, path, fmt.Sprintf(format, args...)})
}

func (d *decoder) value(path string, v Value, to reflect.Value) {
	if _, known := d.at[path]; !known {
		d.at[path] = place{v.Line, v.Column}
	}
	switch x := to.Addr().Interface().(type) {
	case *time.Duration:
		t, err := time.ParseDuration(v.Text)
		if *x = t; v.Kind != Text || err != nil {
			d.bad(path, "want a duration such as 30s, 5m or 8h")
		}
		return
	case *graphsim.Point:
		if *x = graphsim.BeforeApply; v.Text == "after" {
			*x = graphsim.AfterApply
		} else if v.Text != "before" {
			d.bad(path, "want before or after")
		}
		return
	case *http.Header:
		d.header(path, v, x)
		return
	}
	switch to.Kind() {
	case reflect.Struct:
		d.fields(path, v, to)
	case reflect.Slice:
		d.list(path, v, to)
	default:
		d.scalar(path, v, to)
	}
}

func (d *decoder) fields(path string, v Value, to reflect.Value) {
	if v.Kind != Map {
		d.bad(path, "want a section with keys")
		return
	}
	known, seen := fieldsOf(to), map[string]bool{}
	for _, k := range v.Keys {
		at := strings.TrimPrefix(path+"."+k.Name, ".")
		d.at[at] = place{k.Line, k.Column}
		switch f, ok := known[k.Name]; {
		case !ok:
			d.bad(at, "unknown key (known here: %s)", strings.Join(names(known), ", "))
		case seen[k.Name]:
			d.bad(at, "is given twice")
		default:
			d.value(at, k.Value, f)
		}
		seen[k.Name] = true
	}
}

func (d *decoder) list(path string, v Value, to reflect.Value) {
	if v.Kind != List {
		d.bad(path, "want a list")
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(v.Items), len(v.Items)))
	for i, item := range v.Items {
		d.value(fmt.Sprintf("%s[%d]", path, i), item, to.Index(i))
	}
}
