package expression

import (
	"strings"
	"testing"

	"changerelay/internal/ingest/source"
)

func TestCompile(t *testing.T) {
	for _, c := range []struct {
		meaning, text string
		want          string // "" if it works
	}{
		{source.When, `"approved" in record.states`, ""},
		{source.Items, `"a,b"`, ""},
		{source.Version, `delivery.id`, ""},
		{source.Changes, `[{"intent": "remove", "id": "a"}]`, ""},
		{source.Changes, `[]`, ""},
		{source.Time, `record.at == 0 ? optional.none() : optional.of(timestamp(record.at))`, ""},
		{source.ID, "null", ""},

		// what CEL finds
		{source.Ticket, "record.ticket +", `map.ticket: line 1, column 16: Syntax error: mismatched input '<EOF>'`},
		{source.Ticket, "recrd.ticket", `map.ticket: line 1, column 1: undeclared reference to 'recrd' (did you mean 'record'?); there are body, record`},
		{source.Ticket, "\"a\" +\n  1", `map.ticket: line 1, column 5: found no matching overload for '_+_' applied to '(string, int)'; convert with string()`},
		{source.Ticket, "delivery.header", `map.ticket: line 1, column 9: undeclared reference to 'delivery.header'`},
		{source.When, `record.a.matches("(")`, `map.when: line 1, column 18: invalid matches argument`},
		{source.When, `record.a.matches("(a{100}){10}")`, `map.when: line 1, column`},
		{source.Time, `timestamp("soon")`, `map.time: line 1, column 11: invalid timestamp argument`},
		{source.When, strings.Repeat("!", 5000) + "true", `map.when: line`},
		{source.When, strings.Repeat("(", 2000) + "true" + strings.Repeat(")", 2000), `map.when: line`},
		{source.When, strings.Repeat("[1].all(x, ", 60) + "true" + strings.Repeat(")", 60), ""},

		// what each meaning may give
		{source.When, `"true"`, `map.when: gives string; want true or false`},
		{source.When, `optional.of(true)`, `map.when: gives optional_type(bool); want true or false`},
		{source.Each, `"a"`, `map.each: gives string; want a list: the records`},
		{source.Ticket, `record.a == 1`, `map.ticket: gives bool; want text or a number; convert it with string()`},
		{source.Ticket, `[record.a]`, `map.ticket: gives list(dyn); want text or a number`},
		{source.Ticket, `timestamp(1)`, `map.ticket: gives timestamp`},
		{source.Time, `1.5`, ""},
		{source.Time, `[1]`, `map.time: gives list(int); want a timestamp`},
		{source.Items, `{"a": 1}`, `map.items: gives map(string, int); want a list of ids`},
		{source.Changes, `"a"`, `map.changes: gives string; want a list of {"intent"`},

		// what must not be looked at
		{source.Each, `[record]`, `map.each: there is no record yet; take the records out of body`},
		{source.Time, `delivery.received`, `map.time: must not look at delivery.received, which is new each time`},
		{source.Version, `string(delivery.received)`, `map.version: must not look at delivery.received`},
		{source.Ticket, `string(delivery.received)`, `map.ticket: must not look at delivery.received`},
		{source.When, `timestamp(record.until) > delivery.received`, ""},

		// functions that need the machine's files, or have no bound
		{source.When, `delivery.received.getHours("Europe/Berlin") > 8`, `map.when: line 1, column 27: undeclared reference to 'getHours'`},
		{source.Ticket, `"%s".format([record.a])`, `map.ticket: line 1, column 12: undeclared reference to 'format'`},
		{source.When, `record.a.indexOf("b") == 0`, `map.when: line 1, column 17: undeclared reference to 'indexOf'`},
		{source.Each, `lists.range(10)`, `map.each: line 1`},
		{source.Ticket, `json.encode(record)`, `map.ticket: line 1`},
	} {
		_, err := language{}.Compile(c.meaning, c.text)
		if err == nil && c.want != "" || err != nil && (c.want == "" || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s, %s: got %v, want %s", c.meaning, c.text, err, c.want)
		}
	}
}
