package verify

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

// Each kind of check names the key of a request that is right but for that key's
// end, and none for any other refusal.
func TestExpiredKeys(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 43, 0, 0, time.UTC)
	past := []Key{{ID: "old", Secret: "the-old-secret-of-these-tests", NotAfter: now.Add(-time.Second)}}
	next := []Key{{ID: "old", Secret: "the-old-secret-of-these-tests", NotBefore: now.Add(time.Second)}}
	states := func(secrets ...string) []byte {
		body := `{"value":[`
		for i, s := range secrets {
			if i > 0 {
				body += ","
			}
			body += `{"clientState":"` + s + `"}`
		}
		return []byte(body + `]}`)
	}
	for name, c := range map[string]struct {
		make func(keys []Key) Config
		good Request
		bad  Request
	}{
		"header": {func(ks []Key) Config { return Config{Header: &Header{Name: "X-Token", Keys: ks}} },
			Request{Header: http.Header{"X-Token": {"the-old-secret-of-these-tests"}}}, Request{Header: http.Header{"X-Token": {"another-secret"}}}},
		"basic": {func(ks []Key) Config { return Config{Basic: &Basic{User: "u", Keys: ks}} },
			Request{Header: http.Header{"Authorization": {"Basic dTp0aGUtb2xkLXNlY3JldC1vZi10aGVzZS10ZXN0cw=="}}}, Request{Header: http.Header{"Authorization": {"Basic dTp4"}}}},
		"client_state": {func(ks []Key) Config { return Config{ClientState: &ClientState{Keys: ks}} },
			Request{Body: states("the-old-secret-of-these-tests", "the-old-secret-of-these-tests")}, Request{Body: states("the-old-secret-of-these-tests", "another")}},
	} {
		for what, keys := range map[string][]Key{"past": past, "next": next} {
			v, err := New(c.make(keys))
			if err != nil {
				t.Fatal(name, err)
			}
			for is, r := range map[string]Request{"good": c.good, "bad": c.bad} {
				_, err := v.Verify(&r, now)
				var refusal *Refusal
				if !errors.As(err, &refusal) {
					t.Fatalf("%s %s %s: %v", name, what, is, err)
				}
				want := what == "past" && is == "good"
				if got := len(refusal.Expired) == 1 && refusal.Expired[0] == (Use{name, "old"}); got != want || !got && refusal.Expired != nil {
					t.Errorf("%s %s %s: %v, expired %v", name, what, is, refusal.Reason, refusal.Expired)
				}
			}
			if end, ok := v.Ends()[Use{name, "old"}]; ok != (what == "past") || ok && !end.Equal(past[0].NotAfter) {
				t.Errorf("%s %s: ends %v", name, what, v.Ends())
			}
		}
	}
}
