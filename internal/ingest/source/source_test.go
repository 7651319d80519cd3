package source

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"changerelay/internal/events"
)

var update = flag.Bool("update", false, "write what decoders return into testdata/cases")

// A case is a txtar file: a config and a request, and then the events, or why
// there are none.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			decoder, now := configure(t, string(a.Files[0].Data))
			list, err := decoder.Decode(Delivery{Body: a.Files[1].Data, Now: now})
			got := result(t, list, err)
			if *update {
				a.Files = append(a.Files[:2], got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := a.Files[2]; got.Name != want.Name || !bytes.Equal(got.Data, want.Data) {
				t.Errorf("got %s:\n%s\nwant %s:\n%s", got.Name, got.Data, want.Name, want.Data)
			}
		})
	}
}

// configure reads lines of a word and its value.
func configure(t *testing.T, text string) (d Decoder, now time.Time) {
	t.Helper()
	words := map[string]string{}
	for line := range strings.Lines(text) {
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		words[word] = value
	}
	c := Config{Name: words["name"], Tenant: words["tenant"]}
	for pair := range strings.SplitSeq(words["fields"], ",") {
		if field, column, ok := strings.Cut(pair, "="); ok {
			reflect.ValueOf(&c.Fields).Elem().FieldByName(field).SetString(column)
		}
	}
	now, err := time.Parse(time.RFC3339, words["now"])
	if err != nil {
		t.Fatal(err)
	}
	if d, err = New(words["kind"], c); err != nil {
		t.Fatal(err)
	}
	return d, now
}

// result is what a decoder returned, as a file of a case.
func result(t *testing.T, list []events.Event, err error) txtar.File {
	t.Helper()
	var ignored *Ignored
	var invalid *events.InvalidError
	switch {
	case errors.As(err, &ignored):
		return txtar.File{Name: "ignored", Data: []byte(ignored.Reason + "\n")}
	case errors.As(err, &invalid):
		return txtar.File{Name: "invalid", Data: fmt.Appendf(nil, "%s\n%s\n", invalid.Field, invalid.Reason)}
	case err != nil:
		t.Fatalf("error of an unknown kind: %v", err)
	}
	var b bytes.Buffer
	for _, e := range list {
		fmt.Fprintf(&b, "%s\n", e.Encode())
	}
	return txtar.File{Name: "events", Data: b.Bytes()}
}

func TestNew(t *testing.T) {
	for want, c := range map[string]struct {
		kind   string
		config Config
	}{
		`kind: "jira" is unknown; want one of cloudevents, servicenow`: {"jira", Config{}},
		`tenants: a servicenow source needs exactly one`:               {"servicenow", Config{Name: "snow"}},
		`fields: column "number" is given two meanings`:                {"servicenow", Config{Tenant: "acme", Fields: Fields{SysID: "number"}}},
	} {
		if _, err := New(c.kind, c.config); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestAccepts(t *testing.T) {
	for _, c := range []struct {
		kind, media string
		want        bool
	}{
		{"cloudevents", "application/cloudevents+json", true},
		{"cloudevents", "application/json", true},
		{"cloudevents", "application/cloudevents-batch+json", false},
		{"servicenow", "application/json", true},
		{"servicenow", "application/cloudevents+json", false},
		{"servicenow", "text/plain", false},
	} {
		d, err := New(c.kind, Config{Name: "x", Tenant: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Accepts(c.media); got != c.want {
			t.Errorf("%s accepts %s: %v", c.kind, c.media, got)
		}
	}
}
