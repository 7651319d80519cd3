package events

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// halves is an event in binary mode: its headers and its body.
func halves(t testing.TB, e Event) (map[string][]string, string) {
	t.Helper()
	var v map[string]json.RawMessage
	if err := json.Unmarshal(e.Encode(), &v); err != nil {
		t.Fatal(err)
	}
	header := map[string][]string{}
	for name, value := range v {
		if name == "data" {
			continue
		}
		var s string
		if name == "arrivaltime" {
			s = string(value)
		} else if err := json.Unmarshal(value, &s); err != nil {
			t.Fatal(err)
		}
		header[HeaderPrefix+name] = []string{strings.ReplaceAll(url.PathEscape(s), "%2F", "/")}
	}
	return header, string(v["data"])
}

// Each of these messages is the example, or what it says of itself.
func TestParseMessage(t *testing.T) {
	header, data := halves(t, exampleEvent())
	arrival := exampleEvent()
	arrival.Arrival = true
	odd := exampleEvent()
	odd.ID, odd.Ticket = "100% \"sure\"", "CHG €😀"
	for _, c := range []struct {
		name string
		edit func(map[string][]string)
		want Event
	}{
		{"as the NATS binding has it", nil, exampleEvent()},
		{"as the Go SDK has it", func(h map[string][]string) {
			delete(h, "ce-datacontenttype")
			h["content-type"] = []string{"application/json"}
		}, exampleEvent()},
		{"both types", func(h map[string][]string) { h["Content-Type"] = []string{"application/json; charset=utf-8"} }, exampleEvent()},
		{"no type", func(h map[string][]string) { delete(h, "ce-datacontenttype") }, exampleEvent()},
		{"other letters", func(h map[string][]string) { h["Ce-ID"] = h["ce-id"]; delete(h, "ce-id") }, exampleEvent()},
		{"other headers", func(h map[string][]string) {
			h["Nats-Msg-Id"], h["traceparent"], h["ce-traceparent"] = []string{"a", "b"}, []string{"x"}, []string{"00-4bf9"}
		}, exampleEvent()},
		{"in quotes", func(h map[string][]string) { h["ce-subject"] = []string{`"CHG\0031337"`} }, exampleEvent()},
		{"of an arrival", func(h map[string][]string) { h["ce-arrivaltime"] = []string{"true"} }, arrival},
		{"of no arrival", func(h map[string][]string) { h["ce-arrivaltime"] = []string{"false"} }, exampleEvent()},
		{"encoded", func(h map[string][]string) {
			h["ce-id"], h["ce-subject"] = []string{"100%25%20%22sure%22"}, []string{"CHG%20%E2%82%AC%f0%9f%98%80"}
		}, odd},
	} {
		h := maps.Clone(header)
		if c.edit != nil {
			c.edit(h)
		}
		got, err := ParseMessage(h, []byte(data), now)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v, want %+v", c.name, got, err, c.want)
		}
		if ref := c.want.Ref(); got.Digest() != c.want.Digest() || got.Ref() != ref {
			t.Errorf("%s: it is another event than in structured mode", c.name)
		}
	}
	for _, h := range []map[string][]string{nil, {}, {"Content-Type": {"application/cloudevents+json"}}, {"Content-Type": {"text/plain"}, "Ceased": {"x"}, "ce": {"x"}}} {
		if got, err := ParseMessage(h, []byte(example), now); err != nil || !reflect.DeepEqual(got, exampleEvent()) {
			t.Errorf("structured, with %v: got %+v, %v", h, got, err)
		}
	}
}

