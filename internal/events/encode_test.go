package events

import (
	"encoding/json"
	"testing"
	"time"
)

// FuzzEncode holds Encode to encoding/json, byte for byte: what is stored under
// an id must stay equal for every version of the relay.
func FuzzEncode(f *testing.F) {
	f.Add("CHG0031337-1", "/servicenow/acme", "CHG0031337", "acme", "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11", "remove", "a7d7a9a2", "application", int64(1_790_000_000), int64(0), 1)
	f.Add("a \"quoted\" \\ word", "<&>", "", "\u2028\u2029", "\x00\x1f\x7f", "é€😀", "\xff\xc0", "\ufffd", int64(-1), int64(999_999_999), 3)
	f.Add("", "", " ", "\t\n\r\b\f", "/", "'", "`", "~", int64(1_790_000_000), int64(120_000_000), 0)
	f.Add("", "", "", "", "", "", "", "", int64(253_402_300_799), int64(1), -1)
	f.Add("CHG0031337-2", "/servicenow/acme", "CHG0031337", "acme", "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11", "restore_all", "", "", int64(1_790_000_000), int64(0), 1)
	f.Fuzz(func(t *testing.T, id, source, ticket, tenant, device, intent, item, kind string, s, ns int64, n int) {
		e := Event{ID: id, Source: source, Ticket: ticket, Tenant: tenant, Device: device, Time: time.Unix(s%(1<<40), ns%1e9), Arrival: n%2 == 1}
		if n%3 == 1 {
			e.Target = Target(item)
		}
		if n >= 0 {
			e.Changes = make([]Change, n%4)
		}
		for i := range e.Changes {
			e.Changes[i] = Change{Intent(intent), Item{item, ItemType(kind)}}
		}
		want, err := json.Marshal(envelope{
			SpecVersion: "1.0", ID: id, Source: source, Type: Type, Time: e.Time.UTC().Format(time.RFC3339Nano), Subject: ticket,
			DataContentType: "application/json", ArrivalTime: e.Arrival, Data: struct {
				Tenant  string   `json:"tenant"`
				Device  string   `json:"device,omitempty"`
				Target  Target   `json:"target,omitempty"`
				Changes []Change `json:"changes"`
			}{tenant, device, e.Target, e.Changes},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Encode(); string(got) != string(want) {
			t.Errorf("encoded\n%s, want\n%s", got, want)
		}
	})
}

// Tokens are in the subjects of stored messages, and must never change.
func TestTokens(t *testing.T) {
	long := func(n int) string { return string(make([]byte, n)) }
	for _, c := range []struct{ got, want string }{
		{Key("/servicenow/acme", "CHG0031337-1"), "ok70b5ehat96u2mihbs7jpqv02"},
		{Key("", ""), "iqh9dkh4ua2scuveif1gv2hgi5"},
		{Key(long(MaxID), long(MaxID)), "ik40ct3qc58qu5ktdqskah9oq1"},
		{Key(long(4*MaxID), long(70_000)), "mbtuqqu2f7no52fsmoe6v6cmro"},
		{TicketToken("CHG0031337"), "jjkrrqvapimedibm"},
		{TicketToken(""), "seoc8gkovge196nr"},
		{TicketToken(long(3 * MaxTicket)), "k6ifasgs3h311brv"},
	} {
		if c.got != c.want {
			t.Errorf("token %s, want %s", c.got, c.want)
		}
	}
}
