package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(strings.Replace(example, exampleChange, `{"intent":"restore_all"}`, 1)))
	for _, target := range routes {
		f.Add([]byte(strings.Replace(example, `"device":"0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11"`, `"target":"`+target+`"`, 1)))
	}
	for _, c := range refusals {
		if data := strings.Replace(example, c.old, c.new, 1); len(data) < 2<<10 { // long seeds slow the engine down
			f.Add([]byte(data))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Parse(data, now)
		if err != nil {
			checkRefusal(t, e, err)
			return
		}
		if !json.Valid(data) || !utf8.Valid(data) {
			t.Errorf("took what is not JSON: %q", data)
		}
		checkEvent(t, e)
	})
}

// FuzzJSON holds JSON to encoding/json: it takes the same texts, and reads the
// same in them, but for names that are given twice.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{example, `{"a":1,"a":2}`, `{"a":[1,2,{"b":null}]}`, `"\u00e4\ud83d\ude00\ud800"`, `[-0.5e+7,1E9,01]`, `[tru]`, `{"a":}`, `[1,]`, `{,}`, ` 1 2`, `"`, `"\`, `-`, `1.`, `1e`, "\"\t\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := JSON(data, "body", 100)
		if err != nil && strings.Contains(err.Error(), "given twice") || strings.Contains(fmt.Sprint(err), "nested deeper") || strings.Contains(fmt.Sprint(err), "more than") {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want any
		good := utf8.Valid(data) && json.Valid(data) && d.Decode(&want) == nil
		if good != (err == nil) {
			t.Fatalf("%q: the error is %v, valid is %v", data, err, good)
		}
		if err == nil && !reflect.DeepEqual(v, want) {
			t.Fatalf("%q is read as %#v, want %#v", data, v, want)
		}
	})
}

func FuzzFromMessage(f *testing.F) {
	e := exampleEvent()
	f.Add(e.Subject(), []byte(example))
	f.Add(replay(e, 12), []byte(example))
	f.Add(replay(e, 0), []byte(example))
	f.Add(e.Address().WakeSubject(), []byte(example))
	f.Add(e.Subject(), []byte("{}"))
	f.Fuzz(func(t *testing.T, subject string, data []byte) {
		e, ref, err := FromMessage(subject, nil, data, now)
		if err != nil {
			checkRefusal(t, e, err)
			return
		}
		checkEvent(t, e)
		base, _, _ := strings.Cut(ref.Key, "-r")
		if (Ref{ref.Address, base}) != e.Ref() {
			t.Errorf("%s took the event %s", subject, e.Ref())
		}
		if subject != ChangesPrefix+ref.String()+"."+TicketToken(e.Ticket) {
			t.Errorf("%s has the Ref %s", subject, ref)
		}
	})
}

func FuzzParseRef(f *testing.F) {
	good := exampleEvent().Ref().String()
	for _, s := range []string{good, good + "-r12", good + "-r0", good + "-r1-r2", strings.ToUpper(good), "", "..", "*.>.x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := ParseRef(s)
		if err != nil {
			checkRefusal(t, Event{}, err)
			return
		}
		if ref.String() != s {
			t.Errorf("%q was read as %q", s, ref)
		}
		for _, subject := range []string{ref.WakeSubject(), ref.DeadSubject(Invalid), ref.OutcomeSubject(TicketToken(s))} {
			if strings.ContainsAny(subject, "*> \t\r\n") || strings.Contains(subject, "..") {
				t.Errorf("%q makes the subject %q", s, subject)
			}
		}
	})
}

func checkRefusal(t *testing.T, e Event, err error) {
	t.Helper()
	var invalid *InvalidError
	if !errors.As(err, &invalid) || invalid.Reason == "" {
		t.Fatalf("refused with %#v", err)
	}
	if !reflect.DeepEqual(e, Event{}) {
		t.Errorf("refused, but returned %+v", e)
	}
	text := err.Error()
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\r\n\x1b") || len(text) > 8<<10 {
		t.Errorf("unfit for a log: %q", text)
	}
}

// checkEvent states what every event in the system may be relied on for.
func checkEvent(t *testing.T, e Event) {
	t.Helper()
	encoded := e.Encode()
	again, err := Parse(encoded, now)
	if err != nil || !reflect.DeepEqual(again, e) {
		t.Fatalf("Encode then Parse:\ngot  %+v, %v\nwant %+v", again, err, e)
	}
	if again.Digest() != e.Digest() || again.Subject() != e.Subject() {
		t.Error("another digest or subject after Encode")
	}
	if got, ref, err := FromMessage(e.Subject(), nil, encoded, now); err != nil || !reflect.DeepEqual(got, e) || ref != e.Ref() {
		t.Errorf("FromMessage of its own subject: %+v, %v, %v", got, ref, err)
	}
	for _, s := range []string{e.ID, e.Source, e.Ticket} {
		if s == "" || len(s) > MaxID || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\t\r\n\x7f\uFFFD") {
			t.Errorf("bad text %q", s)
		}
	}
	if !isTenant(e.Tenant) || !isUUID(e.Device) && (e.Device != "" || e.Target == "") || len(e.Ticket) > MaxTicket || len(encoded) > MaxBytes {
		t.Errorf("out of bounds: %s", encoded)
	}
	if e.Time.Location() != time.UTC || e.Time.Year() < 2000 || e.Time.After(now.Add(FutureSlack)) {
		t.Errorf("bad time %v", e.Time)
	}
	if n := len(e.Changes); n < 1 || n > MaxItems {
		t.Errorf("%d changes", n)
	}
	if e.RestoresAll() {
		if e.Changes[0].Item != (Item{}) {
			t.Errorf("everything, and the item %+v", e.Changes[0].Item)
		}
		return
	}
	for i, c := range e.Changes {
		if i > 0 && e.Changes[i-1].Item.ID >= c.Item.ID {
			t.Errorf("items %q and %q out of order, or the same", e.Changes[i-1].Item.ID, c.Item.ID)
		}
		if c.Intent != Remove && c.Intent != Restore || !slices.Contains(ItemTypes, c.Item.Type) ||
			c.Item.ID == "" || len(c.Item.ID) > MaxItemID || c.Item.ID != strings.ToLower(c.Item.ID) {
			t.Errorf("bad change %+v", c)
		}
	}
}
