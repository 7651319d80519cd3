package source

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

var fuzzNow = time.Date(2026, 11, 22, 15, 43, 0, 0, time.UTC)

// FuzzCloudEventsBatch gives the decoder a stranger's batch. A batch of the
// events that it holds is the same again.
func FuzzCloudEventsBatch(f *testing.F) {
	for _, c := range cases(f) {
		if c.kind == "cloudevents" {
			f.Add(c.delivery.Body)
		}
	}
	batch := http.Header{"Content-Type": {batchType}}
	f.Fuzz(func(t *testing.T, body []byte) {
		list := decodeTwice(t, Delivery{Header: batch, Body: body, Now: fuzzNow})
		var texts [][]byte
		for _, e := range list {
			texts = append(texts, e.Encode())
		}
		if len(list) == 0 {
			return
		}
		again := "[" + string(bytes.Join(texts, []byte(","))) + "]"
		if got := decodeTwice(t, Delivery{Header: batch, Body: []byte(again), Now: fuzzNow}); !reflect.DeepEqual(got, list) {
			t.Fatalf("got %+v, want %+v", got, list)
		}
	})
}

// FuzzCloudEventsBinary gives the decoder strangers' headers and a body. An
// accepted event says what its headers say, decoded once; none is accepted when
// a header is left open.
func FuzzCloudEventsBinary(f *testing.F) {
	for _, c := range cases(f) {
		if h := c.delivery.Header; c.kind == "cloudevents" && isBinary(h) {
			f.Add(h.Get("Ce-Id"), h.Get("Ce-Subject"), "Ce-Traceparent", h.Get("Ce-Time"), c.delivery.Body)
		}
	}
	f.Add("req-1", "CHG0031337", "ce-ID", "req-2", []byte("{}"))
	f.Fuzz(func(t *testing.T, id, subject, name, value string, body []byte) {
		h := http.Header{
			"Content-Type": {"application/json"}, "Ce-Specversion": {"1.0"}, "Ce-Type": {events.Type},
			"Ce-Time": {"2026-11-22T15:42:51Z"}, "Ce-Source": {"/desk"}, "Ce-Id": {id}, "Ce-Subject": {subject},
		}
		h[name] = append(h[name], value)
		covered := func(string) bool { return true }
		list := decodeTwice(t, Delivery{Header: h, Body: body, Now: fuzzNow, Covers: covered})
		for _, e := range list {
			if want, err := url.PathUnescape(id); !strings.HasPrefix(id, `"`) && (err != nil || e.ID != want) {
				t.Fatalf("the id is %q of %q", e.ID, id)
			}
			if want, err := url.PathUnescape(subject); !strings.HasPrefix(subject, `"`) && (err != nil || e.Ticket != want) {
				t.Fatalf("the ticket is %q of %q", e.Ticket, subject)
			}
		}
		if len(list) == 0 {
			return
		}
		for open := range h {
			covers := func(header string) bool { return !strings.EqualFold(header, open) }
			got := decodeTwice(t, Delivery{Header: h, Body: body, Now: fuzzNow, Covers: covers})
			if strings.HasPrefix(strings.ToLower(open), events.HeaderPrefix) && got != nil {
				t.Fatalf("accepted, although %s could be changed", open)
			}
		}
	})
}

// decodeTwice returns a delivery's events, the same both times. They survive
// their own parser; without any, the error is of a known kind.
func decodeTwice(t *testing.T, d Delivery) []events.Event {
	t.Helper()
	got, err := cloudEvents{}.Decode(d)
	d.Body = bytes.Clone(d.Body)
	again, errAgain := cloudEvents{}.Decode(d)
	if !reflect.DeepEqual(got, again) || !reflect.DeepEqual(err, errAgain) {
		t.Fatalf("got %v, %v and then %v, %v", got, err, again, errAgain)
	}
	known := errors.As(err, new(*Ignored)) || errors.As(err, new(*events.InvalidError))
	if known == (err == nil) || known == (len(got.Events) > 0) {
		t.Fatalf("got %d events and %v", len(got.Events), err)
	}
	for _, e := range got.Events {
		if parsed, err := events.Parse(e.Encode(), d.Now); err != nil || !reflect.DeepEqual(parsed, e) {
			t.Fatalf("%+v is %+v after a round trip, %v", e, parsed, err)
		}
	}
	return got.Events
}
