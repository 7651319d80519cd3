package events

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func exampleReceipt() Receipt {
	e := exampleEvent()
	return Receipt{
		ID: e.Ref().String() + "-r3", Ticket: e.Ticket, Tenant: e.Tenant, Device: e.Device,
		Outcome: Refused, Reason: "Graph said <no> & meant it", Changes: e.Changes, Requests: []string{"r-1", "r-2"}, Approval: "A-17", Attempts: 2,
		Accepted: now, Ended: now.Add(time.Millisecond),
	}
}

func TestReceiptRoundTrip(t *testing.T) {
	queued := Receipt{ID: exampleEvent().Ref().String(), Tenant: "acme", Device: exampleEvent().Device}
	for _, want := range []Receipt{exampleReceipt(), queued} {
		local := want
		if !local.Accepted.IsZero() {
			local.Accepted = local.Accepted.In(time.FixedZone("", -7200))
		}
		got, err := ParseReceipt(local.Encode(now))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
		}
	}
}

// A state is for whoever asks now. Stored, it would be a lie tomorrow.
func TestAStateIsNotStored(t *testing.T) {
	want := exampleReceipt()
	now := want
	now.State, now.Since, now.Until = Called, now.Accepted, now.Ended
	if got, err := ParseReceipt(now.Encode(want.Ended)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestStatus(t *testing.T) {
	for want, r := range map[string]Receipt{
		"queued": {}, "waiting": {State: Waiting}, "refused": {State: Final, Outcome: Refused}, "accepted": {Outcome: Accepted},
	} {
		if got := r.Status(); got != want {
			t.Errorf("%+v is %s, want %s", r, got, want)
		}
	}
}

func TestReceiptEncode(t *testing.T) {
	r := exampleReceipt()
	var got map[string]any
	if err := json.Unmarshal(r.Encode(now), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "data")
	want := map[string]any{
		"specversion": "1.0", "id": r.ID, "source": "/changerelay", "type": "changerelay.outcome.v1",
		"time": "2026-11-23T10:01:00Z", "subject": "CHG0031337", "datacontenttype": "application/json",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	r.Ticket = "" // an event that could not be read; CloudEvents has no empty subject
	if strings.Contains(string(r.Encode(now)), `"subject"`) {
		t.Errorf("an empty subject in %s", r.Encode(now))
	}
}

func TestParseReceipt(t *testing.T) {
	newer := strings.NewReplacer(`"data":{`, `"level":1,"data":{"cost":{"calls":3},`, `"outcome":"refused"`, `"outcome":"postponed"`).
		Replace(string(exampleReceipt().Encode(now)))
	want := exampleReceipt()
	want.Outcome = "postponed"
	if got, err := ParseReceipt([]byte(newer)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("of a newer version: got %+v, %v", got, err)
	}
	for _, c := range []struct{ data, field, reason string }{
		{"", "", "is not a receipt"},
		{"[]", "", "is not a receipt"},
		{`{"type":7}`, "", "is not a receipt"},
		{example, "type", "want changerelay.outcome.v1"},
		{`{"type":"changerelay.outcome.v1","data":{"id":"x"}}`, "data.id", "is not an event's id"},
	} {
		_, err := ParseReceipt([]byte(c.data))
		wantInvalid(t, err, c.field, c.reason)
	}
}

// A time that JSON cannot say must not keep an outcome from being said.
func TestReceiptEncodesAnyTime(t *testing.T) {
	for _, c := range []struct{ at, want time.Time }{
		{time.Time{}, time.Time{}},
		{time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)}, // in UTC, year -1
		{time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600)), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)},
		{time.Unix(-1<<40, 0), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
		{time.Unix(1<<40, 0), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)},
	} {
		r := exampleReceipt()
		r.Accepted, r.Ended = c.at, c.at
		got, err := ParseReceipt(r.Encode(c.at))
		if err != nil || !got.Accepted.Equal(c.want) || !got.Ended.Equal(c.want) {
			t.Errorf("%v: accepted %v, ended %v, %v; want %v", c.at, got.Accepted, got.Ended, err, c.want)
		}
	}
}
