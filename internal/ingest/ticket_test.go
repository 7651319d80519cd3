package ingest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
)

const rootKey = "the-key-of-another-desk!"

// ask is a request for a ticket that a desk has signed, as it signs a change with
// an empty body.
func ask(key, query string) *http.Request {
	r := desk(key, "/v1/changes?"+query, "", clock)
	r.Method = http.MethodGet
	r.Header.Del("Content-Type")
	return r
}

// withTickets is a world with three events of one ticket, and one of another.
func withTickets(t *testing.T, alter ...func(*Config)) *world {
	t.Helper()
	w := newWorld(t, alter...)
	for _, body := range []string{change("1", "acme", "a"), change("2", "globex", "a"), change("3", "initech", "a"),
		strings.Replace(change("4", "acme", "a"), "CHG0031337", "CHG0031338", 1)} {
		if rec := w.do(desk(rootKey, "/v1/changes", body, clock)); rec.Code != 202 {
			t.Fatalf("got %d %s", rec.Code, rec.Body)
		}
	}
	return w
}

func TestTicket(t *testing.T) {
	with := func(r *http.Request, name, value string) *http.Request { r.Header.Set(name, value); return r }
	for name, c := range map[string]struct {
		request *http.Request
		code    int
		want    string // ids, or part of the body
	}{
		"its own tenants":  {ask(deskKey, "ticket=CHG0031337"), 200, "acme globex"},
		"any tenant":       {ask(rootKey, "ticket=CHG0031337"), 200, "acme globex initech"},
		"one tenant":       {ask(rootKey, "ticket=CHG0031337&tenant=globex"), 200, "globex"},
		"another ticket":   {ask(deskKey, "ticket=CHG0031338"), 200, "acme"},
		"none":             {ask(deskKey, "ticket=CHG0031339"), 200, ""},
		"odd":              {ask(deskKey, "ticket=%2A.%3E+%00"), 200, ""},
		"others' tenant":   {ask(deskKey, "ticket=CHG0031337&tenant=initech"), 403, `"field":"tenant","reason":"source desk may not ask for tenant initech`},
		"no such tenant":   {ask(rootKey, "ticket=CHG0031337&tenant=hooli"), 403, `"field":"tenant"`},
		"no tenant's name": {ask(rootKey, "ticket=CHG0031337&tenant=%0A"), 400, `"error":"bad_query","field":"tenant"`},
		"two tenants":      {ask(rootKey, "ticket=CHG0031337&tenant=acme&tenant=globex"), 400, `"field":"tenant"`},
		"no ticket":        {ask(deskKey, "wait=1s"), 400, `"field":"ticket"`},
		"two tickets":      {ask(deskKey, "ticket=CHG0031337&ticket=CHG0031338"), 400, `"field":"ticket"`},
		"a long ticket":    {ask(deskKey, "ticket="+strings.Repeat("x", events.MaxTicket+1)), 400, `"field":"ticket"`},
		"wait":             {ask(deskKey, "ticket=CHG0031337&wait=soon"), 400, `"field":"wait"`},

		"no signature":      {httpRequest("GET", "/v1/changes?ticket=CHG0031337"), 401, unauthorized},
		"401 before 400":    {httpRequest("GET", "/v1/changes"), 401, unauthorized},
		"another key":       {ask("some-key", "ticket=CHG0031337"), 401, unauthorized},
		"servicenow's key":  {ask(snowKey, "ticket=CHG0031337"), 401, unauthorized},
		"too old":           {with(ask(deskKey, "ticket=CHG0031337"), "Webhook-Timestamp", "1795000000"), 401, unauthorized},
		"another's address": {from("203.0.113.9", header("ticket=CHG0031337", "a-static-secret")), 401, unauthorized},
		"a static header":   {header("ticket=CHG0031337", "a-static-secret"), 200, "acme"},
		"its wrong secret":  {header("ticket=CHG0031337", "another-secret"), 401, unauthorized},
		"basic":             {basic("ticket=CHG0031337", "a-good-password"), 200, "globex"},
		"its wrong secret ": {basic("ticket=CHG0031337", "a-bad-password"), 401, unauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			w := withTickets(t,
				withSource("static", func(s *Source) {
					s.Kind, s.Checks = "cloudevents", verify.Config{Header: &verify.Header{Name: "X-Secret", Keys: []verify.Key{{Secret: "a-static-secret"}}}}
					s.AllowFrom = ranges("192.0.2.0/24")
				}),
				withSource("named", func(s *Source) {
					s.Kind, s.Tenants = "cloudevents", []string{"globex"}
					s.Checks = verify.Config{Basic: &verify.Basic{User: "reader", Keys: []verify.Key{{Secret: "a-good-password"}}}}
				}))
			rec := w.do(c.request)
			if rec.Code != c.code {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
			if c.code == 200 {
				if got := tenantsOf(t, rec.Body.Bytes()); got != c.want {
					t.Errorf("it is shown events of %q, want %q", got, c.want)
				}
			} else if !strings.Contains(rec.Body.String(), c.want) {
				t.Errorf("got %s", rec.Body)
			}
			if line := w.lastLine(t); (line["ticket"] != nil) != (c.code == 200 || c.want == `"field":"wait"`) || line["route"] != "/v1/changes" {
				t.Errorf("the log has %v", line)
			}
			w.nobodyWaits(t)
		})
	}
}

