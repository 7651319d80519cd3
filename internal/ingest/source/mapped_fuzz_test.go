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
// that use the body in the ways in which it could do harm.
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

// FuzzExpressions compiles any text as the expression of a meaning, and runs it if
// that works.
func FuzzExpressions(f *testing.F) {
	for _, c := range cases(f) {
		for i, meaning := range MapMeanings {
			if text, ok := c.config.Map[meaning]; ok {
				f.Add(i, text)
			}
		}
	}
	f.Add(1, `body.list.all(a, body.list.exists_one(b, cel.bind(c, a + b, c > 1u)))`)
	f.Add(2, `record.?a.optMap(x, x + "b").or(optional.of(b"\x00" == bytes("a") ? "x" : r'y')).value()`)
	f.Add(7, `["a", ?record.?b].map(x, x != "", x.upperAscii())`)
	body := []byte(`{"ticket":"T1","device":"6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11","items":["a"],"a":"` + "x,y" + `","n":9,"f":1.5,"list":[1,2,3,"a",null,[1],{"a":1}],"o":{"b":1,"a":2}}`)
	f.Fuzz(func(t *testing.T, i int, text string) {
		c := testCase{kind: "mapped", config: with()}
		meaning := MapMeanings[uint(i)%uint(len(MapMeanings))]
		if c.config.Map[meaning] = text; meaning == Changes {
			delete(c.config.Map, Items)
		}
		var err error
		if c.decoder, err = New("mapped", c.config); err != nil {
			return
		}
		c.delivery.Now, c.delivery.Body = mappedNow, body
		got, err := c.decoder.Decode(c.delivery)
		if err != nil && !errors.As(err, new(*Ignored)) && !errors.As(err, new(*events.InvalidError)) {
			t.Fatalf("error of an unknown kind: %v", err)
		}
		for _, e := range got.Events {
			c.checkEvent(t, e, mappedNow)
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
