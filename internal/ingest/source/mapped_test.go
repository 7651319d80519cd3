package source

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"changerelay/internal/events"
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
		{with(When, `"approved" in record.states`), ""},
		{with(Items, `"a,b"`, Version, `delivery.id`), ""},
		{with(Items, "", Changes, `[{"intent": "remove", "id": "a"}]`), ""},
		{with(Items, "", Changes, `[]`), ""},
		{with(Time, `record.at == 0 ? optional.none() : optional.of(timestamp(record.at))`), ""},
		{with(ID, "null"), ""},
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

		// what CEL finds
		{with(Ticket, "record.ticket +"), `map.ticket: line 1, column 16: Syntax error: mismatched input '<EOF>'`},
		{with(Ticket, "recrd.ticket"), `map.ticket: line 1, column 1: undeclared reference to 'recrd' (did you mean 'record'?); there are body, record`},
		{with(Ticket, "\"a\" +\n  1"), `map.ticket: line 1, column 5: found no matching overload for '_+_' applied to '(string, int)'; convert with string()`},
		{with(Ticket, "delivery.header"), `map.ticket: line 1, column 9: undeclared reference to 'delivery.header'`},
		{with(When, `record.a.matches("(")`), `map.when: line 1, column 18: invalid matches argument`},
		{with(When, `record.a.matches("(a{100}){10}")`), `map.when: line 1, column`},
		{with(Time, `timestamp("soon")`), `map.time: line 1, column 11: invalid timestamp argument`},
		{with(When, strings.Repeat("!", 5000)+"true"), `map.when: line`},
		{with(When, strings.Repeat("(", 2000)+"true"+strings.Repeat(")", 2000)), `map.when: line`},
		{with(When, strings.Repeat("[1].all(x, ", 60)+"true"+strings.Repeat(")", 60)), ""},

		// what each meaning may give
		{with(When, `"true"`), `map.when: gives string; want true or false`},
		{with(When, `optional.of(true)`), `map.when: gives optional_type(bool); want true or false`},
		{with(Each, `"a"`), `map.each: gives string; want a list: the records`},
		{with(Ticket, `record.a == 1`), `map.ticket: gives bool; want text or a number; convert it with string()`},
		{with(Ticket, `[record.a]`), `map.ticket: gives list(dyn); want text or a number`},
		{with(Ticket, `timestamp(1)`), `map.ticket: gives timestamp`},
		{with(Time, `1.5`), ""},
		{with(Time, `[1]`), `map.time: gives list(int); want a timestamp`},
		{with(Items, `{"a": 1}`), `map.items: gives map(string, int); want a list of ids`},
		{with(Items, "", Changes, `"a"`), `map.changes: gives string; want a list of {"intent"`},

		// what must not be looked at
		{with(Each, `[record]`), `map.each: there is no record yet; take the records out of body`},
		{with(Time, `delivery.received`), `map.time: must not look at delivery.received, which is new each time`},
		{with(Version, `string(delivery.received)`), `map.version: must not look at delivery.received`},
		{with(Ticket, `string(delivery.received)`), `map.ticket: must not look at delivery.received`},
		{with(When, `timestamp(record.until) > delivery.received`), ""},

		// functions that need the machine's files, or have no bound
		{with(When, `delivery.received.getHours("Europe/Berlin") > 8`), `map.when: line 1, column 27: undeclared reference to 'getHours'`},
		{with(Ticket, `"%s".format([record.a])`), `map.ticket: line 1, column 12: undeclared reference to 'format'`},
		{with(When, `record.a.indexOf("b") == 0`), `map.when: line 1, column 17: undeclared reference to 'indexOf'`},
		{with(Each, `lists.range(10)`), `map.each: line 1`},
		{with(Ticket, `json.encode(record)`), `map.ticket: line 1`},
	} {
		_, err := New("mapped", c.config)
		if err == nil && c.want != "" || err != nil && (c.want == "" || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%v, %v: got %v, want %s", c.config.Fields, c.config.Map, err, c.want)
		}
	}
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

// The clock ends what costs little and takes long; here it has run out before.
func TestMappedTime(t *testing.T) {
	x, err := compileExpression(When, `[1, 2, 3].all(a, [1, 2, 3].all(b, a > 0 && b > 0)) || true`)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = (&evaluation{ctx: ctx, vars: map[string]any{}}).run(x)
	var bad *events.InvalidError
	if !errors.As(err, &bad) || bad.Field != "map.when" || !strings.Contains(bad.Reason, "too many steps") {
		t.Errorf("got %v", err)
	}
}

// Many cheap records are dear together.
func TestMappedDeliveryCost(t *testing.T) {
	c := with(Each, "body", When, `record.all(a, record.all(b, a == b)) && false`)
	d, err := New("mapped", c)
	if err != nil {
		t.Fatal(err)
	}
	record := "[" + strings.Repeat("1,", 99) + "1]"
	_, err = d.Decode(Delivery{Body: []byte("[" + strings.Repeat(record+",", 99) + record + "]")})
	var bad *events.InvalidError
	if !errors.As(err, &bad) || !strings.HasSuffix(bad.Field, "map.when") || !strings.Contains(bad.Reason, "together") {
		t.Errorf("got %v", err)
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

// Every answer that is not an event keeps what the sender wrote to itself.
func TestMappedSecrets(t *testing.T) {
	const secret = "hunter2-topsecret"
	body := `{"ticket":"T1","device":"d","items":["a"],"secret":"` + secret + `","list":[1]}`
	for _, when := range []string{
		`record[record.secret]`, `record.list[record.secret]`, `int(record.secret) > 0`, `uint(record.secret) > 0u`, `double(record.secret) > 0.0`,
		`bool(record.secret)`, `timestamp(record.secret) > timestamp(0)`, `duration(record.secret) > duration("1s")`, `record.secret`,
		`record.secret > 1`, `record.secret.matches(record.secret + "(")`, `json(record.secret)`, `json("[" + record.secret + "]")`,
		`base64.decode(record.secret) == b""`, `record.secret.substring(99) == ""`, `{record.secret: true}.x`, `record.secret.x`,
		`[record.secret].join(record) == ""`, `record.secret.split("").map(x, int(x)) == []`,
	} {
		d, err := New("mapped", with(When, when))
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		_, err = d.Decode(Delivery{Body: []byte(body)})
		var bad *events.InvalidError
		if !errors.As(err, &bad) || bad.Field != "map.when" || strings.Contains(bad.Reason, "hunter2") {
			t.Errorf("%s: got %v", when, err)
		}
	}
}
