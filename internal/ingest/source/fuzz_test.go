package source

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"changerelay/internal/events"
)

// FuzzServiceNow gives the decoder a stranger's body. It returns events that
// survive their own parser, or an error of a known kind, and the same each time.
func FuzzServiceNow(f *testing.F) {
	files, err := filepath.Glob("testdata/cases/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[1].Data)
	}
	decoder, err := New("servicenow", Config{Name: "acme-prod", Tenant: "acme"})
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 15, 43, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := decoder.Decode(Delivery{Body: bytes.Clone(body), Now: now})
		again, errAgain := decoder.Decode(Delivery{Body: body, Now: now})
		if !reflect.DeepEqual(list, again) || !reflect.DeepEqual(err, errAgain) {
			t.Fatalf("got %v, %v and then %v, %v", list, err, again, errAgain)
		}
		if err != nil {
			if !errors.As(err, new(*Ignored)) && !errors.As(err, new(*events.InvalidError)) {
				t.Fatalf("error of an unknown kind: %v", err)
			}
			return
		}
		for _, e := range list {
			parsed, err := events.Parse(e.Encode(), now)
			if err != nil || !reflect.DeepEqual(parsed, e) {
				t.Fatalf("%+v is %+v after a round trip, %v", e, parsed, err)
			}
			if e.Tenant != "acme" || e.Source != "/servicenow/acme-prod" || !strings.Contains(e.ID, "-") {
				t.Fatalf("%+v is not of its source", e)
			}
		}
	})
}
