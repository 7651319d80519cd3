package boot

import (
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// scalar decodes a single value, if v is one.
func (d *decoder) scalar(path string, n ast.Node, v reflect.Value, option string) bool {
	switch v.Interface().(type) {
	case time.Duration:
		d.duration(path, n, v)
		return true
	case time.Time:
		d.time(path, n, v)
		return true
	case netip.Prefix:
		d.prefix(path, n, v)
		return true
	}
	switch v.Kind() {
	case reflect.String:
		d.text(path, n, v, option)
	case reflect.Int:
		d.number(path, n, v)
	case reflect.Float64:
		d.fraction(path, n, v)
	case reflect.Bool:
		d.truth(path, n, v)
	default:
		return false
	}
	return true
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

// fraction takes numbers without infinity and NaN.
func (d *decoder) fraction(path string, n ast.Node, v reflect.Value) {
	f, err := strconv.ParseFloat(n.GetToken().Value, 64)
	if n.Type() != ast.IntegerType && n.Type() != ast.FloatType || err != nil {
		d.bad(path, "want a number")
		return
	}
	v.SetFloat(f)
}

// truth takes true and false: the yes and on of older YAML are text here, and
// would be an error of nobody's.
func (d *decoder) truth(path string, n ast.Node, v reflect.Value) {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		d.bad(path, "want true or false")
		return
	}
	v.SetBool(b.Value)
}

func (d *decoder) time(path string, n ast.Node, v reflect.Value) {
	t, err := time.Parse(time.RFC3339, n.GetToken().Value)
	if n.Type() != ast.StringType || err != nil {
		d.bad(path, "want a time with its zone, such as 2026-12-01T00:00:00Z (RFC 3339)")
		return
	}
	v.Set(reflect.ValueOf(t))
}

// prefix takes a range of addresses, or one address. Bits behind the range's
// length are a slip: which range was meant cannot be known.
func (d *decoder) prefix(path string, n ast.Node, v reflect.Value) {
	text := n.GetToken().Value
	p, err := netip.ParsePrefix(text)
	if a, e := netip.ParseAddr(text); e == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	switch {
	case n.Type() != ast.StringType || err != nil || p.Addr().Is4In6():
		d.bad(path, "want an address range such as 203.0.113.0/24 or 2001:db8::/32, or an address")
	case p != p.Masked():
		d.bad(path, "has bits set behind its length; want %s, or an address", p.Masked())
	default:
		v.Set(reflect.ValueOf(p))
	}
}
