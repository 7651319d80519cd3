package source

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"changerelay/internal/events"
)

var mappedNow = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

// decodeMapped decodes a body and its copy, and checks what holds for every body.
func decodeMapped(t *testing.T, c testCase, body []byte) {
	t.Helper()
	c.delivery.Now, c.delivery.Body = mappedNow, bytes.Clone(body)
	got, err := c.decoder.Decode(c.delivery)
	c.delivery.Body = body
	again, errAgain := c.decoder.Decode(c.delivery)
	if !reflect.DeepEqual(got, again) || !reflect.DeepEqual(err, errAgain) {
		t.Fatalf("%v: got %v, %v and then %v, %v", c.config.Map, got, err, again, errAgain)
	}
	if (err == nil) != (len(got.Events) > 0) {
		t.Fatalf("%v: %d events, %v", c.config.Map, len(got.Events), err)
	}
	if err != nil && !errors.As(err, new(*Ignored)) && !errors.As(err, new(*events.InvalidError)) {
		t.Fatalf("%v: error of an unknown kind: %v", c.config.Map, err)
	}
	for _, e := range got.Events {
		c.checkEvent(t, e, mappedNow)
	}
}

// FuzzMapped gives a stranger's body to the expressions of the cases, and to some
// that use the body in the ways in which it could do harm. FuzzExpressions, beside
// the language, gives it any expression.
func FuzzMapped(f *testing.F) {
	var mapped []testCase
	for _, c := range cases(f) {
		if c.kind == "mapped" {
			f.Add(c.delivery.Body)
			mapped = append(mapped, c)
		}
	}
	for _, config := range []Config{
		with(When, `body.a.matches(body.b)`),
		with(When, `body.a.replace(body.b, body.c) == body.a.split(body.b).join(body.c)`),
		with(When, `body.a == body.b || body.a in body.b || body.b in body.a`),
		with(Each, `[json(string(base64.decode(body.a)))]`),
		with(Items, `record.map(k, string(record[k]))`, Ticket, `record.map(k, k)[0]`, Version, `record.v`),
		with(Items, "", Changes, `record.changes`, Time, `record.time`),
	} {
		d, err := New("mapped", config)
		if err != nil {
			f.Fatal(err)
		}
		mapped = append(mapped, testCase{kind: "mapped", config: config, decoder: d})
	}
	f.Add([]byte(`{"a":"aaa","b":"a","c":"","d":[1,1.5,1e400,null,true,{}]}`))
	f.Add([]byte(`{"a":"eyJ0aWNrZXQiOiJUMSJ9","time":1795429371000,"changes":[{"intent":"remove","id":"x"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range mapped {
			decodeMapped(t, c, body)
		}
	})
}

// BenchmarkMapped decodes one approved record with seven expressions.
func BenchmarkMapped(b *testing.B) {
	for _, c := range cases(b) {
		if c.kind != "mapped" || c.archive.Files[2].Name != "events" || c.config.Map[Version] != "delivery.id" {
			continue
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.decoder.Decode(c.delivery); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
}
