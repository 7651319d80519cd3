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

var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| (?:`([^`]*)` )?\\|")

// documented is every key in the manual's tables, with its default.
func documented(t *testing.T) map[string]string {
	b, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(b), -1) {
		rows[m[1]] = m[2]
	}
	return rows
}

// known walks the types as the decoder does, for every key and its default.
func known(path string, v reflect.Value, out map[string]string) {
	if x, ok := v.Addr().Interface().(defaulter); ok {
		x.setDefaults()
	}
	if v.Type() == reflect.TypeFor[Secret]() && path != "*" {
		out[path] = ""
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if key, _ := field(v.Type().Field(i)); key != "" {
				known(strings.TrimPrefix(path+"."+key, "."), v.Field(i), out)
			}
		}
	case reflect.Pointer:
		out[path] = ""
		known(path, reflect.New(v.Type().Elem()).Elem(), out)
	case reflect.Map:
		if v.Type().Elem().Kind() == reflect.Struct {
			known(path+".<name>", reflect.New(v.Type().Elem()).Elem(), out)
			return
		}
		out[path] = ""
	case reflect.Slice:
		out[path] = ""
	default:
		out[path] = written(v)
	}
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
	known("*", reflect.ValueOf(&Secret{}).Elem(), want)
	for key, value := range want {
		if d, ok := got[key]; !ok {
			t.Errorf("%s has no row for %s", manual, key)
		} else if d != value {
			t.Errorf("%s: the default of %s is %q, the manual says %q", manual, key, value, d)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s explains %s, which does not exist", manual, key)
		}
	}
}
