package expression

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
)

// with is a configuration that works, with other expressions; "" removes one.
func with(expressions ...string) source.Config {
	c := source.Config{Name: "desk", Tenant: "acme", Map: map[string]string{
		source.When: "true", source.Ticket: "record.ticket", source.Device: "record.device", source.Items: "record.items",
	}}
	for i := 0; i < len(expressions); i += 2 {
		if c.Map[expressions[i]] = expressions[i+1]; expressions[i+1] == "" {
			delete(c.Map, expressions[i])
		}
	}
	return c
}

// What expressions give, as source wants it.
func TestEval(t *testing.T) {
	doc, err := events.JSON([]byte(`{"n":9007199254740993,"big":18446744073709551615,"f":1.5,"long":0.1234567890123456789,"s":" a ","no":null,
		"l":[{"b":1},"x",null],"o":{"b":1,"a":2},"at":1795429371,"ms":1795429371123}`), "body", source.MaxDepth)
	if err != nil {
		t.Fatal(err)
	}
	list := doc.(map[string]any)["l"].([]any)
	received := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		meaning, text string
		want          any // an error's text, if it begins with map.
	}{
		{source.When, `record.f > 1.0 && source == "desk" && delivery.received == timestamp("2026-11-23T11:00:00Z")`, true},
		{source.When, `headers["x-a"] != "b"`, false},
		{source.When, `record.no`, "map.when: gives null; want true or false"},
		{source.When, `body.s`, "map.when: gives string; want true or false"},
		{source.Ticket, `record.n`, "9007199254740993"},
		{source.Ticket, `record.big`, "18446744073709551615"},
		{source.Ticket, `record.f`, "1.5"},
		{source.Ticket, `record.long`, "0.1234567890123456789"},
		{source.Ticket, `record.s`, " a "},
		{source.Ticket, `record.no`, nil},
		{source.Ticket, `record.?gone`, nil},
		{source.Ticket, `delivery.id`, "d1"},
		{source.Ticket, `record.o`, "map.ticket: gives map; want text or a number; convert it with string()"},
		{source.Ticket, `record.gone`, "map.ticket: line 1, column 7: there is no \"gone\"; if it may be missing,"},
		{source.Ticket, `record.n / 0`, "map.ticket: line 1, column 10: division by zero"},
		{source.Time, `record.at`, "2026-11-23T10:22:51Z"},
		{source.Time, `record.ms`, "2026-11-23T10:22:51.123Z"},
		{source.Time, `timestamp("2026-11-23T12:22:51+02:00")`, "2026-11-23T10:22:51Z"},
		{source.Items, `record.o.map(k, k)`, []any{"a", "b"}},
		{source.Items, `"a,b"`, "a,b"},
		{source.Items, `[]`, []any{}},
		{source.Items, `record.l`, "map.items[0]: want an item's id, as text"},
		{source.Each, `body.l.filter(e, e != null)`, []any{list[0], nil}},
		{source.Each, `[{"a": 1}]`, []any{nil}}, // which no path leads into
		{source.Each, `json("[{\"a\": \"b\"}]")`, []any{map[string]any{"a": "b"}}},
		{source.Each, `body.no`, "map.each: gives null; want a list: the records"},
		{source.Changes, `[]`, []events.Change{}},
		{source.Changes, `[{"intent": " Remove ", "id": " a"}, {"intent": "restore", "id": "b", "type": "deviceconfiguration"}]`, []events.Change{
			{Intent: events.Remove, Item: events.Item{ID: "a", Type: events.Application}},
			{Intent: events.Restore, Item: events.Item{ID: "b", Type: events.DeviceConfiguration}},
		}},
		{source.Changes, `[{"intent": "remove", "id": "a"}, {"intent": "wipe", "id": "b"}, 1]`, "map.changes[1]: want remove or restore as its intent"},
		{source.Changes, `[{"intent": "wipe", "id": "a", "note": "x"}]`, "map.changes[0]: has a member that is not intent, id or type"},
		{source.Changes, `[{"intent": "remove", "id": ["a"]}]`, "map.changes[0]: has no text for its id"},
		{source.Changes, `["a"]`, "map.changes[0]: want {\"intent\": \"remove\""},
	} {
		x, err := compile(c.meaning, c.text)
		if err != nil {
			t.Errorf("%s, %s: %v", c.meaning, c.text, err)
			continue
		}
		v := language{}.Value(doc)
		e := source.Evaluation{Context: t.Context(), Body: v, Record: v, Headers: language{}.Value(map[string]any{"x-a": "b"}), Source: "desk", DeliveryID: "d1", Received: received}
		got, err := x.Eval(&e)
		if want, _ := c.want.(string); strings.HasPrefix(want, "map.") {
			if bad := (*events.InvalidError)(nil); !errors.As(err, &bad) || !strings.HasPrefix(bad.Field+": "+bad.Reason, want) {
				t.Errorf("%s, %s: got %v, %v, want %s", c.meaning, c.text, got, err, want)
			}
			continue
		}
		if records, ok := got.([]source.Value); ok {
			got = docs(records)
		}
		if err != nil || !reflect.DeepEqual(got, c.want) || e.Spent == 0 && strings.Contains(c.text, "record") {
			t.Errorf("%s, %s: got %#v, %v for %d, want %#v", c.meaning, c.text, got, err, e.Spent, c.want)
		}
	}
}

