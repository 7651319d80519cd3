package ingest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"changerelay/internal/events"
)

// The whole table of answers: what is sent, and the code, the word in the body
// and the word in the log that come of it.
func TestAnswers(t *testing.T) {
	with := func(r *http.Request, name, value string) *http.Request {
		r.Header.Set(name, value)
		return r
	}
	twice := func(r *http.Request, name string) *http.Request {
		r.Header.Add(name, r.Header.Get(name))
		return r
	}
	chunked := func(r *http.Request) *http.Request { r.ContentLength = -1; return r }
	good := func() *http.Request { return desk(deskKey, "/v1/changes", change("1", "acme", "a"), clock) }
	big := strings.Repeat("x", DefaultMaxBody+1)
	for name, c := range map[string]struct {
		request *http.Request
		before  func(*world)
		code    int
		body    string // part of it
		word    string // outcome in the log
	}{
		"cloudevent":           {good(), nil, 202, `"status":"queued","duplicate":false,"url":"/v1/changes/acme.` + phone, "queued"},
		"cloudevent on a hook": {desk(deskKey, "/v1/hooks/desk", change("1", "acme", "a"), clock), nil, 202, `"queued"`, "queued"},
		"cloudevent media":     {with(good(), "Content-Type", "Application/CloudEvents+JSON; charset=utf-8"), nil, 202, `"queued"`, "queued"},
		"servicenow":           {snow("/v1/hooks/snow", snowBody), nil, 202, `{"id":"acme.` + phone, "queued"},
		"identity":             {with(good(), "Content-Encoding", "identity"), nil, 202, `"queued"`, "queued"},
		"chunked":              {chunked(good()), nil, 202, `"queued"`, "queued"},
		"duplicate":            {good(), func(w *world) { w.do(good()) }, 200, `"status":"duplicate","duplicate":true`, "duplicate"},
		"conflict": {good(), func(w *world) { w.do(desk(deskKey, "/v1/changes", change("1", "acme", "b"), clock)) },
			409, `"error":"conflict","reason":"an event with this source and id`, "conflict"},
		"not approved": {snow("/v1/hooks/snow", `{"approval":"requested"}`), nil, 200, `{"status":"ignored","reason":"the record is not approved`, "ignored"},

		"no signature":           {post("/v1/changes", "{}"), nil, 401, unauthorized, "unauthorized"},
		"another key":            {desk("some-key", "/v1/changes", "{}", clock), nil, 401, unauthorized, "unauthorized"},
		"too old":                {desk(deskKey, "/v1/changes", "{}", clock.Add(-time.Hour)), nil, 401, unauthorized, "unauthorized"},
		"another source's key":   {desk(deskKey, "/v1/hooks/root", "{}", clock), nil, 401, unauthorized, "unauthorized"},
		"unknown source":         {snow("/v1/hooks/nobody", snowBody), nil, 401, unauthorized, "unauthorized"},
		"401 before 415":         {with(post("/v1/hooks/snow", "{}"), "Content-Type", "text/plain"), nil, 401, unauthorized, "unauthorized"},
		"401 before 422":         {post("/v1/hooks/snow", "{"), nil, 401, unauthorized, "unauthorized"},
		"servicenow key at desk": {snow("/v1/changes", snowBody), nil, 401, unauthorized, "unauthorized"},

		"tenant of others":  {desk(deskKey, "/v1/changes", change("1", "initech", "a"), clock), nil, 403, "source desk may not speak for tenant initech", "forbidden"},
		"tenant of nobody":  {desk("the-key-of-another-desk!", "/v1/changes", change("1", "acne", "a"), clock), nil, 202, `"reason":"tenant acne is not in the configuration here; unless`, "queued"},
		"any tenant":        {desk("the-key-of-another-desk!", "/v1/changes", change("1", "initech", "a"), clock), nil, 202, "queued", "queued"},
		"announced too big": {post("/v1/changes", big), nil, 413, `"error":"too_large"`, "too_large"},
		"chunked too big":   {chunked(post("/v1/changes", big)), nil, 413, `"error":"too_large"`, "too_large"},
		"just fits":         {desk(deskKey, "/v1/changes", big[:DefaultMaxBody], clock), nil, 422, `"error":"invalid"`, "invalid"},
		"gzip":              {with(good(), "Content-Encoding", "gzip"), nil, 415, "Content-Encoding", "unsupported_media_type"},
		"text":              {with(good(), "Content-Type", "text/plain"), nil, 415, "Content-Type", "unsupported_media_type"},
		"no media type":     {with(good(), "Content-Type", ""), nil, 415, "Content-Type", "unsupported_media_type"},
		"batch":             {with(desk(deskKey, "/v1/changes", "["+change("1", "acme", "a")+","+change("2", "acme", "b")+"]", clock), "Content-Type", "application/cloudevents-batch+json"), nil, 202, `{"events":[{"id":"acme.`, "queued"},
		"two media types":   {twice(good(), "Content-Type"), nil, 415, "Content-Type", "unsupported_media_type"},
		"other charset":     {with(good(), "Content-Type", "application/json; charset=utf-16"), nil, 415, "UTF-8", "unsupported_media_type"},
		"invalid":           {snow("/v1/hooks/snow", strings.Replace(snowBody, phone, "phone", 1)), nil, 422, `{"error":"invalid","field":"u_intune_device_id","reason":"\"phone\" is not a UUID`, "invalid"},
		"not JSON":          {snow("/v1/hooks/snow", "{"), nil, 422, `"request_id":"`, "invalid"},

		"broker away":         {good(), func(w *world) { w.broker.away = errors.New("nats: no responders") }, 503, `"error":"unavailable"`, "unavailable"},
		"broker says invalid": {good(), func(w *world) { w.broker.away = &events.InvalidError{Field: "id"} }, 503, `"error":"unavailable"`, "unavailable"},
		"broker confused":     {good(), func(w *world) { w.broker.away = http.ErrBodyNotAllowed }, 503, `"error":"unavailable"`, "unavailable"},
		"too many":            {good(), func(w *world) { w.inFlight.Store(MaxInFlight) }, 503, "too much is in progress", "unavailable"},
		"panic":               {good(), func(w *world) { w.broker.panics = "Body-Text-Nobody-Logs" }, 500, `"error":"internal"`, "internal"},

		"receipt":         {get(ref("acme", "1")), func(w *world) { w.do(good()) }, 200, `{"status":"queued","id":"` + ref("acme", "1") + `","ticket":"CHG0031337"`, "found"},
		"no receipt":      {get(ref("acme", "2")), nil, 404, `"error":"not_found"`, "not_found"},
		"no id":           {get("..%2Fetc"), nil, 404, `"error":"not_found"`, "not_found"},
		"finder away":     {get(ref("acme", "2")), func(w *world) { w.broker.away = io.ErrUnexpectedEOF }, 503, `"error":"unavailable"`, "unavailable"},
		"no route":        {post("/v1/secret?token=Body-Text-Nobody-Logs", "{}"), nil, 404, `"error":"not_found"`, "not_found"},
		"no method":       {get(""), nil, 404, `"error":"not_found"`, "not_found"},
		"no put":          {httpRequest("PUT", "/v1/changes"), nil, 405, `"error":"method_not_allowed"`, "method_not_allowed"},
		"options":         {httpRequest("OPTIONS", "/v1/changes"), nil, 405, `"error":"method_not_allowed"`, "method_not_allowed"},
		"document":        {httpRequest("GET", "/v1/openapi.json"), nil, 200, `"openapi": "3.`, "found"},
		"no get on hooks": {httpRequest("GET", "/v1/hooks/snow"), nil, 405, `"error":"method_not_allowed"`, "method_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.before != nil {
				c.before(w)
			}
			before := w.inFlight.Load()
			rec := w.do(c.request)
			if rec.Code != c.code || !strings.Contains(rec.Body.String(), c.body) {
				t.Errorf("got %d %s; want %d %s", rec.Code, rec.Body, c.code, c.body)
			}
			line := w.lastLine(t)
			if line["outcome"] != c.word || line["code"] != float64(c.code) {
				t.Errorf("the log has %v; want outcome %s", line, c.word)
			}
			if id := rec.Header().Get("X-Request-Id"); len(id) < 20 || line["request_id"] != id {
				t.Errorf("request id %q is not the log's %v", id, line["request_id"])
			}
			if allow := rec.Header().Get("Allow"); (allow != "") != (c.code == 405) {
				t.Errorf("Allow is %q with %d", allow, c.code)
			}
			if retry := rec.Header().Get("Retry-After"); (retry == "30") != (c.code == 503) {
				t.Errorf("Retry-After is %q with %d", retry, c.code)
			}
			if w.inFlight.Load() != before {
				t.Errorf("%d bytes are still claimed", w.inFlight.Load()-before)
			}
			if n := count(t, w); n != len(strings.Split(strings.TrimSpace(w.log.String()), "\n")) {
				t.Errorf("%d requests are counted", n)
			}
		})
	}
}

