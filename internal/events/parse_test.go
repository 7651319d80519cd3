package events

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 23, 10, 1, 0, 0, time.UTC)

const example = `{"specversion":"1.0","id":"CHG0031337-1","source":"/servicenow/acme","type":"changerelay.change.v1",
 "time":"2026-11-23T10:00:00Z","subject":"CHG0031337","datacontenttype":"application/json",
 "data":{"tenant":"acme","device":"0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11",
  "changes":[{"intent":"remove","item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}}]}}`

const exampleChange = `{"intent":"remove","item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}}`

func exampleEvent() Event {
	return Event{
		ID: "CHG0031337-1", Source: "/servicenow/acme", Ticket: "CHG0031337",
		Tenant: "acme", Device: "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11",
		Time:    time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
		Changes: []Change{{Remove, Item{"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01", Application}}},
	}
}

// changed is the example with one part replaced.
func changed(t *testing.T, old, new string) string {
	t.Helper()
	if strings.Count(example, old) != 1 {
		t.Fatalf("the example does not have %q once", old)
	}
	return strings.Replace(example, old, new, 1)
}

func mustParse(t *testing.T, data string) Event {
	t.Helper()
	e, err := Parse([]byte(data), now)
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, data)
	}
	return e
}

func TestParseExample(t *testing.T) {
	if got := mustParse(t, example); !reflect.DeepEqual(got, exampleEvent()) {
		t.Errorf("got  %+v\nwant %+v", got, exampleEvent())
	}
}

// An event that restores everything names no item, and is encoded without one.
func TestParseRestoreAll(t *testing.T) {
	for _, change := range []string{`{"intent":"restore_all"}`, `{"item":null,"intent":"restore_all"}`} {
		got := mustParse(t, changed(t, exampleChange, change))
		want := exampleEvent()
		want.Changes = []Change{{Intent: RestoreAll}}
		if !reflect.DeepEqual(got, want) || !got.RestoresAll() {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if text := string(got.Encode()); !strings.Contains(text, `"changes":[{"intent":"restore_all"}]}}`) {
			t.Errorf("encoded as %s", text)
		}
	}
	if exampleEvent().RestoresAll() {
		t.Error("an event with an item restores everything")
	}
	r := Receipt{ID: exampleEvent().Ref().String(), Changes: []Change{{Intent: RestoreAll}}}
	if text := string(r.Encode(now)); !strings.Contains(text, `"changes":[{"intent":"restore_all"}]`) {
		t.Errorf("its receipt is %s", text)
	}
}

// Each accepted form says the same as the example.
func TestParseSame(t *testing.T) {
	for _, c := range []struct{ name, old, new string }{
		{"spaces around", example, " \r\n\t" + example + "\n"},
		{"upper-case tenant", `"acme"`, `"ACME"`},
		{"upper-case device", `0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11`, `0F9A6D1E-7B0A-4D0E-9A52-3C1B7F0A1D11`},
		{"upper-case item", `5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01`, `5B1C9B0E-5D0C-4B43-9A0A-2F6F7D6A1C01`},
		{"escaped name", `"intent"`, `"\u0069ntent"`},
		{"escaped slash", `/servicenow/acme`, `\/servicenow\/acme`},
		{"other zone", `10:00:00Z`, `12:00:00.000+02:00`},
		{"unknown zone", `10:00:00Z`, `10:00:00-00:00`},
		{"charset", `"application/json"`, `"Application/JSON; charset=utf-8"`},
		{"no datacontenttype", `"datacontenttype":"application/json",`, ``},
		{"null datacontenttype", `"application/json"`, `null`},
		{"dataschema", `"data":`, `"dataschema":"https://example.com/v1","data":`},
		{"null dataschema", `"data":`, `"dataschema":null,"data":`},
		{"extensions", `"data":`, `"traceparent":"00-ab-01","sampled":true,"attempt":-2147483648,"x1":null,"data":`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustParse(t, changed(t, c.old, c.new))
			want := exampleEvent()
			if string(got.Encode()) != string(want.Encode()) || got.Subject() != want.Subject() || got.Ref() != want.Ref() || got.Digest() != want.Digest() {
				t.Errorf("got  %s\nwant %s", got.Encode(), want.Encode())
			}
		})
	}
}

