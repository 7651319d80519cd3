package control

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

func (d *decoder) scalar(path string, v Value, to reflect.Value) {
	var err error
	switch to.Kind() {
	case reflect.String:
		if to.SetString(v.Text); v.Kind != Text {
			d.bad(path, "want text; put the value in quotes")
		}
		return
	case reflect.Bool:
		if to.SetBool(v.Text == "true"); v.Kind != Bool {
			d.bad(path, "want true or false")
		}
		return
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(v.Text, 64)
		to.SetFloat(f)
	case reflect.Uint64:
		var n uint64
		n, err = strconv.ParseUint(v.Text, 10, 64)
		to.SetUint(n)
	default:
		var n int64
		n, err = strconv.ParseInt(v.Text, 10, to.Type().Bits())
		to.SetInt(n)
	}
	if v.Kind != Number || err != nil {
		d.bad(path, "want a number")
	}
}

// header takes text or a list of texts for each name.
func (d *decoder) header(path string, v Value, to *http.Header) {
	if v.Kind != Map {
		d.bad(path, "want names with values")
		return
	}
	*to = http.Header{}
	for _, k := range v.Keys {
		values := k.Value.Items
		if k.Value.Kind != List {
			values = []Value{k.Value}
		}
		for _, one := range values {
			if one.Kind != Text || strings.ContainsAny(one.Text+k.Name, "\r\n") {
				d.bad(path, "want text for every header; put the value in quotes")
				return
			}
			to.Add(k.Name, one.Text)
		}
	}
}