func header(query, secret string) *http.Request {
	r := httpRequest("GET", "/v1/changes?"+query)
	r.Header.Set("X-Secret", secret)
	return r
}

func basic(query, password string) *http.Request {
	r := httpRequest("GET", "/v1/changes?"+query)
	r.SetBasicAuth("reader", password)
	return r
}

// tenantsOf are the tenants of the events of an answer.
func tenantsOf(t *testing.T, body []byte) string {
	t.Helper()
	var list statuses
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatal(err)
	}
	var tenants []string
	for _, c := range list.Changes {
		tenants = append(tenants, c.Tenant)
		if c.Status != "queued" || c.State != events.Queued {
			t.Errorf("it is %s, %s", c.Status, c.State)
		}
	}
	if list.Total != len(list.Changes) {
		t.Errorf("there are %d of %d", len(list.Changes), list.Total)
	}
	return strings.Join(tenants, " ")
}

// A change that was captured is no key to read tickets with, and what reads
// tickets is none to send changes with.
func TestATicketsSignatureIsOfNothing(t *testing.T) {
	w := withTickets(t)
	captured := desk(deskKey, "/v1/changes?ticket=CHG0031337", change("1", "acme", "a"), clock)
	captured.Method = http.MethodGet
	if rec := w.do(captured); rec.Code != 401 {
		t.Errorf("with a body: got %d %s", rec.Code, rec.Body)
	}
	before := len(w.broker.stored)
	r := ask(deskKey, "ticket=CHG0031337")
	r.Method = http.MethodPost
	r.Header.Set("Content-Type", "application/json")
	if rec := w.do(r); rec.Code != 422 || len(w.broker.stored) != before {
		t.Errorf("as a change: got %d %s", rec.Code, rec.Body)
	}
}

// A look-up is a walk of the broker: a source has few of them. They count as its
// requests, too.
func TestTicketRate(t *testing.T) {
	w := withTickets(t)
	for i := range TicketRate.Burst {
		if rec := w.do(ask(deskKey, "ticket=CHG0031337")); rec.Code != 200 {
			t.Fatalf("%d: got %d %s", i, rec.Code, rec.Body)
		}
	}
	walks := w.broker.walks
	if rec := w.do(ask(deskKey, "ticket=CHG0031337")); rec.Code != 429 || rec.Header().Get("Retry-After") != "1" || w.broker.walks != walks {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
	if err := w.Reload(w.sources, known); err != nil {
		t.Fatal(err)
	}
	if rec := w.do(ask(deskKey, "ticket=CHG0031337")); rec.Code != 429 {
		t.Errorf("after a reload: got %d", rec.Code)
	}
	if rec := w.do(ask(rootKey, "ticket=CHG0031337")); rec.Code != 200 {
		t.Errorf("another source: got %d %s", rec.Code, rec.Body)
	}
	w = withTickets(t, withSource("desk", func(s *Source) { s.Rate = Rate{PerSecond: 0.1, Burst: 2} }))
	for i, code := range []int{200, 200, 429} {
		if rec := w.do(ask(deskKey, "ticket=CHG0031337")); rec.Code != code {
			t.Errorf("%d: got %d, want %d", i, rec.Code, code)
		}
	}
}

// Who waits for a ticket waits for all its events, and has the ticket looked for
// once.
func TestWaitForATicket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withTickets(t)
		began := time.Now()
		answered := w.waiting(ask(deskKey, "ticket=CHG0031337&wait=60s"))
		time.Sleep(time.Second)
		w.broker.end(ref("acme", "1"), events.Accepted, true)
		time.Sleep(25 * time.Second)
		if len(answered) > 0 {
			t.Fatal("it is answered while an event has no outcome")
		}
		w.broker.end(ref("globex", "2"), events.Refused, true)
		rec := <-answered
		if took := time.Since(began); took != 26*time.Second {
			t.Errorf("answered after %v", took)
		}
		for _, word := range []string{`{"ticket":"CHG0031337","total":2,"changes":[{"status":"accepted"`, `{"status":"refused"`} {
			if !strings.Contains(rec.Body.String(), word) {
				t.Errorf("%s lacks %s", rec.Body, word)
			}
		}
		if w.broker.walks != 1 {
			t.Errorf("the ticket was looked for %d times", w.broker.walks)
		}
		if rec := w.do(ask(deskKey, "ticket=CHG1&wait=60s")); rec.Code != 200 || time.Since(began) != 26*time.Second {
			t.Errorf("a ticket without events: got %d after %v", rec.Code, time.Since(began))
		}
		w.nobodyWaits(t)
	})
}