func docs(records []source.Value) (docs []any) {
	for _, r := range records {
		docs = append(docs, r.Doc)
	}
	return docs
}

// The clock ends what costs little and takes long; here it has run out before.
func TestTime(t *testing.T) {
	x, err := compile(source.When, `[1, 2, 3].all(a, [1, 2, 3].all(b, a > 0 && b > 0)) || true`)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = x.Eval(&source.Evaluation{Context: ctx})
	var bad *events.InvalidError
	if !errors.As(err, &bad) || bad.Field != "map.when" || !strings.Contains(bad.Reason, "too many steps") {
		t.Errorf("got %v", err)
	}
}

// Many cheap records are dear together.
func TestDeliveryCost(t *testing.T) {
	c := with(source.Each, "body", source.When, `record.all(a, record.all(b, a == b)) && false`)
	d, err := source.New("mapped", c)
	if err != nil {
		t.Fatal(err)
	}
	record := "[" + strings.Repeat("1,", 99) + "1]"
	_, err = d.Decode(source.Delivery{Body: []byte("[" + strings.Repeat(record+",", 99) + record + "]")})
	var bad *events.InvalidError
	if !errors.As(err, &bad) || !strings.HasSuffix(bad.Field, "map.when") || !strings.Contains(bad.Reason, "together") {
		t.Errorf("got %v", err)
	}
}

// Every answer that is not an event keeps what the sender wrote to itself.
func TestSecrets(t *testing.T) {
	const secret = "hunter2-topsecret"
	body := `{"ticket":"T1","device":"d","items":["a"],"secret":"` + secret + `","list":[1]}`
	for _, when := range []string{
		`record[record.secret]`, `record.list[record.secret]`, `int(record.secret) > 0`, `uint(record.secret) > 0u`, `double(record.secret) > 0.0`,
		`bool(record.secret)`, `timestamp(record.secret) > timestamp(0)`, `duration(record.secret) > duration("1s")`, `record.secret`,
		`record.secret > 1`, `record.secret.matches(record.secret + "(")`, `json(record.secret)`, `json("[" + record.secret + "]")`,
		`base64.decode(record.secret) == b""`, `record.secret.substring(99) == ""`, `{record.secret: true}.x`, `record.secret.x`,
		`[record.secret].join(record) == ""`, `record.secret.split("").map(x, int(x)) == []`,
	} {
		d, err := source.New("mapped", with(source.When, when))
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		_, err = d.Decode(source.Delivery{Body: []byte(body)})
		var bad *events.InvalidError
		if !errors.As(err, &bad) || bad.Field != "map.when" || strings.Contains(bad.Reason, "hunter2") {
			t.Errorf("%s: got %v", when, err)
		}
	}
}
