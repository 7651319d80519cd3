package source

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"changerelay/internal/events"
)

var update = flag.Bool("update", false, "write what decoders return into testdata/cases")

// A testCase is a txtar file: a config and a request, and then the events, or
// why there are none.
type testCase struct {
	file     string
	archive  *txtar.Archive
	kind     string
	config   Config
	decoder  Decoder
	delivery Delivery
}

// cases reads them all.
func cases(t testing.TB) (all []testCase) {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil || len(a.Files) != 3 {
			t.Fatalf("%s: want a config, a request and a result; %v", file, err)
		}
		c := testCase{file: file, archive: a}
		if err := c.configure(string(a.Files[0].Data)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		c.delivery.Body = a.Files[1].Data
		all = append(all, c)
	}
	return all
}

func TestCases(t *testing.T) {
	for _, c := range cases(t) {
		t.Run(strings.TrimSuffix(filepath.Base(c.file), ".txtar"), func(t *testing.T) {
			decoded, err := c.decoder.Decode(c.delivery)
			got, want := result(t, decoded, err), c.archive.Files[2]
			if *update {
				c.archive.Files[2] = got
				if err := os.WriteFile(c.file, txtar.Format(c.archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got.Name != want.Name || !bytes.Equal(got.Data, want.Data) {
				t.Errorf("got %s:\n%s\nwant %s:\n%s", got.Name, got.Data, want.Name, want.Data)
			}
		})
	}
}

// A ticket system without a case of each answer is not finished.
func TestEveryKindHasCases(t *testing.T) {
	have := map[string]bool{}
	for _, c := range cases(t) {
		have[c.kind+" "+c.archive.Files[2].Name] = true
	}
	for _, kind := range Kinds() {
		for _, answer := range []string{"events", "ignored", "invalid"} {
			if !have[kind+" "+answer] {
				t.Errorf("kind %s has no case whose answer is %s", kind, answer)
			}
		}
	}
}

// configure reads lines of a word and its value. A field, a map or a header is a
// name and its value again; approved is a list with commas.
func (c *testCase) configure(text string) error {
	words := map[string]string{}
	c.config = Config{Fields: map[string]string{}}
	v := Delivery{Header: http.Header{}}
	for line := range strings.Lines(text) {
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, rest, _ := strings.Cut(value, " ")
		switch word {
		case "field":
			c.config.Fields[name] = rest
		case "map":
			if c.config.Map == nil {
				c.config.Map = map[string]string{}
			}
			c.config.Map[name] = rest
		case "header":
			v.Header.Add(name, rest)
		case "approved":
			c.config.Approved = strings.Split(value, ", ")
		default:
			words[word] = value
		}
	}
	c.kind, c.config.Name, c.config.Tenant, v.ID = words["kind"], words["name"], words["tenant"], words["delivery"]
	v.CoversID = words["covers"] == "all"
	v.Covers = func(string) bool { return v.CoversID }
	var err error
	if v.Now, err = time.Parse(time.RFC3339, words["now"]); err != nil {
		return err
	}
	c.delivery = v
	c.decoder, err = New(c.kind, c.config)
	return err
}

// result is what a decoder returned, as a file of a case.
func result(t *testing.T, decoded Decoded, err error) txtar.File {
	t.Helper()
	var ignored *Ignored
	var invalid *events.InvalidError
	switch {
	case errors.As(err, &ignored):
		return txtar.File{Name: "ignored", Data: []byte(ignored.Reason + "\n")}
	case errors.As(err, &invalid):
		data := fmt.Appendf(nil, "%s\n%s\n", invalid.Field, invalid.Reason)
		if decoded.Ticket != "" {
			data = fmt.Appendf(data, "of ticket %s\n", decoded.Ticket)
		}
		return txtar.File{Name: "invalid", Data: data}
	case err != nil:
		t.Fatalf("error of an unknown kind: %v", err)
	}
	var b bytes.Buffer
	for _, e := range decoded.Events {
		fmt.Fprintf(&b, "%s\n", e.Encode())
	}
	return txtar.File{Name: "events", Data: b.Bytes()}
}

func TestNew(t *testing.T) {
	jira := func(field, path string) Config {
		fields := map[string]string{Device: "issue.fields.a", Items: "issue.fields.b", Intent: "=remove"}
		if fields[field] = path; path == "" {
			delete(fields, field)
		}
		return Config{Name: "x", Tenant: "acme", Fields: fields}
	}
	fixed := func(meaning, path string) Config {
		c := Config{Name: "x", Tenant: "acme", Fields: map[string]string{Ticket: "t", Approval: "a", Device: "d", Items: "i"}}
		c.Fields[meaning] = path
		return c
	}
	for want, c := range map[string]struct {
		kind   string
		config Config
	}{
		`kind: "remedy" is unknown; want one of`:       {"remedy", Config{}},
		`tenants: want exactly one, or fields.tenant`:  {"servicenow", Config{Name: "snow"}},
		`fields.sys_id: is not a meaning; want one of`: {"servicenow", Config{Tenant: "acme", Fields: map[string]string{"sys_id": "number"}}},
		`fields.device: the path "" is empty`:          {"servicenow", Config{Tenant: "acme", Fields: map[string]string{Device: ""}}},
		`fields.device: the path "a..b" has a dot`:     {"servicenow", Config{Tenant: "acme", Fields: map[string]string{Device: "a..b"}}},
		`approved: want one word or several`:           {"zendesk", Config{Tenant: "acme", Approved: []string{"solved", " "}}},
		`approved: want one word or several, and`:      {"zendesk", Config{Tenant: "acme", Approved: []string{}}},
		`map: is for kind mapped only`:                 {"zendesk", Config{Tenant: "acme", Map: map[string]string{}}},
		`fields.device: is needed: it is another`:      {"jira", Config{Tenant: "acme"}},
		`fields.items: is needed: it is another`:       {"jira", jira(Items, "")},
		`fields.intent: is needed: it is another`:      {"jsm", jira(Intent, "")},
		`fields.approval: is not for kind jira`:        {"jira", jira(Approval, "issue.fields.status.name")},

		// what no record can have
		`fields.intent: the fixed text "uninstall" cannot be: want remove or restore`: {"servicenow", fixed(Intent, "=uninstall")},
		`fields.intent: the fixed text "wipe" cannot be: want remove`:                 {"servicenow", fixed(Intent, "u_action | =wipe")},
		`fields.device: the fixed text "laptop" cannot be: "laptop" is not a UUID`:    {"mapped", fixed(Device, "=laptop")},
		`fields.device: the fixed text "undefined" cannot be: has a word`:             {"halo", fixed(Device, "=undefined")},
		`fields.items: the fixed text "a b" cannot be: id 1 has a space`:              {"zammad", fixed(Items, "=a b")},
		`fields.item_type: the fixed text "app" cannot be: "app" is not an item type`: {"zendesk", fixed(ItemType, "=app")},
		`fields.tenant: the fixed text "a.b" cannot be: "a.b" is not a tenant`:        {"opsgenie", fixed(Tenant, "=a.b")},
		`fields.time: the fixed text "2026-11-23T10:00:00Z" would date all`:           {"servicenow", fixed(Time, "=2026-11-23T10:00:00Z")},
		`fields.approval: the fixed text "yes" is none of the words under approved`:   {"zendesk", fixed(Approval, "=yes")},

		// what would find anything or nothing
		`fields.device: event.current is of whichever field changed`: {"zendesk", fixed(Device, "device_id | event.current")},
		`fields.items: the path "/result/u_apps" is a JSON pointer`:  {"servicenow", fixed(Items, "/result/u_apps")},
	} {
		if _, err := New(c.kind, c.config); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What a fixed text may be.
func TestFixed(t *testing.T) {
	for meaning, path := range map[string]string{
		Intent: "=Restore", Device: "=6F4C1F0E-6A0C-4B0F-9A1C-2F6F6F2D7A11", Items: "=a, b;c", ItemType: "=DEVICECONFIGURATION",
		Tenant: "=Acme", Ticket: "=T", ID: "=1", Version: "=1", Approval: "approval | =no",
	} {
		if _, err := New("servicenow", Config{Name: "x", Tenant: "acme", Fields: map[string]string{meaning: path}}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A sender whose media type is not taken is told what to do, whatever its kind.
func TestWantMedia(t *testing.T) {
	for _, kind := range Kinds() {
		if got := WantMedia(kind); !strings.HasPrefix(got, "want ") {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

func TestAccepts(t *testing.T) {
	paths := map[string]string{Device: "a", Items: "b", Intent: "c"}
	for _, c := range []struct {
		kind, media string
		want        bool
	}{
		{"cloudevents", "application/cloudevents+json", true},
		{"cloudevents", "application/cloudevents-batch+json", true},
		{"cloudevents", "application/json", true},
		{"servicenow", "application/json", true},
		{"servicenow", "application/cloudevents+json", false},
		{"servicenow", "text/json", true},
		{"servicenow", "text/plain", false},
		{"jira", "application/json", true},
		{"jsm", "application/json", true},
		{"jsm", "application/cloudevents+json", true},
		{"zendesk", "application/json", true},
		{"zendesk", "application/x-www-form-urlencoded", false},
	} {
		d, err := New(c.kind, Config{Name: "x", Tenant: "acme", Fields: paths})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Accepts(c.media); got != c.want {
			t.Errorf("%s accepts %s: %v", c.kind, c.media, got)
		}
	}
}
