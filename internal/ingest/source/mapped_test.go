package source

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// with is a configuration that works, with other expressions; "" removes one.
func with(expressions ...string) Config {
	c := Config{Name: "desk", Tenant: "acme", Map: map[string]string{
		When: "true", Ticket: "record.ticket", Device: "record.device", Items: "record.items",
	}}
	for i := 0; i < len(expressions); i += 2 {
		if c.Map[expressions[i]] = expressions[i+1]; expressions[i+1] == "" {
			delete(c.Map, expressions[i])
		}
	}
	return c
}

// The structure is checked with and without a language, in the same words.
func TestMappedConfig(t *testing.T) {
	path := func(c Config, meaning, path string) Config {
		c.Fields = map[string]string{meaning: path}
		return c
	}
	for _, c := range []struct {
		config Config
		want   string // "" if it works
	}{
		{with(), ""},
		{with(Items, "", Changes, `[]`), ""},
		{path(with(Ticket, ""), Ticket, "number"), ""},
		{path(with(When, ""), Approval, "state"), ""},

		// what must be there, and may be there once
		{Config{Name: "desk", Tenant: "acme"}, `map.ticket: is needed: an expression such as record.ticket, or a path under fields`},
		{with(Device, ""), `map.device: is needed`},
		{with(When, ""), `map.when: want either this, such as record.status == "approved"`},
		{path(with(), Approval, "state"), `map.when: want either this`},
		{with(Items, ""), `map.items: want either this, or map.changes`},
		{with(Changes, "[]"), `map.items: want either this, or map.changes`},
		{with(Items, "", Changes, "[]", Intent, `"remove"`), `map.changes: has the intent and the type`},
		{path(with(), Ticket, "number"), `map.ticket: is under fields too; give one of them`},
		{path(with(), "devise", "number"), `fields.devise: is not a meaning`},
		{with("devise", "1"), `map.devise: is not a meaning; want one of each, when, ticket`},
		{with(Approval, "true"), `map.approval: is called when`},
		{with(ID, " "), `map.id: is empty`},
		{Config{Name: "desk", Tenant: "acme", Map: with().Map, Approved: []string{"yes"}}, `approved: is for a path in fields.approval`},
		{Config{Name: "desk", Map: with().Map}, `tenants: want exactly one`},
		{path(with(Items, ""), Items, "a..b"), `fields.items: the path "a..b" has a dot`},
		{path(with(Device, ""), Device, "=laptop"), `fields.device: the fixed text "laptop" cannot be`},
	} {
		for _, l := range []Language{language, nil} {
			_, err := mappedIn(l, c.config)
			if err == nil && c.want != "" || err != nil && (c.want == "" || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("%v, %v, with a language %t: got %v, want %s", c.config.Fields, c.config.Map, l != nil, err, c.want)
			}
		}
	}
}

// A program that runs no expressions says nothing about them, and decodes nothing.
func TestWithoutLanguage(t *testing.T) {
	body := []byte(`{"ticket":"T1","device":"6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11","items":["a"],"ok":"approved"}`)
	paths := Config{Name: "desk", Tenant: "acme", Fields: map[string]string{Approval: "ok", Ticket: "ticket", Device: "device", Items: "items"}}
	for name, c := range map[string]Config{
		"good": with(), "never approved": with(When, "false"), "misspelt": with(When, "recrd."), "another type": with(Each, "1"), "only paths": paths,
	} {
		d, err := mappedIn(nil, c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !d.Accepts("application/json") || d.Accepts("application/xml") {
			t.Errorf("%s: accepts other bodies than with a language", name)
		}
		for _, body := range [][]byte{body, []byte("{}"), []byte("<xml>"), nil} {
			got, err := d.Decode(Delivery{Body: body, CoversID: true})
			if !errors.Is(err, errNoLanguage) || len(got.Events) > 0 || got.Ticket != "" {
				t.Errorf("%s, %s: got %v, %v", name, body, got, err)
			}
		}
	}
}

func TestRegisterTwice(t *testing.T) {
	before := language
	defer func() {
		if recover() == nil || language != before {
			t.Error("a second language is registered")
		}
	}()
	Register(language)
}

func TestMappedAccepts(t *testing.T) {
	d, err := New("mapped", with())
	if err != nil {
		t.Fatal(err)
	}
	for media, want := range map[string]bool{
		"application/json": true, "application/cloudevents+json": true, "application/cloudevents-batch+json": true, "text/plain": true,
		"application/xml": false, "text/html": false, "application/x-www-form-urlencoded": false, "": false,
	} {
		if got := d.Accepts(media); got != want {
			t.Errorf("accepts %q: %v", media, got)
		}
	}
}

// A list of 1000 records is looked at, and one more is not.
func TestMappedSizes(t *testing.T) {
	d, err := New("mapped", with(Each, "body.l", When, "false"))
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"l":[` + strings.Repeat("1,", MaxRecords-1) + `1]}`: "ignoring a request: the record is not approved: when is false",
		`{"l":[` + strings.Repeat("1,", MaxRecords) + `1]}`:   "map.each: gives a list of 1001; at most 1000 are taken",
		`{"l":[]}`: "ignoring a request: there is no record in the body",
	} {
		if _, err := d.Decode(Delivery{Body: []byte(body)}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// One decoder serves many requests at once.
func TestMappedAtOnce(t *testing.T) {
	d, err := New("mapped", with(Items, `record.items.map(i, i.lowerAscii()).filter(i, i.matches("^[a-z]+$"))`))
	if err != nil {
		t.Fatal(err)
	}
	v := Delivery{Body: []byte(`{"ticket":"T1","device":"6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11","items":["A","b","1"]}`), Now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	want, err := d.Decode(v)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if got, err := d.Decode(v); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	all.Wait()
}
