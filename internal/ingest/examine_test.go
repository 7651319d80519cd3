package ingest

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
)

// A dry run says what a server does, in more words, and does nothing.
func TestExamine(t *testing.T) {
	stamp := clock.Truncate(time.Second)
	for name, c := range map[string]struct {
		source  string
		request *http.Request
		body    string
		want    Report // Events and Invalid apart
		events  int
		invalid string
	}{
		"verified": {"desk", desk(deskKey, "/v1/hooks/desk", "", clock), change("1", "acme", "a"),
			Report{Checks: []string{"signature"}, Keys: []verify.Use{{Check: "signature", Key: "k1"}}, Delivery: "msg_1", Timestamp: stamp, Code: 202, Word: "queued"}, 1, ""},
		"older key": {"snow", snow("/v1/hooks/snow", ""), snowBody,
			Report{Checks: []string{"signature"}, Keys: []verify.Use{{Check: "signature", Key: "k2"}}, Code: 202, Word: "queued"}, 1, ""},
		"no signature": {"desk", post("/v1/hooks/desk", ""), "{}", Report{Refusal: verify.MissingHeader, Code: 401, Word: "unauthorized"}, 0, ""},
		"ignored": {"snow", snow("/v1/hooks/snow", ""), `{"approval":"requested"}`,
			Report{Checks: []string{"signature"}, Keys: []verify.Use{{Check: "signature", Key: "k2"}}, Ignored: "the record is not approved: approval says \"requested\", not approved; what else approves is set under approved", Code: 200, Word: "ignored"}, 0, ""},
		"invalid": {"snow", snow("/v1/hooks/snow", ""), "{",
			Report{Checks: []string{"signature"}, Keys: []verify.Use{{Check: "signature", Key: "k2"}}, Code: 422, Word: "invalid"}, 0, "is not complete JSON"},
		"forbidden": {"desk", desk(deskKey, "/v1/hooks/desk", "", clock), change("1", "initech", "a"),
			Report{Checks: []string{"signature"}, Keys: []verify.Use{{Check: "signature", Key: "k1"}}, Delivery: "msg_1", Timestamp: stamp,
				Problem: "data.tenant: source desk may not speak for tenant initech", Code: 403, Word: "forbidden"}, 0, ""},
		"too large": {"snow", snow("/v1/hooks/snow", ""), strings.Repeat("x", DefaultMaxBody+1), Report{Problem: "the body has more than 262144 bytes", Code: 413, Word: "too_large"}, 0, ""},
		"handshake": {"shake-graph", post("/v1/hooks/shake-graph?validationToken=a", ""), "", Report{Handshake: "graph", Code: 200, Word: "handshake"}, 0, ""},
		"slack": {"shake-slack", shake("POST", "/v1/hooks/shake-slack", ""), `{"type":"url_verification","challenge":"c"}`,
			Report{Checks: []string{"signature"}, Keys: []verify.Use{{Check: "signature", Key: "k1"}}, Handshake: "slack", Code: 200, Word: "handshake"}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := resigned(c.request, c.body)
			w := newWorld(t, withShakes)
			got, err := Examine(w.source(c.source), []string{"acme", "globex", "initech"}, *request(r, []byte(c.body)), clock)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Events) != c.events || (got.Invalid != nil) != (c.invalid != "") || got.Invalid != nil && !strings.Contains(got.Invalid.Error(), c.invalid) {
				t.Errorf("got %+v", got)
			}
			got.Events, got.Invalid = nil, nil
			if !got.Timestamp.Equal(c.want.Timestamp) {
				t.Errorf("the timestamp is %v, want %v", got.Timestamp, c.want.Timestamp)
			}
			got.Timestamp = c.want.Timestamp
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			if rec := w.do(r); rec.Code != got.Code || w.lastLine(t)["outcome"] != got.Word {
				t.Errorf("the server says %d %s, the report %d %s", rec.Code, rec.Body, got.Code, got.Word)
			}
		})
	}
}

// resigned gives a request the body, and signs it again if it is signed.
func resigned(r *http.Request, body string) *http.Request {
	again := post(r.URL.RequestURI(), body)
	switch {
	case r.Header.Get("Webhook-Id") != "":
		return desk(deskKey, r.URL.Path, body, clock)
	case strings.Contains(r.URL.Path, "shake") && r.Header.Get("X-Hmac-Signature") != "":
		return shake("POST", r.URL.Path, body)
	case r.Header.Get("X-Hmac-Signature") != "":
		return snow(r.URL.Path, body)
	}
	return again
}

// The report's events are those that a server publishes, under the same ids.
func TestExamineFindsTheSameEvents(t *testing.T) {
	w := newWorld(t)
	r := snow("/v1/hooks/snow", snowBody)
	got, err := Examine(w.source("snow"), []string{"acme"}, *request(r, []byte(snowBody)), clock)
	if err != nil || len(got.Events) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	w.do(r)
	if e, ok := w.broker.stored[got.Events[0].Ref().String()]; !ok || e.Digest() != got.Events[0].Digest() {
		t.Errorf("%v is not what is stored: %v", got.Events[0], w.broker.stored)
	}
}

func TestExamineRefusesConfiguration(t *testing.T) {
	_, err := Examine(Source{Name: "a", Kind: "servicenow", Tenants: []string{"acme"}}, nil, verify.Request{}, clock)
	if err == nil || !strings.Contains(err.Error(), `tenants: "acme" is not configured`) {
		t.Errorf("got %v", err)
	}
}

// Each report says one thing.
func TestReportSaysOneThing(t *testing.T) {
	for _, r := range []Report{
		report(finding{}, &verify.Refusal{Reason: verify.BadSignature}), report(finding{}, &unsupported{"Content-Type"}),
		report(finding{}, &events.InvalidError{Field: "id"}), report(finding{}, &forbidden{source: "a"}), report(finding{handshake: shaken("slack", nil)}, nil),
	} {
		said := []bool{r.Refusal != "", r.Handshake != "", r.Ignored != "", r.Events != nil, r.Invalid != nil, r.Problem != ""}
		if n := len(slices.DeleteFunc(said, func(b bool) bool { return !b })); n != 1 {
			t.Errorf("%+v says %d things", r, n)
		}
	}
}
