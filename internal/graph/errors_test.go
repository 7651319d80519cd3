package graph_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"changerelay/internal/graph"
)

// words is the classification once more, by status, as the worker relies on it.
var words = map[graph.Kind][]int{
	"":                {200, 201, 202, 204, 299},
	graph.Refused:     {400, 405, 406, 411, 412, 413, 414, 415, 417, 422, 428, 507},
	graph.Gone:        {404, 410},
	graph.Denied:      {401, 402, 403, 431, 451},
	graph.Throttled:   {429},
	graph.Unavailable: {407, 421, 425},
	graph.InDoubt:     {300, 302, 304, 307, 408, 409, 418, 423, 424, 426, 499, 500, 501, 502, 503, 504, 505, 508, 509, 511, 520, 599},
}

func TestEveryStatus(t *testing.T) {
	c := newCloud(t, false)
	for want, list := range words {
		for _, status := range list {
			for _, f := range []struct{ body, id string }{
				{"", "r-1"}, {"<html>no</html>", "r-1"}, {`{"error":{"code":"X","message":"no"}}`, ""},
			} {
				if status == 204 || status == 304 {
					f.body = ""
				}
				c.graph = reply(status, f.body, "request-id", f.id)
				g := c.client(t)
				err := post(t, g)
				if want == "" {
					if err != nil && f.id != "" {
						t.Errorf("%d: %v", status, err)
					}
					continue
				}
				if e := kind(t, err, want); e.Status != status {
					t.Errorf("%v: status %d, want %d", e, e.Status, status)
				}
				if status == 401 {
					continue // its second look at the token is held for a moment
				}
				if want == graph.InDoubt {
					kind(t, read(t, g), graph.Unavailable)
				} else {
					kind(t, read(t, g), want)
				}
			}
		}
	}
}

// What has neither request-id nor error object is a gateway's: it blames
// nobody, and says nothing about the set once that has left.
func TestGatewaysBlameNobody(t *testing.T) {
	c := newCloud(t, false)
	for _, body := range []string{"", "<html>Not Found</html>", `{"message":"no route"}`, `{"error":"not_found"}`, `{"error":{}}`, "[1]"} {
		for want, list := range words {
			open := want == "" || want == graph.Refused || want == graph.Gone || want == graph.InDoubt
			for _, status := range list {
				if status == 401 || status == 204 || status == 304 || want == "" && body == "" {
					continue
				}
				c.graph = reply(status, body)
				g := c.client(t)
				e := kind(t, post(t, g), map[bool]graph.Kind{true: graph.InDoubt, false: want}[open])
				if e.Status != status || open && !strings.Contains(e.Message, "not Graph's") {
					t.Errorf("%d %s: %+v", status, body, e)
				}
				if open && want != "" {
					kind(t, read(t, g), graph.Unavailable)
				}
			}
		}
	}
	c.graph = reply(200, "<html>sign in</html>")
	kind(t, read(t, c.client(t)), graph.Unavailable)
}

// A gateway that answers before the set has left cannot have passed it on.
func TestGatewayThatDoesNotListen(t *testing.T) {
	c := newCloud(t, false)
	for _, status := range []int{200, 400, 404, 503} {
		g := c.client(t, func(conf *graph.Config) {
			base := conf.Transport
			conf.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				if !strings.HasPrefix(r.URL.Path, "/beta/") {
					return base.RoundTrip(r)
				}
				w := httptest.NewRecorder()
				reply(status, "<html>no</html>")(w, r, 0)
				return w.Result(), nil
			})
		})
		kind(t, post(t, g), graph.Unavailable)
	}
}

