package boot

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

const manual = "../../../docs/configuration.md"

// A row explains a key in one of the manual's tables.
type row struct{ value, meaning string }

var rowPattern = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| (?:`([^`]*)` )?\\| (.+) \\|$")

// documented is every key in the manual's tables.
func documented(t *testing.T) map[string]row {
	t.Helper()
	b, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	for _, m := range rowPattern.FindAllStringSubmatch(string(b), -1) {
		if _, twice := rows[m[1]]; twice {
			t.Errorf("%s explains %s twice", manual, m[1])
		}
		rows[m[1]] = row{m[2], m[3]}
	}
	return rows
}

// known walks the types as the decoder does, for every key and its default.
// Entries of a map are <name>, those of a list []; what every secret has is
// explained once, under *.
func known(path string, v reflect.Value, out map[string]string) {
	if x, ok := v.Addr().Interface().(defaulter); ok {
		x.setDefaults()
	}
	t := v.Type()
	switch {
	case path != "*" && (t == reflect.TypeFor[Secret]() || t == reflect.TypeFor[Key]()):
		out[path] = ""
	case t == reflect.TypeFor[time.Time]():
		out[path] = ""
	case t.Kind() == reflect.Struct:
		for _, f := range reflect.VisibleFields(t) {
			if key, _ := field(f); key != "" && !ofSecret(t, f) {
				known(strings.TrimPrefix(path+"."+key, "."), v.FieldByIndex(f.Index), out)
			}
		}
	case t.Kind() == reflect.Pointer:
		out[path] = ""
		known(path, reflect.New(t.Elem()).Elem(), out)
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct:
		known(path+".<name>", reflect.New(t.Elem()).Elem(), out)
	case t.Kind() == reflect.Slice && t.Elem() == reflect.TypeFor[HTTPKey]():
		out[path] = ""
		known(path+"[]", reflect.New(t.Elem()).Elem(), out)
	case t.Kind() == reflect.Map, t.Kind() == reflect.Slice:
		out[path] = ""
	default:
		out[path] = written(v)
	}
}

// ofSecret reports whether a field is a secret's, and t is something with more.
func ofSecret(t reflect.Type, f reflect.StructField) bool {
	_, ok := reflect.TypeFor[Key]().FieldByName(f.Name)
	return ok && len(f.Index) > 1 && t != reflect.TypeFor[Key]()
}

// written is a default as a person writes it.
func written(v reflect.Value) string {
	if d, ok := v.Interface().(time.Duration); ok {
		s := strings.TrimSuffix(d.String(), "0s")
		if s == "" || strings.HasSuffix(s, "m") || strings.HasSuffix(s, "h") {
			return strings.TrimSuffix(s, "0m")
		}
		return d.String()
	}
	return fmt.Sprint(v.Interface())
}

func TestManualHasEveryKey(t *testing.T) {
	got, want := documented(t), map[string]string{}
	c := defaults()
	known("", reflect.ValueOf(&c).Elem(), want)
	known("*", reflect.ValueOf(&Key{}).Elem(), want)
	for key, value := range want {
		if r, ok := got[key]; !ok {
			t.Errorf("%s has no row for %s", manual, key)
		} else if r.value != value {
			t.Errorf("%s: the default of %s is %q, the manual says %q", manual, key, value, r.value)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s explains %s, which does not exist", manual, key)
		}
	}
}