func TestParseMessageRefuses(t *testing.T) {
	header, data := halves(t, exampleEvent())
	change := func(old, new string) string { return strings.Replace(data, old, new, 1) }
	for _, c := range []struct{ name, key, value, data, field, reason string }{
		{"both modes by type", "Content-Type", "application/CloudEvents+json", data, "Content-Type", "send one of the two"},
		{"both modes by batch", "content-type", "application/cloudevents-batch+json", data, "Content-Type", "send one of the two"},
		{"both modes by body", "ce-id", "CHG0031337-1", example, "body", "is an event in structured mode"},
		{"a ce- header on a structured event", "Nats-Msg-Id", "1", example, "body", "is an event in structured mode"},
		{"another type", "Content-Type", "application/xml", data, "Content-Type", `"application/xml" is not taken`},
		{"no type at all", "Content-Type", "", data, "Content-Type", "is not taken"},
		{"another type by the binding", "ce-datacontenttype", "application/xml", data, "ce-datacontenttype", "want application/json"},
		{"twice in other letters", "CE-id", "CHG0031337-1", data, "ce-id", "is given twice"},
		{"data", "ce-data", "{}", data, "ce-data", "the data is the body"},
		{"data in base64", "ce-data_base64", "e30=", data, "ce-data_base64", "is not taken"},
		{"no id", "ce-id", "", data, "ce-id", "is required"},
		{"no ticket", "ce-subject", "", data, "ce-subject", "is required"},
		{"no time", "ce-time", "", data, "ce-time", "is required"},
		{"no version", "ce-specversion", "", data, "ce-specversion", "is required"},
		{"another version", "ce-specversion", "0.3", data, "ce-specversion", "is not a version taken here"},
		{"another event type", "ce-type", "com.example.made", data, "ce-type", "is not an event type taken here"},
		{"half a percent", "ce-subject", "100%", data, "ce-subject", "write % as %25"},
		{"Latin-1", "ce-subject", "CHG%E9", data, "ce-subject", "is not UTF-8"},
		{"overlong", "ce-subject", "CHG%C0%A0", data, "ce-subject", "is not UTF-8"},
		{"line break", "ce-subject", "CHG%0D%0A1", data, "ce-subject", "control characters"},
		{"open quote", "ce-subject", `"CHG`, data, "ce-subject", "starts with a quote"},
		{"no name", "ce-", "x", data, `ce-""`, "is not an attribute"},
		{"no name of an attribute", "ce-trace parent\x1b", "x", data, `ce-"trace parent\x1b"`, "is not an attribute"},
		{"an arrival that is a word", "ce-arrivaltime", "yes", data, "ce-arrivaltime", "want true"},
		{"tenant in a header", "ce-tenant", "acme", change(`"tenant":"acme",`, ""), "tenant", "is required"},
		{"unknown field of the data", "ce-id", "1", change(`{"tenant"`, `{"mode":"now","tenant"`), "mode", "is not a known field"},
		{"device", "ce-id", "1", change("0f9a6d1e", "x"), "device", "is not a UUID"},
		{"item", "ce-id", "1", change(`"application"`, `"app"`), "changes[0].item.type", "is not an item type"},
		{"data that is a list", "ce-id", "1", "[]", "body", "is an array"},
		{"data that is null", "ce-id", "1", "null", "body", "is required"},
		{"no data", "ce-id", "1", "", "", "the body is empty"},
		{"data and more", "ce-id", "1", data + `,"id":"2"`, "", "is followed by more text"},
		{"data twice", "ce-id", "1", change(`"tenant":"acme",`, `"tenant":"acme","tenant":"evil",`), "tenant", "is given twice"},
		{"too much", "ce-id", "1", data + strings.Repeat(" ", MaxBytes), "", "the body has"},
	} {
		h := maps.Clone(header)
		h[c.key] = []string{c.value}
		got, err := ParseMessage(h, []byte(c.data), now)
		wantInvalid(t, err, c.field, c.reason)
		if t.Failed() || !reflect.DeepEqual(got, Event{}) {
			t.Fatalf("%s: got %+v", c.name, got)
		}
	}
	header["Content-Type"] = []string{"application/json", "application/json"}
	_, err := ParseMessage(header, []byte(data), now)
	wantInvalid(t, err, "Content-Type", "is given twice")
	delete(header, "Content-Type")
	header["ce-id"] = nil
	_, err = ParseMessage(header, []byte(data), now)
	wantInvalid(t, err, "ce-id", "send it once")
	_, err = ParseMessage(map[string][]string{"ce-x": {"1"}}, []byte(data), now)
	wantInvalid(t, err, "ce-specversion", "is required")
}

