package expression

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
)

// FuzzExpressions compiles any text as the expression of a meaning, and runs it if
// that works. FuzzMapped, beside the kind, gives any body to expressions.
func FuzzExpressions(f *testing.F) {
	seeds(f)
	f.Add(1, `body.list.all(a, body.list.exists_one(b, cel.bind(c, a + b, c > 1u)))`)
	f.Add(2, `record.?a.optMap(x, x + "b").or(optional.of(b"\x00" == bytes("a") ? "x" : r'y')).value()`)
	f.Add(7, `["a", ?record.?b].map(x, x != "", x.upperAscii())`)
	v := source.Delivery{
		Body: []byte(`{"ticket":"T1","device":"6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11","items":["a"],"a":"x,y","n":9,"f":1.5,"list":[1,2,3,"a",null,[1],{"a":1}],"o":{"b":1,"a":2}}`),
		Now:  time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC),
	}
	f.Fuzz(func(t *testing.T, i int, text string) {
		meaning := source.MapMeanings[uint(i)%uint(len(source.MapMeanings))]
		c := with(meaning, text)
		if meaning == source.Changes {
			delete(c.Map, source.Items)
		}
		d, err := source.New("mapped", c)
		if err != nil {
			return
		}
		got, err := d.Decode(v)
		if err != nil && !errors.As(err, new(*source.Ignored)) && !errors.As(err, new(*events.InvalidError)) {
			t.Fatalf("error of an unknown kind: %v", err)
		}
		for _, e := range got.Events {
			checkEvent(t, e, v.Now, c)
		}
	})
}

// seeds are the expressions of the kind's cases.
func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("../source/testdata/cases/mapped-*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatal("no cases", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			meaning, text, _ := strings.Cut(rest, " ")
			for i, m := range source.MapMeanings {
				if word == "map" && m == meaning {
					f.Add(i, text)
				}
			}
		}
	}
}

// checkEvent checks what holds for every event of a source.
func checkEvent(t *testing.T, e events.Event, now time.Time, c source.Config) {
	t.Helper()
	parsed, err := events.Parse(e.Encode(), now)
	if err != nil || !reflect.DeepEqual(parsed, e) {
		t.Fatalf("%+v is %+v after a round trip, %v", e, parsed, err)
	}
	if !strings.HasSuffix(e.Source, "/"+c.Name) || c.Map[source.Tenant] == "" && e.Tenant != c.Tenant {
		t.Fatalf("%+v is not of its source", e)
	}
}
