package verify

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// A key lets in from its first moment to its last, both included, as long as
// the request is otherwise right.
func TestKeysAreGoodFromTo(t *testing.T) {
	before, after := clock.Add(-time.Nanosecond), clock.Add(time.Nanosecond)
	for _, c := range []struct {
		from, to time.Time
		want     Reason
	}{
		{time.Time{}, time.Time{}, ""},
		{clock, clock, ""},
		{before, after, ""},
		{clock, time.Time{}, ""},
		{time.Time{}, clock, ""},
		{after, time.Time{}, InactiveKey},
		{time.Time{}, before, InactiveKey},
	} {
		k, err := newHeader(Header{"Authorization", "Bearer ", []Key{{"k", token, c.from, c.to}}}, MinSecret)
		built(t, k, err)
		if _, got := k.verify(authorization("Bearer "+token), clock); got != c.want {
			t.Errorf("%v to %v: got %q, want %q", c.from, c.to, got, c.want)
		}
		if _, got := k.verify(authorization("Bearer "+token[1:]), clock); got != BadSecret {
			t.Errorf("%v to %v, another secret: got %q, want %q", c.from, c.to, got, BadSecret)
		}
	}
}

// While a secret is rotated, senders sign with the old one, the new one, or
// both; the id says with which, wherever it stands.
func TestRotation(t *testing.T) {
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("the key that comes after"))
	past, yet := clock.Add(-time.Hour), clock.Add(time.Hour)
	mine, theirs := Key{ID: "mine", Secret: secret}, Key{ID: "theirs", Secret: other}
	expired, coming := Key{ID: "expired", Secret: secret, NotAfter: past}, Key{ID: "coming", Secret: other, NotBefore: yet}
	both, err := Sign(StandardWebhooks(), other, "msg_1", clock, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	both.Set("Webhook-Signature", request("{}").Get("Webhook-Signature")+" "+both.Get("Webhook-Signature"))
	for name, c := range map[string]struct {
		keys    []Key
		header  http.Header
		want    string
		refusal Reason
	}{
		"first":                {[]Key{mine, theirs}, request("{}"), "mine", ""},
		"last":                 {[]Key{theirs, mine}, request("{}"), "mine", ""},
		"expired":              {[]Key{expired, theirs}, request("{}"), "", InactiveKey},
		"not yet":              {[]Key{coming, mine}, request("{}"), "mine", ""},
		"both signed, one old": {[]Key{expired, theirs}, both, "theirs", ""},
		"both signed, one new": {[]Key{coming, mine}, both, "mine", ""},
		"both signed, no good": {[]Key{coming, expired}, both, "", InactiveKey},
		"by nobody":            {[]Key{theirs}, request("{}"), "", BadSignature},
	} {
		v, err := newSignature(StandardWebhooks(), c.keys)
		if err != nil {
			t.Fatal(err)
		}
		d, refusal := v.verify(&Request{Header: c.header, Body: []byte("{}")}, clock)
		if refusal != c.refusal || c.want != "" && !slices.Equal(d.Uses, []Use{{"signature", c.want}}) {
			t.Errorf("%s: used %v, refused for %q; want %q, %q", name, d.Uses, refusal, c.want, c.refusal)
		}
	}
}

// A key that is configured wrongly stops its source, with the field's name.
func TestNewKeys(t *testing.T) {
	itself := func(s string) ([]byte, error) { return []byte(s), nil }
	for _, c := range []struct {
		want string
		keys []Key
	}{
		{"keys: there is none", nil},
		{"keys[0].id: want 1 to 128", []Key{{ID: `a"b`, Secret: "a"}}},
		{"keys[0].id: want 1 to 128", []Key{{ID: "a b", Secret: "a"}}},
		{"keys[0].id: want 1 to 128", []Key{{ID: strings.Repeat("a", 129), Secret: "a"}}},
		{"keys[1].id: another key of this check is \"a\" too", []Key{{ID: "a", Secret: "a"}, {ID: "a", Secret: "b"}}},
		{"keys[1].id: another key of this check is \"1\" too", []Key{{ID: "1", Secret: "a"}, {Secret: "b"}}},
		{"keys[1].secret: is listed twice", []Key{{ID: "a", Secret: "same"}, {ID: "b", Secret: "same"}}},
		{"keys[0].not_after: is before not_before", []Key{{Secret: "a", NotBefore: clock, NotAfter: clock.Add(-1)}}},
	} {
		if _, err := newKeys(c.keys, itself); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got %v; want %s", err, c.want)
		}
	}
	ring, err := newKeys([]Key{{Secret: "a"}, {ID: strings.Repeat("a.", 31) + "z", Secret: "b"}, {Secret: "c"}}, itself)
	if got, want := ids(ring), []string{"0", strings.Repeat("a.", 31) + "z", "2"}; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}