// The subject must be the event's in binary mode, too.
func TestFromMessageInBinaryMode(t *testing.T) {
	e, other := exampleEvent(), exampleEvent()
	other.Device = "11111111-1111-1111-1111-111111111111"
	header, data := halves(t, e)
	if got, ref, err := FromMessage(e.Subject(), header, []byte(data), now); err != nil || !reflect.DeepEqual(got, e) || ref != e.Ref() {
		t.Errorf("got %+v, %v, %v", got, ref, err)
	}
	got, ref, err := FromMessage(other.Subject(), header, []byte(data), now)
	wantInvalid(t, err, "subject", "the device is "+other.Device)
	if ref != other.Ref() || !reflect.DeepEqual(got, Event{}) {
		t.Errorf("got %+v, %v", got, ref)
	}
}

func TestHeaders(t *testing.T) {
	ours := map[string][]string{"CE-id": {"1", "2"}, "ce-odd one": nil, "content-type": {"x"}, "Content-Type": {"y"}}
	all := maps.Clone(ours)
	all["Nats-Msg-Id"], all["Ceased"] = []string{"1"}, []string{"1"}
	if got := Headers(all); !reflect.DeepEqual(got, ours) {
		t.Errorf("got %v, want %v", got, ours)
	}
	for _, h := range []map[string][]string{nil, {}, {"Content-Type": {"application/cloudevents+json"}, "Nats-Msg-Id": {"1"}}} {
		if got := Headers(h); got != nil {
			t.Errorf("of %v: %v; in structured mode no header is part of the event", h, got)
		}
	}
}

// What a message may have of headers is what a dead letter can keep.
func TestParseMessageBoundsHeaders(t *testing.T) {
	header, data := halves(t, exampleEvent())
	size := func() (n int) {
		for name, values := range header {
			n += len(name) + len(values[0])
		}
		return n
	}
	for i := len(header); i < MaxHeaders; i++ {
		header[fmt.Sprintf("ce-x%d", i)] = []string{"1"}
	}
	header["ce-x63"][0] += strings.Repeat("x", MaxHeader-size())
	header["Trace"] = []string{strings.Repeat("x", 4*MaxHeader)} // is not the event's
	if _, err := ParseMessage(header, []byte(data), now); err != nil {
		t.Errorf("with as many headers as are taken: %v", err)
	}
	header["ce-x63"][0] += "x"
	_, err := ParseMessage(header, []byte(data), now)
	wantInvalid(t, err, "", "have 8193 bytes; at most 8192")
	header["content-type"] = []string{"application/json"}
	_, err = ParseMessage(header, []byte(data), now)
	wantInvalid(t, err, "", "has 65 ce- headers; at most 64")
}

// FuzzParseMessage gives the parser strangers' headers and a body. What it takes
// says what its headers say, decoded once, and is the same in structured mode;
// what it refuses it refuses again after a dead letter has kept it.
func FuzzParseMessage(f *testing.F) {
	header, data := halves(f, exampleEvent())
	f.Add("CHG0031337-1", "ce-traceparent", "00-4bf9", []byte(data))
	f.Add("a%20b", "Content-Type", "application/json", []byte(data))
	f.Add(`"a\"b"`, "CONTENT-TYPE", "application/cloudevents+json", []byte(data))
	f.Add("1", "ce-arrivaltime", "true", []byte(data))
	f.Add("1", "CE-ID", "1", []byte(example))
	f.Add("%", "ce-trace parent\x00", "\xff", []byte("{}"))
	f.Fuzz(func(t *testing.T, id, name, value string, data []byte) {
		h := maps.Clone(header)
		h["ce-id"] = []string{id}
		h[name] = append(slices.Clone(h[name]), value)
		e, err := ParseMessage(h, data, now)
		if again, errAgain := ParseMessage(Headers(h), data, now.Add(time.Nanosecond)); !reflect.DeepEqual(again, e) || (err == nil) != (errAgain == nil) {
			t.Fatalf("got %+v, %v and then %+v, %v", e, err, again, errAgain)
		}
		if err != nil {
			checkRefusal(t, e, err)
			return
		}
		checkEvent(t, e)
		if want, err := url.PathUnescape(id); name != "ce-id" && !strings.HasPrefix(id, `"`) && (err != nil || e.ID != want) {
			t.Fatalf("the id is %q of %q", e.ID, id)
		}
		own, body := halves(t, e)
		if again, err := ParseMessage(own, []byte(body), now); err != nil || !reflect.DeepEqual(again, e) {
			t.Fatalf("%+v is %+v in binary mode, %v", e, again, err)
		}
	})
}