const unauthorized = `{"error":"unauthorized","reason":"the request is not signed as the source's configuration asks"}` + "\n"

func httpRequest(method, path string) *http.Request {
	r := post(path, "")
	r.Method = method
	return r
}

func get(id string) *http.Request { return httpRequest(http.MethodGet, "/v1/changes/"+id) }

func ref(tenant, id string) string {
	return events.Ref{Address: events.Address{Tenant: tenant, Device: phone}, Key: events.Key("/desk", id)}.String()
}

// count is the number of requests in the metrics, all of known codes.
func count(t *testing.T, w *world) (n int) {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "changerelay_ingest_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			n += int(m.GetCounter().GetValue())
			for _, l := range m.GetLabel() {
				if l.GetName() == "code" && l.GetValue() == "unknown" {
					t.Errorf("a code is not in the closed set")
				}
			}
		}
	}
	return n
}

// The 401 answer is the same bytes for every cause: body and headers, but for
// the request's id.
func TestUnauthorizedTellsNothing(t *testing.T) {
	w := newWorld(t)
	for reason, r := range map[string]*http.Request{
		"missing_header":    post("/v1/hooks/desk", "{}"),
		"unknown_source":    desk(deskKey, "/v1/hooks/nobody", "{}", clock),
		"bad_signature":     desk("some-key", "/v1/changes", "{}", clock),
		"outside_tolerance": desk(deskKey, "/v1/changes", "{}", clock.Add(301*time.Second)),
		"bad_timestamp": func() *http.Request {
			r := desk(deskKey, "/v1/hooks/desk", "{}", clock)
			r.Header.Set("Webhook-Timestamp", "1e9")
			return r
		}(),
		"repeated_header": func() *http.Request {
			r := desk(deskKey, "/v1/hooks/desk", "{}", clock)
			r.Header.Add("Webhook-Id", "2")
			return r
		}(),
	} {
		rec := w.do(r)
		rec.Header().Del("X-Request-Id")
		if rec.Code != 401 || rec.Body.String() != unauthorized || len(rec.Header()) != 3 {
			t.Errorf("%s: got %d %s %v", reason, rec.Code, rec.Body, rec.Header())
		}
		if got := w.lastLine(t)["reason"]; got != reason {
			t.Errorf("the log has the reason %v, want %s", got, reason)
		}
	}
	if n := testutil.ToFloat64(w.metrics.Refusals.WithLabelValues("unknown", "unknown_source")); n != 1 {
		t.Errorf("unknown sources are counted %v times", n)
	}
}