type refusal struct {
	name   string
	old    string // part of the example
	new    string // what replaces it
	field  string // exact
	reason string // part of it
}

var refusals = []refusal{
	// The JSON itself.
	{"empty", example, "", "", "is empty"},
	{"blank", example, " \n", "", "is empty"},
	{"not JSON", example, "id=CHG1", "", `'i' is not expected at byte 0, line 1`},
	{"byte order mark", example, "\xef\xbb\xbf" + example, "", "byte order mark"},
	{"bad UTF-8", "CHG0031337-1", "CHG\xff", "", "not valid UTF-8"},
	{"UTF-16", example, "\xfe\xff\x00{\x00}", "", "not valid UTF-8"},
	{"too long", example, example + strings.Repeat(" ", MaxBytes), "", "at most 65536"},
	{"cut off", "]}}", "", "", "not complete JSON: it ends at byte"},
	{"only a bracket", example, "{", "", "not complete JSON: it ends at byte 1"},
	{"trailing comma", `"application"}`, `"application",}`, "", "'}' is not expected at byte"},
	{"missing comma", `"acme",`, `"acme"`, "", `'"' is not expected at byte 217, line 3`},
	{"single quotes", `"acme"`, `'acme'`, "", `'\'' is not expected`},
	{"line break in text", `"acme"`, "\"ac\nme\"", "", `'\n' is not expected`},
	{"wrong bracket", "]}}", "}}}", "", "'}' is not expected"},
	{"trailing value", "]}}", "]}}{}", "", "followed by more text"},
	{"trailing word", "]}}", "]}} x", "", "followed by more text"},
	{"trailing bracket", "]}}", "]}}}", "", "followed by more text"},
	{"trailing NUL", "]}}", "]}}\x00", "", "followed by more text"},
	{"an array", example, "[" + example + "]", "", "is an array; want a JSON object"},
	{"null", example, "null", "", "is null; want a JSON object"},
	{"a number", example, "1e400", "", "is a number; want a JSON object"},
	{"arrival in words", `"data":`, `"arrivaltime":"yes","data":`, "arrivaltime", "want true"},
	{"too many values", `"data":`, `"x":[` + strings.Repeat("0,", 16384) + `0],"data":`, "x[16375]", "more than 16384 values"},
	{"deep arrays", `"data":`, `"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `,"data":`, "x" + strings.Repeat("[0]", 15), "nested deeper than 16"},
	{"bottomless", example, strings.Repeat(`{"a":`, 10000), "a" + strings.Repeat(".a", 15), "nested deeper than 16"},
	{"id twice", `"source"`, `"id":"x","source"`, "id", "is given twice"},
	{"data twice", `"data":`, `"data":{},"data":`, "data", "is given twice"},
	{"device twice", `"changes"`, `"device":"x","changes"`, "data.device", "is given twice"},
	{"intent twice, once escaped", `"intent":"remove"`, `"intent":"remove","\u0069ntent":"restore"`, "data.changes[0].intent", "is given twice"},
	{"item id twice", `"type":"application"`, `"type":"application","id":"x"`, "data.changes[0].item.id", "is given twice"},
	{"twice in an extension", `"data":`, `"ext":[{"a b":1,"a b":2}],"data":`, `ext[0]."a b"`, "is given twice"},

	// Attributes.
	{"no specversion", `"specversion":"1.0",`, ``, "specversion", `is required; want "1.0"`},
	{"old specversion", `"1.0"`, `"0.3"`, "specversion", `"0.3" is not a version`},
	{"specversion as a number", `"1.0"`, `1.0`, "specversion", "is a number; want text"},
	{"specversion spelled", `"specversion"`, `"specVersion"`, "specversion", "is required"},
	{"no type", `"type":"changerelay.change.v1",`, ``, "type", "is required; want changerelay.change.v1"},
	{"other type", `changerelay.change.v1`, `changerelay.change.v2`, "type", "want changerelay.change.v1"},
	{"no id", `"id":"CHG0031337-1",`, ``, "id", "is required"},
	{"null id", `"CHG0031337-1"`, `null`, "id", "is required"},
	{"blank id", `CHG0031337-1`, `  `, "id", "is required"},
	{"id as a number", `"CHG0031337-1"`, `31337`, "id", "is a number; want text"},
	{"long id", `CHG0031337-1`, strings.Repeat("x", 257), "id", "has 257 bytes; at most 256"},
	{"control in id", `CHG0031337-1`, `CHG\u0000`, "id", "control characters"},
	{"C1 control in id", `CHG0031337-1`, "CHG\u0085x", "id", "control characters"},
	{"half a surrogate pair", `CHG0031337-1`, `CHG\ud83d`, "id", "broken characters"},
	{"swapped surrogate pair", `CHG0031337-1`, `CHG\ude00\ud83d`, "id", "broken characters"},
	{"no source", `"source":"/servicenow/acme",`, ``, "source", "is required"},
	{"empty source", `/servicenow/acme`, ``, "source", "is required"},
	{"source with a space", `/servicenow/acme`, `/service now`, "source", "is not a URI reference"},
	{"source with an accent", `/servicenow/acme`, `/zürich`, "source", "percent-encoded"},
	{"source that is no URI", `/servicenow/acme`, `http://[::1`, "source", "is not a URI reference"},
	{"bad escape in source", `/servicenow/acme`, `/%zz`, "source", "is not a URI reference"},
	{"long source", `/servicenow/acme`, "/" + strings.Repeat("x", 256), "source", "at most 256"},
	{"no subject", `"subject":"CHG0031337",`, ``, "subject", "is required: the ticket's number"},
	{"subject with a space before", `:"CHG0031337"`, `:" CHG0031337"`, "subject", "starts or ends with a space"},
	{"subject with a wide space after", `:"CHG0031337"`, `:"CHG0031337\u2003"`, "subject", "starts or ends with a space"},
	{"tab in subject", `:"CHG0031337"`, `:"CHG\t1"`, "subject", "control characters"},
	{"long subject", `:"CHG0031337"`, `:"` + strings.Repeat("é", 65) + `"`, "subject", "has 130 bytes; at most 128"},
	{"subject as an object", `:"CHG0031337"`, `:{"number":1}`, "subject", "is an object; want text"},
	{"other content", `application/json`, `text/xml`, "datacontenttype", `"text/xml" is not taken; want application/json`},
	{"other JSON content", `application/json`, `application/cloudevents+json`, "datacontenttype", "want application/json"},
	{"empty content type", `application/json`, ``, "datacontenttype", "want application/json"},
	{"content type as a list", `"application/json"`, `["application/json"]`, "datacontenttype", "is an array; want text"},
	{"empty dataschema", `"data":`, `"dataschema":"","data":`, "dataschema", "is empty"},
	{"dataschema as a bool", `"data":`, `"dataschema":true,"data":`, "dataschema", "is true or false; want text"},
	{"data_base64", `"data":`, `"data_base64":"e30=","data":`, "data_base64", "send the change as a JSON object in data"},
	{"upper-case attribute", `"data":`, `"Data":{},"data":`, "Data", "must be spelled data"},
	{"upper-case extension", `"data":`, `"traceParent":"x","data":`, "traceParent", "a-z and 0-9"},
	{"long extension", `"data":`, `"abcdefghijklmnopqrstu":"x","data":`, "abcdefghijklmnopqrstu", "1 to 20"},
	{"nameless extension", `"data":`, `"":"x","data":`, `""`, "1 to 20"},
	{"hostile name", `"data":`, `"a\nlevel=ERROR":1,"data":`, `"a\nlevel=ERROR"`, "1 to 20"},
	{"endless name", `"data":`, `"` + strings.Repeat("A", 9000) + `":1,"data":`, strings.Repeat("A", 80) + "…", "1 to 20"},
	{"extension object", `"data":`, `"trace":{},"data":`, "trace", "is an object"},
	{"extension array", `"data":`, `"trace":[1],"data":`, "trace", "is an array"},
	{"extension fraction", `"data":`, `"score":1.5,"data":`, "score", "1.5 is not a 32-bit integer"},
	{"extension too big", `"data":`, `"score":2147483648,"data":`, "score", "not a 32-bit integer"},

	// Time.
	{"no time", `"time":"2026-11-23T10:00:00Z",`, ``, "time", "is required"},
	{"time as a number", `"2026-11-23T10:00:00Z"`, `1795428000`, "time", "is a number"},
	{"no zone", `10:00:00Z`, `10:00:00`, "time", "write it like 2026-11-23T10:00:00Z"},
	{"space for T", `2026-11-23T10`, `2026-11-23 10`, "time", "RFC 3339"},
	{"small t", `2026-11-23T10`, `2026-11-23t10`, "time", "RFC 3339"},
	{"small z", `10:00:00Z`, `10:00:00z`, "time", "RFC 3339"},
	{"one-digit hour", `T10:00:00Z`, `T9:00:00Z`, "time", "RFC 3339"},
	{"comma fraction", `10:00:00Z`, `10:00:00,5Z`, "time", "RFC 3339"},
	{"empty fraction", `10:00:00Z`, `10:00:00.Z`, "time", "RFC 3339"},
	{"ten-digit fraction", `10:00:00Z`, `10:00:00.1234567890Z`, "time", "RFC 3339"},
	{"hour 24", `T10:00:00Z`, `T24:00:00Z`, "time", "RFC 3339"},
	{"no such day", `2026-11-23`, `2026-02-29`, "time", "RFC 3339"},
	{"zone without colon", `10:00:00Z`, `10:00:00+0100`, "time", "RFC 3339"},
	{"zone hour 24", `10:00:00Z`, `10:00:00+24:00`, "time", "RFC 3339"},
	{"zone minute 60", `10:00:00Z`, `10:00:00+01:60`, "time", "RFC 3339"},
	{"date only", `2026-11-23T10:00:00Z`, `2026-11-23`, "time", "RFC 3339"},
	{"last century", `2026-11-23T10:00:00Z`, `1999-12-31T23:59:59.999999999Z`, "time", "before 2000-01-01"},
	{"year 1", `2026-11-23T10:00:00Z`, `0001-01-01T00:00:00Z`, "time", "is required"},
	{"ahead", `10:00:00Z`, `10:06:00.000000001Z`, "time", "is ahead of the clock here, 2026-11-23T10:01:00Z; check"},

	// Data.
	{"data as text", `"data":{`, `"data":"x","y":{`, "y", "is an object"},
	{"data in data", `"data":{`, `"data":{"data":1,`, "data.data", "is not a known field; want only tenant, device, target and changes"},
	{"capital field", `"tenant"`, `"Tenant"`, "data.Tenant", "must be spelled tenant"},
	{"second field in other letters", `"changes"`, `"DEVICE":"x","changes"`, "data.DEVICE", "must be spelled device"},
	{"no tenant", `"tenant":"acme",`, ``, "data.tenant", "is required"},
	{"tenant with a dot", `"acme"`, `"acme.com"`, "data.tenant", `"acme.com" is not a tenant's name`},
	{"tenant with a wildcard", `"acme"`, `">"`, "data.tenant", "is not a tenant's name"},
	{"tenant with a hyphen first", `"acme"`, `"-acme"`, "data.tenant", "starting with a letter or digit"},
	{"long tenant", `"acme"`, `"` + strings.Repeat("a", 64) + `"`, "data.tenant", "1 to 63"},
	{"Kelvin sign in tenant", `"acme"`, "\"\u212Aacme\"", "data.tenant", "is not a tenant's name"},
	{"tenant as a number", `"acme"`, `7`, "data.tenant", "is a number; want text"},
	{"no device", `"device":"0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11",`, ``, "data.device", "is required"},
	{"device in braces", `0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11`, `{0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11}`, "data.device", "without braces"},
	{"device without hyphens", `0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11`, `0f9a6d1e7b0a4d0e9a523c1b7f0a1d11`, "data.device", "is not a UUID"},
	{"device name", `0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11`, `IPHONE-7`, "data.device", `"IPHONE-7" is not a UUID`},
	{"device all zero", `0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11`, `00000000-0000-0000-0000-000000000000`, "data.device", "all-zero"},
	{"no changes", `"changes":[{"intent":"remove","item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}}]`, `"changes":null`, "data.changes", "is required: 1 to 30"},
	{"changes empty", `{"intent":"remove","item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}}`, ``, "data.changes", "1 to 30 changes"},
	{"changes as an object", `[{"intent":"remove","item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}}]`, `{}`, "data.changes", "is an object; want an array"},
	{"31 changes", `{"intent":"remove","item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}}`, manyChanges(31), "data.changes", "has 31 changes; at most 30"},
	{"change as text", `"changes":[`, `"changes":["remove",`, "data.changes[0]", "is text; want an object with intent and item"},
	{"change null", `}}]}}`, `}},null]}}`, "data.changes[1]", "is required: an object with intent and item"},
	{"change with a reason", `"intent":`, `"reason":"x","intent":`, "data.changes[0].reason", "is not a known field; want only intent and item"},
	{"no intent", `"intent":"remove",`, ``, "data.changes[0].intent", "is required; want remove, restore or restore_all"},
	{"loud intent", `"remove"`, `"REMOVE"`, "data.changes[0].intent", `"REMOVE" is not an intent; want remove, restore or restore_all`},
	{"other intent", `"remove"`, `"wipe"`, "data.changes[0].intent", "want remove, restore or restore_all"},
	{"everything, with an item", `"remove"`, `"restore_all"`, "data.changes[0].item", "leave it out, or say restore"},
	{"everything, with an empty item", `"remove","item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}`, `"restore_all","item":{}`, "data.changes[0].item", "leave it out"},
	{"everything and more", `}}]}}`, `}},{"intent":"restore_all"}]}}`, "data.changes[1].intent", "is one of 2 changes; it means every item"},
	{"everything twice", `{"intent":"remove","item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}}`, `{"intent":"restore_all"},{"intent":"restore_all"}`,
		"data.changes[0].intent", "let it be the event's only change"},
	{"no item", `"item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}`, `"item":null`, "data.changes[0].item", "is required: an object with id and type"},
	{"Graph's item names", `"id":"5b1c9b0e`, `"itemId":"5b1c9b0e`, "data.changes[0].item.itemId", "want only id and type"},
	{"no item id", `"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01",`, ``, "data.changes[0].item.id", "is required"},
	{"long item id", `5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01`, strings.Repeat("5", 41), "data.changes[0].item.id", "1 to 40"},
	{"item id with a quote", `5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01`, `x\"y`, "data.changes[0].item.id", "quotes"},
	{"item id with a backslash", `5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01`, `x\\y`, "data.changes[0].item.id", "backslashes"},
	{"item name", `5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01`, `VPN profile`, "data.changes[0].item.id", "without spaces"},
	{"no item type", `,"type":"application"}`, `}`, "data.changes[0].item.type", "is required; want application,"},
	{"capital item type", `"application"}`, `"Application"}`, "data.changes[0].item.type",
		`"Application" is not an item type; want application, deviceConfiguration, deviceManagementConfigurationPolicy or mobileAppConfiguration`},
	{"Graph's unknown item type", `"application"}`, `"unknownFutureValue"}`, "data.changes[0].item.type", "is not an item type"},
	{"item twice", `}}]}}`, `}},{"intent":"restore","item":{"id":"5B1C9B0E-5D0C-4B43-9A0A-2F6F7D6A1C01","type":"deviceConfiguration"}}]}}`,
		"data.changes[1].item.id", "is the item of data.changes[0] too, and data.changes[1] may not"},
}

func manyChanges(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"intent":"restore","item":{"id":"app-%02d","type":"application"}}`, n-i))
	}
	return strings.Join(all, ",")
}

func TestParseRefuses(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(changed(t, c.old, c.new)), now)
			wantInvalid(t, err, c.field, c.reason)
		})
	}
}

// wantInvalid also holds every refusal to plain, bounded words.
func wantInvalid(t *testing.T, err error, field, reason string) {
	t.Helper()
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, want an *InvalidError", err)
	}
	if invalid.Field != field || !strings.Contains(invalid.Reason, reason) {
		t.Errorf("got  %q: %q\nwant %q: …%q…", invalid.Field, invalid.Reason, field, reason)
	}
	wantPlain(t, err)
}

func wantPlain(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	for _, jargon := range []string{"json:", "unmarshal", "cannot", "%!", "strconv", "parsing", "map[", "interface", "invalid character", "\n"} {
		if strings.Contains(text, jargon) {
			t.Errorf("%q in %q", jargon, text)
		}
	}
	if len(text) > 2000 {
		t.Errorf("%d bytes of refusal", len(text))
	}
}

func TestParseHostileFiles(t *testing.T) {
	for file, field := range map[string]string{
		"hostile-duplicate-keys.json": "device_id",
		"hostile-trailing-data.json":  "",
	} {
		data, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(data, now)
		wantInvalid(t, err, field, "")
	}
}

func TestParseFullest(t *testing.T) {
	e := exampleEvent()
	e.ID, e.Source = strings.Repeat("<", MaxID), "/"+strings.Repeat("&", MaxID-1)
	e.Ticket, e.Tenant = strings.Repeat("x\u2028", MaxTicket/4-1)+"x", strings.Repeat("a", MaxTenant)
	e.Changes = nil
	for i := range MaxItems {
		e.Changes = append(e.Changes, Change{Restore, Item{fmt.Sprintf("%s%02d", strings.Repeat(">", MaxItemID-2), i), DeviceManagementConfigurationPolicy}})
	}
	e, err := New(e, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustParse(t, string(e.Encode())); !reflect.DeepEqual(got, e) {
		t.Errorf("got  %+v\nwant %+v", got, e)
	}
}

func TestNew(t *testing.T) {
	b, a := Change{Restore, Item{"B-2", MobileAppConfiguration}}, Change{Remove, Item{"a-1", Application}}
	given := exampleEvent()
	given.Tenant, given.Device, given.Changes = "ACME", strings.ToUpper(given.Device), []Change{b, a}
	given.Time = time.Now().In(time.FixedZone("", 3600))
	got, err := New(given, given.Time)
	if err != nil {
		t.Fatal(err)
	}
	if given.Changes[0] != b || given.Changes[1] != a {
		t.Errorf("the caller's changes became %v", given.Changes)
	}
	want := exampleEvent()
	want.Time = given.Time.Round(0).UTC()
	want.Changes = []Change{a, {Restore, Item{"b-2", MobileAppConfiguration}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if again, err := New(got, given.Time); err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("New of a valid event: %+v, %v", again, err)
	}
	if got := mustParseAt(t, got.Encode(), given.Time); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func mustParseAt(t *testing.T, data []byte, now time.Time) Event {
	t.Helper()
	e, err := Parse(data, now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A decoder's event gets the refusals of the wire, with the wire's names.
func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		field, reason string
		edit          func(*Event)
	}{
		{"id", "is required", func(e *Event) { *e = Event{} }},
		{"id", "broken characters", func(e *Event) { e.ID = "\xff" }},
		{"source", "is required", func(e *Event) { e.Source = "" }},
		{"time", "is required", func(e *Event) { e.Time = time.Time{} }},
		{"time", "is ahead", func(e *Event) { e.Time = now.Add(FutureSlack + 1) }},
		{"subject", "is required", func(e *Event) { e.Ticket = "\u00a0" }},
		{"data.tenant", "is required", func(e *Event) { e.Tenant = "" }},
		{"data.tenant", "is not", func(e *Event) { e.Tenant = "a\xff" }},
		{"data.device", "is required", func(e *Event) { e.Device = "" }},
		{"data.changes", "is required", func(e *Event) { e.Changes = nil }},
		{"data.changes[1].intent", "is required", func(e *Event) { e.Changes = append(e.Changes, Change{}) }},
		{"data.changes[0].item", "leave it out", func(e *Event) { e.Changes[0].Intent = RestoreAll }},
		{"data.changes[1].intent", "only change", func(e *Event) { e.Changes = append(e.Changes, Change{Intent: RestoreAll}) }},
		{"data.changes[1].item.id", "data.changes[0]", func(e *Event) { e.Changes = append(e.Changes, e.Changes[0]) }},
	} {
		e := exampleEvent()
		c.edit(&e)
		got, err := New(e, now)
		wantInvalid(t, err, c.field, c.reason)
		if !reflect.DeepEqual(got, Event{}) {
			t.Errorf("%s: refused, but returned %+v", c.field, got)
		}
	}
	e := exampleEvent()
	e.Time = now.Add(FutureSlack)
	if _, err := New(e, now); err != nil {
		t.Errorf("at the end of the slack: %v", err)
	}
}

func TestFromMessage(t *testing.T) {
	e := exampleEvent()
	for _, subject := range []string{e.Subject(), replay(e, 1), replay(e, 12), replay(e, 18446744073709551615)} {
		got, ref, err := FromMessage(subject, nil, []byte(example), now)
		if err != nil {
			t.Fatal(err)
		}
		want, _, _ := ParseSubject(subject)
		if !reflect.DeepEqual(got, e) || ref != want {
			t.Errorf("%s: got %+v, %+v", subject, got, ref)
		}
	}
}

// replay is the subject of the event when dead letter n is replayed.
func replay(e Event, n uint64) string {
	ref := e.Ref()
	return fmt.Sprintf("%s%s-r%d.%s", ChangesPrefix, ref, n, TicketToken(e.Ticket))
}

func TestFromMessageRefuses(t *testing.T) {
	e, other := exampleEvent(), exampleEvent()
	subject := func(edit func(*Event)) string { o := other; edit(&o); return o.Subject() }
	elsewhere := Ref{Address{"other", "11111111-1111-1111-1111-111111111111"}, e.Ref().Key}
	for _, c := range []struct{ name, subject, data, field, reason string }{
		{"tenant", subject(func(e *Event) { e.Tenant = "evil" }), example, "subject", "the tenant is evil, but the event in the message has acme; publish it, with a new id, to the subject made of it: now it would be " + e.Subject()},
		{"device", subject(func(e *Event) { e.Device = elsewhere.Device }), example, "subject", "the device is " + elsewhere.Device + ", but"},
		{"id", subject(func(e *Event) { e.ID = "CHG-2" }), example, "subject", "the key is " + Key(e.Source, "CHG-2")},
		{"source", subject(func(e *Event) { e.Source = "/jira" }), example, "subject", "the key is "},
		{"ticket", subject(func(e *Event) { e.Ticket = "CHG-2" }), example, "subject", "the ticket token is " + TicketToken("CHG-2")},
		{"replay of another", replay(Event{ID: "x", Source: e.Source, Tenant: e.Tenant, Device: e.Device, Ticket: e.Ticket}, 7), example, "subject", "the key is "},
		{"replay 0", replay(e, 0), example, "subject", "is not of the form"},
		{"wake-up", e.Address().WakeSubject(), example, "subject", "is not of the form"},
		{"upper case", strings.Replace(e.Subject(), "acme", "ACME", 1), example, "subject", "is not of the form"},
		{"empty", "", example, "subject", "is not of the form"},
		{"long", ChangesPrefix + strings.Repeat("\xff", 9999), example, "subject", "is not of the form"},
		{"bad body", e.Subject(), "{}", "specversion", "is required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ref, err := FromMessage(c.subject, nil, []byte(c.data), now)
			wantInvalid(t, err, c.field, c.reason)
			if want, _, _ := ParseSubject(c.subject); ref != want || !reflect.DeepEqual(got, Event{}) {
				t.Errorf("got %+v, %+v; want no event and the Ref of the subject", got, ref)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	e := exampleEvent()
	for name, edit := range map[string]func(*Event){
		"id":      func(e *Event) { e.ID += "x" },
		"source":  func(e *Event) { e.Source += "x" },
		"ticket":  func(e *Event) { e.Ticket += "x" },
		"tenant":  func(e *Event) { e.Tenant += "x" },
		"device":  func(e *Event) { e.Device = "1" + e.Device[1:] },
		"time":    func(e *Event) { e.Time = e.Time.Add(1) },
		"intent":  func(e *Event) { e.Changes[0].Intent = Restore },
		"item id": func(e *Event) { e.Changes[0].Item.ID += "x" },
		"type":    func(e *Event) { e.Changes[0].Item.Type = DeviceConfiguration },
		"changes": func(e *Event) { e.Changes = append(e.Changes, Change{Remove, Item{"x", Application}}) },
	} {
		o := exampleEvent()
		if o.Digest() != e.Digest() {
			t.Fatal("equal events, other digests")
		}
		if edit(&o); o.Digest() == e.Digest() {
			t.Errorf("another %s, the same digest", name)
		}
	}
	reordered := strings.Replace(`{"data":{"changes":[A,B],"device":"0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11","tenant":"acme"},"traceparent":"00-1",
		"subject":"CHG1","time":"2026-11-23T11:00:00+01:00","type":"changerelay.change.v1","source":"/s","id":"1","specversion":"1.0"}`, "A,B", manyChanges(2), 1)
	one := mustParse(t, reordered)
	two := mustParse(t, strings.NewReplacer("app-01", "APP-02", "app-02", "app-01", "00-1", "00-2").Replace(reordered))
	if one.Digest() != two.Digest() {
		t.Errorf("the same content in another order:\n%s\n%s", one.Encode(), two.Encode())
	}
}

func BenchmarkParse(b *testing.B) {
	for name, data := range map[string]string{
		"changes=1":  example,
		"changes=30": strings.Replace(example, `{"intent":"remove","item":{"id":"5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01","type":"application"}}`, manyChanges(30), 1),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse([]byte(data), now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// An event whose sender states no time is the same at each arrival; one that
// states a time is another at another time.
func TestArrival(t *testing.T) {
	first := exampleEvent()
	again := first
	again.Time = again.Time.Add(time.Minute)
	if first.Digest() == again.Digest() {
		t.Error("two stated times are one event")
	}
	first.Arrival, again.Arrival = true, true
	if first.Digest() != again.Digest() {
		t.Error("two arrivals are two events")
	}
	parsed, err := Parse(first.Encode(), now)
	if err != nil || !parsed.Arrival || parsed.Digest() != first.Digest() {
		t.Errorf("after Encode and Parse: %+v, %v", parsed, err)
	}
	first.Arrival = false
	if first.Digest() == again.Digest() {
		t.Error("a stated time is an arrival")
	}
}

func BenchmarkEncode(b *testing.B) {
	e := exampleEvent()
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(e.Encode())))
	}
}
