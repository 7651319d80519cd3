package source

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

// Records that ask for something are bounded; the others cost less, and may be
// more.
func TestBatchBounds(t *testing.T) {
	const device, media = "6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11", "Content-Type"
	now := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	paths := map[string]string{Ticket: "n", ID: "n", Approval: "s", Device: "d", Items: "i"}
	record := func(state string) func(i int) string {
		return func(i int) string { return fmt.Sprintf(`{"n":%d,"s":%q,"d":%q,"i":"a"}`, i, state, device) }
	}
	event := func(kind string) func(i int) string {
		return func(i int) string {
			return fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"/x","type":%q,"time":"2026-11-23T10:00:00Z","subject":"T",`+
				`"data":{"tenant":"acme","device":%q,"changes":[{"intent":"remove","item":{"id":"a","type":"application"}}]}}`, i, kind, device)
		}
	}
	for _, c := range []struct {
		kind   string
		n      int
		record func(i int) string
		want   string // "" is an event for each
	}{
		{"halo", MaxBatch, record("approved"), ""},
		{"halo", MaxBatch + 1, record("approved"), "the body asks for 101 events; at most 100 are taken at once"},
		{"halo", MaxRecords, record("new"), `ignoring a request: the record is not approved: s says "new"`},
		{"halo", MaxRecords + 1, record("new"), "the body has 1001 records; at most 1000 are looked at"},
		{"mapped", MaxBatch, record("approved"), ""},
		{"mapped", MaxBatch + 1, record("approved"), "the body asks for 101 events; at most 100 are taken at once"},
		{"mapped", MaxRecords, record("new"), `ignoring a request: the record is not approved: s says "new"`},
		{"mapped", MaxRecords + 1, record("new"), "map.each: gives a list of 1001; at most 1000 are taken"},
		{"cloudevents", MaxBatch, event(events.Type), ""},
		{"cloudevents", MaxBatch + 1, event(events.Type), "the body asks for 101 events; at most 100 are taken at once"},
		{"cloudevents", MaxRecords, event("com.example.noise"), `ignoring a request: its type is "com.example.noise"`},
		{"cloudevents", MaxRecords + 1, event("com.example.noise"), "the batch has 1001 events; at most 1000 are looked at"},
	} {
		config := Config{Name: "x", Tenant: "acme", Fields: paths}
		if c.kind == "mapped" {
			config.Map = map[string]string{Each: "body"}
		}
		d, err := New(c.kind, config)
		if err != nil {
			t.Fatal(err)
		}
		var records []string
		for i := range c.n {
			records = append(records, c.record(i))
		}
		body := []byte("[" + strings.Join(records, ",") + "]")
		got, err := d.Decode(Delivery{Header: http.Header{media: {batchType}}, Body: body, Now: now})
		if c.want == "" && (err != nil || len(got.Events) != c.n) || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s, %d records: got %d events, %v", c.kind, c.n, len(got.Events), err)
		}
	}
}

// Ids of different parts are different ids.
func TestJoin(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{"CHG-1", "2-3"}, {"CHG-1-2", "3"}, {"CHG-1", "2", "3"}, {"CHG", "1-2-3"}, {"a@1", "2"}, {"a", "1@2"}, {"a", "1", "2"},
		{"a%401", "2"}, {"a%", "401@2"}, {"a", ""}, {"a@", "1"}, {"a", "@1"},
	} {
		id := record{}.join(parts...)
		if first, twice := seen[id]; twice {
			t.Errorf("%q and %q are both %s", first, parts, id)
		}
		seen[id] = parts
	}
}

// An event of arrival is known again at another time, and only then.
func TestArrival(t *testing.T) {
	d, err := New("zendesk", Config{Name: "x", Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	at := func(now time.Time, action string) events.Event {
		body := `{"ticket_id":1,"approval":"approved","device_id":"6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11","app_id":"a","action":"` + action + `"}`
		got, err := d.Decode(Delivery{ID: "d1", CoversID: true, Body: []byte(body), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		return got.Events[0]
	}
	now := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	first, later, other := at(now, "remove"), at(now.Add(time.Hour), "remove"), at(now.Add(time.Hour), "restore")
	if !first.Arrival || first.Ref() != later.Ref() || first.Digest() != later.Digest() {
		t.Errorf("%v and %v are not one event", first, later)
	}
	if first.Ref() != other.Ref() || first.Digest() == other.Digest() {
		t.Errorf("%v and %v are no conflict", first, other)
	}
}