func TestApprovalRequired(t *testing.T) {
	const code = "0d2c2f27-55ac-4a5a-8f5b-0123456789ab"
	c := newCloud(t, false)
	g := c.client(t)
	for name, f := range map[string]struct {
		status       int
		body, header string
		want         graph.Kind
		code         string
	}{
		"403 code":          {403, `{"error":{"code":"ApprovalRequired","message":"ask x-msft-approval-code: ` + code + `"}}`, "", graph.ApprovalRequired, code},
		"403 header":        {403, ``, code, graph.ApprovalRequired, code},
		"412 header":        {412, `{"error":{"code":"BadRequest"}}`, code, graph.ApprovalRequired, code},
		"412 message":       {412, `{"error":{"code":"PreconditionFailed","message":"{\"Message\":\"x-msft-approval-code: ` + code + `\"}"}}`, "", graph.ApprovalRequired, code},
		"412 plain":         {412, `{"error":{"code":"PreconditionFailed"}}`, "", graph.Refused, ""},
		"409 active":        {409, `{"error":{"message":"An Active approval request already exists"}}`, "", graph.ApprovalRequired, ""},
		"409 plain":         {409, `{"error":{"message":"conflict"}}`, "", graph.InDoubt, ""},
		"403 justification": {403, `{"error":{"code":"Forbidden","message":"Header x-msft-approval-justification is required"}}`, "", graph.ApprovalRequired, ""},
		"403 plain":         {403, `{"error":{"code":"Forbidden","message":"no"}}`, "", graph.Denied, ""},
		"400 justification": {400, `{"error":{"message":"Header x-msft-approval-justification is required"}}`, "", graph.ApprovalRequired, ""},
	} {
		c.graph = reply(f.status, f.body, "x-msft-approval-code", f.header)
		if e := kind(t, post(t, g), f.want); e.ApprovalCode != f.code {
			t.Errorf("%s: approval code %q, want %q", name, e.ApprovalCode, f.code)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	g := c.client(t, func(conf *graph.Config) { conf.Now = now.Now })
	at := func(d time.Duration) string { return now.Now().Add(d).Format(http.TimeFormat) }
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "10": 10 * time.Second, " 7 ": 7 * time.Second, "1.5": 1500 * time.Millisecond,
		"-5": 0, "soon": 0, "NaN": 0, "-Inf": 0, "600": 10 * time.Minute, "601": 10 * time.Minute,
		"99999999999999999999": 10 * time.Minute, "1e300": 10 * time.Minute,
		at(30 * time.Second): 30 * time.Second, at(-time.Hour): 0, at(48 * time.Hour): 10 * time.Minute,
	} {
		for _, status := range []int{429, 503} {
			c.graph = reply(status, "", "Retry-After", text, "Date", at(0))
			var e *graph.Error
			if err := post(t, g); !errors.As(err, &e) || e.RetryAfter != want {
				t.Errorf("Retry-After %q: %v, want %v", text, e.RetryAfter, want)
			}
		}
	}
}

// TestRetryAfterByTheirClock: a date is read by the clock of whoever wrote it.
func TestRetryAfterByTheirClock(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	g := c.client(t, func(conf *graph.Config) { conf.Now = now.Now })
	for _, off := range []time.Duration{-time.Hour, -5 * time.Minute, 5 * time.Minute, time.Hour} {
		theirs := now.Now().Add(off)
		late := reply(429, "", "Retry-After", theirs.Add(7*time.Second).Format(http.TimeFormat), "Date", theirs.Format(http.TimeFormat))
		c.graph = late
		var e *graph.Error
		if err := post(t, g); !errors.As(err, &e) || e.RetryAfter != 7*time.Second {
			t.Errorf("Graph's clock is %v off: wait %v, want 7s", off, e.RetryAfter)
		}
	}
}

func TestErrorBodies(t *testing.T) {
	const trail = ` - Operation ID (for customer support): 0000 - Activity ID: 1 - Url: https://fef.msub01.manage.microsoft.com/DeviceFE`
	c := newCloud(t, false)
	g := c.client(t)
	for _, f := range []struct{ body, code, message, id string }{
		{`{"error":{"code":"BadRequest","message":"plain","innerError":{"request-id":"i-1"}}}`, "BadRequest", "plain", "i-1"},
		{`{"error":{"code":"BadRequest","message":"plain","innererror":{"innererror":{"request-id":"i-2"}}}}`, "BadRequest", "plain", "i-2"},
		{`{"error":{"code":"Forbidden","message":"{\"_version\":3,\"Message\":\"not authorized` + trail + `\",\"CustomApiErrorPhrase\":\"\",\"RetryAfter\":null}"}}`, "Forbidden", "not authorized", ""},
		{`{"error":{"code":"UnknownError","message":"{\"ErrorCode\":\"Licence\",\"Message\":\"{\\\"Message\\\":\\\"deep\\\"}\"}"}}`, "Licence", "deep", ""},
		{`{"error":{"code":"","message":"{\"Message\":\"\",\"CustomApiErrorPhrase\":\"phrase\"}"}}`, "", "phrase", ""},
		{`{"error":{"code":"X","message":"{broken"}}`, "X", "{broken", ""},
		{`{"error":{"code":"X","message":"line\nbreak\u0000"}}`, "X", "line break", ""},
		{`{"error":"a string"}`, "", "", ""},
		{`[1]`, "", "", ""},
		{`<html>Bad Gateway</html>`, "", "", ""},
		{``, "", "", ""},
	} {
		c.graph = reply(422, f.body, "request-id", "r-1")
		e := kind(t, post(t, g), graph.Refused)
		c.graph = reply(403, f.body) // no id but the body's
		inner := kind(t, post(t, g), graph.Denied).RequestID
		if e.Code != f.code || e.Message != f.message || e.RequestID != "r-1" || inner != f.id {
			t.Errorf("%s:\ngot  %q %q %q\nwant %q %q %q", f.body, e.Code, e.Message, inner, f.code, f.message, f.id)
		}
	}
}

func TestNestedRetryAfterAndLongMessage(t *testing.T) {
	c := newCloud(t, false)
	g := c.client(t)
	c.graph = reply(429, `{"error":{"code":"TooManyRequests","message":"{\"Message\":\"`+strings.Repeat("slow ", 100)+`\",\"RetryAfter\":20}"}}`)
	e := kind(t, post(t, g), graph.Throttled)
	if e.RetryAfter != 20*time.Second || len([]rune(e.Message)) != 200 {
		t.Errorf("%v, %d characters", e.RetryAfter, len([]rune(e.Message)))
	}
}

func TestErrorText(t *testing.T) {
	e := &graph.Error{
		Op: "changing assignments", Kind: graph.Denied, Status: 403, Code: "Forbidden", Message: "no scope",
		RequestID: "r-1", Err: syscall.ECONNRESET,
	}
	want := "changing assignments: denied: 403 Forbidden: no scope: connection reset by peer (request-id r-1)"
	if e.Error() != want || !errors.Is(e, syscall.ECONNRESET) {
		t.Errorf("%q", e)
	}
}

// A 403 to a set that comes with an approval's code is about the approval. Without
// one it is the tenant's permission.
func TestARejectedApprovalBlamesNoTenant(t *testing.T) {
	c := newCloud(t, false)
	c.graph = reply(403, `{"error":{"code":"Forbidden","message":"The approval request was rejected."}}`, "request-id", "r-1")
	g := c.client(t)
	for code, want := range map[string]graph.Kind{"": graph.Denied, "3f1c2b7a-5e0d-4c8b-9a61-7d2e4f6a8b0c": graph.Refused} {
		_, err := g.ChangeAssignments(t.Context(), graph.ManagedDevice(device), nil, time.Time{}, graph.Consent{Code: code})
		kind(t, err, want)
	}
}
