package ingest

import (
	"encoding/json"
	"net/http"
	"strconv"
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
	for _, body := range []string{change("1", "acme", "a"), change("2", "globex", "a"), change("3", "initech", "a"), change("5", "hooli", "a"),
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
		"any tenant":       {ask(rootKey, "ticket=CHG0031337"), 200, "acme globex hooli initech"},
		"one tenant":       {ask(rootKey, "ticket=CHG0031337&tenant=globex"), 200, "globex"},
		"another ticket":   {ask(deskKey, "ticket=CHG0031338"), 200, "acme"},
		"none":             {ask(deskKey, "ticket=CHG0031339"), 200, ""},
		"odd":              {ask(deskKey, "ticket=%2A.%3E+%00"), 200, ""},
		"others' tenant":   {ask(deskKey, "ticket=CHG0031337&tenant=initech"), 403, `"field":"tenant","reason":"source desk may not ask for tenant initech`},
		"not configured":   {ask(rootKey, "ticket=CHG0031337&tenant=hooli"), 200, "hooli"},
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

// A look-up is a walk of the broker: a source has few of them.
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
}

// A look-up that was captured and is sent again and again costs its source no
// change, and changes cost it no look-up.
func TestLookUpsAndChangesHaveRatesOfTheirOwn(t *testing.T) {
	w := newWorld(t, withSource("desk", func(s *Source) { s.Rate = Rate{PerSecond: 0.1, Burst: 1} }))
	for range 2 * TicketRate.Burst {
		w.do(ask(deskKey, "ticket=CHG0031337"))
	}
	if rec := w.do(desk(deskKey, "/v1/changes", change("1", "acme", "a"), clock)); rec.Code != 202 {
		t.Errorf("a change: got %d %s", rec.Code, rec.Body)
	}
	w = newWorld(t, withSource("desk", func(s *Source) { s.Rate = Rate{PerSecond: 0.1, Burst: 1} }))
	for i, code := range []int{202, 429} {
		if rec := w.do(desk(deskKey, "/v1/changes", change(strconv.Itoa(i), "acme", "a"), clock)); rec.Code != code {
			t.Errorf("change %d: got %d %s", i, rec.Code, rec.Body)
		}
	}
	if rec := w.do(ask(deskKey, "ticket=CHG0031337")); rec.Code != 200 {
		t.Errorf("a look-up: got %d %s", rec.Code, rec.Body)
	}
}

// A signature over the body alone is the same for every look-up, for ever: it is
// none to look up with. What the channel keeps secret is.
func TestASignatureOfNothingLooksNothingUp(t *testing.T) {
	const key, target = "a-key-of-the-plain-desk!", "/v1/changes/acme.0123456789abcdef."
	for name, c := range map[string]struct {
		also func(*verify.Config)
		code int
	}{
		"the body alone": {func(*verify.Config) {}, 403},
		"and a password": {func(c *verify.Config) {
			c.Basic = &verify.Basic{User: "reader", Keys: []verify.Key{{Secret: "a-good-password"}}}
		}, 200},
		"and a header": {func(c *verify.Config) {
			c.Header = &verify.Header{Name: "X-Secret", Keys: []verify.Key{{Secret: "a-static-secret"}}}
		}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			w := withTickets(t, withSource("plain", func(s *Source) {
				s.Kind, s.Checks = "cloudevents", signed("servicenow", key)
				c.also(&s.Checks)
			}))
			for _, path := range []string{"/v1/changes?ticket=CHG0031337", target + events.Key("/desk", "1")} {
				r := httpRequest("GET", path)
				r.Header.Set("X-Hmac-Signature", mac(key, ""))
				r.Header.Set("X-Secret", "a-static-secret")
				r.SetBasicAuth("reader", "a-good-password")
				want := c.code
				if want == 200 && strings.HasPrefix(path, target) {
					want = 404
				}
				rec := w.do(r)
				if rec.Code != want || want == 403 && !strings.Contains(rec.Body.String(), "its signature covers the body alone") {
					t.Errorf("%s: got %d %s", path, rec.Code, rec.Body)
				}
			}
		})
	}
}

// The id of an event whose device is not known is made of what can be guessed.
func TestAnIDWithoutADeviceIsSignedFor(t *testing.T) {
	e := func(id, tenant string) string {
		return strings.Replace(change(id, tenant, "a"), `"device":"`+phone+`"`, `"target":"deviceHealthScripts/1/deviceRunStates/2/managedDevice"`, 1)
	}
	id := func(tenant, id string) string {
		return tenant + "." + events.TicketToken("CHG0031337") + "." + events.Key("/desk", id)
	}
	signs := func(key, id string) *http.Request {
		r := ask(key, "")
		r.URL.Path, r.RequestURI = "/v1/changes/"+id, "/v1/changes/"+id
		return r
	}
	w := newWorld(t)
	for i, tenant := range []string{"acme", "initech"} {
		if rec := w.do(desk(rootKey, "/v1/changes", e(strconv.Itoa(i), tenant), clock)); rec.Code != 202 || !strings.Contains(rec.Body.String(), id(tenant, strconv.Itoa(i))) {
			t.Fatalf("got %d %s", rec.Code, rec.Body)
		}
	}
	for name, c := range map[string]struct {
		request *http.Request
		code    int
		want    string
	}{
		"nobody":           {get(id("acme", "0")), 401, unauthorized},
		"nobody, for none": {get(id("acme", "9")), 401, unauthorized},
		"its source":       {signs(deskKey, id("acme", "0")), 200, `"status":"queued"`},
		"none":             {signs(deskKey, id("acme", "9")), 404, "not_found"},
		"of others":        {signs(deskKey, id("initech", "1")), 403, "may not ask for tenant initech"},
		"of any":           {signs(rootKey, id("initech", "1")), 200, id("initech", "1")},
		"another key":      {signs("some-key", id("acme", "0")), 401, unauthorized},
		"of another kind":  {signs(snowKey, id("acme", "0")), 401, unauthorized},
		"with a device":    {get(ref("acme", "0")), 404, "not_found"},
		"a changed header": {func() *http.Request {
			r := signs(deskKey, id("acme", "0"))
			r.Header.Set("Webhook-Id", "msg_2")
			return r
		}(), 401, unauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			rec := w.do(c.request)
			if rec.Code != c.code || !strings.Contains(rec.Body.String(), c.want) {
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
			if line := w.lastLine(t); line["route"] != "/v1/changes/{id}" {
				t.Errorf("the log has %v", line)
			}
		})
	}
	for range 2 * TicketRate.Burst {
		if rec := w.do(signs(deskKey, id("acme", "0"))); rec.Code != 200 {
			t.Fatalf("again: got %d %s", rec.Code, rec.Body) // an id costs no walk
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
