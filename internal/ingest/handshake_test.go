package ingest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"changerelay/internal/ingest/verify"
)

// shakeKey is that of a source; no two have the same.
func shakeKey(name string) string { return "the-shaking-key-of-" + name }

// withShakes adds a source of each kind of handshake.
func withShakes(c *Config) {
	for kind, allow := range map[string][]string{
		"cloudevents": {"eventgrid.azure.net"}, "eventgrid": {"my-subscription"}, "graph": nil, "slack": nil,
	} {
		withSource("shake-"+kind, func(s *Source) {
			s.Kind, s.Checks, s.Handshake = "servicenow", signed("servicenow", shakeKey("shake-"+kind)), Handshake{kind, allow}
			s.Rate = Rate{PerSecond: 2}
		})(c)
	}
}

func payload(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "handshakes", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// shake makes a signed request with more headers, in pairs.
func shake(method, path, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Hmac-Signature", mac(shakeKey(strings.TrimPrefix(r.URL.Path, "/v1/hooks/")), body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func unsigned(r *http.Request) *http.Request { r.Header.Del("X-Hmac-Signature"); return r }

func TestHandshakes(t *testing.T) {
	grid, slack := payload(t, "eventgrid-subscription-validation.json"), payload(t, "slack-url-verification.json")
	const (
		origin, token  = "WebHook-Request-Origin", "Validation%3A%20Testing%20client%20application%20reachability"
		kind, validate = "aeg-event-type", "SubscriptionValidation"
		name           = "aeg-subscription-name"
	)
	for title, c := range map[string]struct {
		request *http.Request
		code    int
		body    string // all of it, unless it is JSON
	}{
		"cloudevents":                {shake("OPTIONS", "/v1/hooks/shake-cloudevents", "", origin, "eventgrid.azure.net", "WebHook-Request-Callback", "https://example.com/"), 200, ""},
		"cloudevents, other origin":  {shake("OPTIONS", "/v1/hooks/shake-cloudevents", "", origin, "eventgrid.azure.com"), 405, `"method_not_allowed"`},
		"cloudevents, longer origin": {shake("OPTIONS", "/v1/hooks/shake-cloudevents", "", origin, "a.eventgrid.azure.net"), 405, `"method_not_allowed"`},
		"cloudevents, two origins":   {shake("OPTIONS", "/v1/hooks/shake-cloudevents", "", origin, "eventgrid.azure.net", origin, "x"), 405, `"method_not_allowed"`},
		"cloudevents, no origin":     {shake("OPTIONS", "/v1/hooks/shake-cloudevents", ""), 405, `"method_not_allowed"`},
		"cloudevents elsewhere":      {shake("OPTIONS", "/v1/hooks/shake-graph", "", origin, "eventgrid.azure.net"), 405, `"method_not_allowed"`},
		"cloudevents nowhere":        {shake("OPTIONS", "/v1/hooks/nobody", "", origin, "eventgrid.azure.net"), 405, `"method_not_allowed"`},

		"eventgrid":                 {shake("POST", "/v1/hooks/shake-eventgrid", grid, kind, validate, name, "MY-SUBSCRIPTION"), 200, `{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}`},
		"eventgrid, other name":     {shake("POST", "/v1/hooks/shake-eventgrid", grid, kind, validate, name, "yours"), 403, `"field":"aeg-subscription-name"`},
		"eventgrid, two names":      {shake("POST", "/v1/hooks/shake-eventgrid", grid, kind, validate, name, "my-subscription", name, "x"), 403, `"forbidden"`},
		"eventgrid, no code":        {shake("POST", "/v1/hooks/shake-eventgrid", "[{}]", kind, validate, name, "my-subscription"), 422, `"field":"[0].data.validationCode"`},
		"eventgrid, broken":         {shake("POST", "/v1/hooks/shake-eventgrid", "[", kind, validate, name, "my-subscription"), 422, `"invalid"`},
		"eventgrid, long code":      {shake("POST", "/v1/hooks/shake-eventgrid", `[{"data":{"validationCode":"`+strings.Repeat("x", MaxEcho+1)+`"}}]`, kind, validate, name, "my-subscription"), 422, `"invalid"`},
		"eventgrid, unsigned":       {unsigned(shake("POST", "/v1/hooks/shake-eventgrid", grid, kind, validate, name, "my-subscription")), 401, "unauthorized"},
		"eventgrid, a notification": {shake("POST", "/v1/hooks/shake-eventgrid", snowBody, kind, "Notification"), 202, "queued"},
		"eventgrid elsewhere":       {shake("POST", "/v1/hooks/shake-slack", grid, kind, validate, name, "my-subscription"), 422, `"invalid"`},

		"graph":               {unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken="+token, "")), 200, "Validation: Testing client application reachability"},
		"graph, markup":       {unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken=%3Cscript%3E", "")), 200, "<script>"},
		"graph, with a body":  {unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken="+token, "{}")), 401, "unauthorized"},
		"graph, two tokens":   {unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken=a&validationToken=b", "")), 401, "unauthorized"},
		"graph, no token":     {unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken=", "")), 401, "unauthorized"},
		"graph, long token":   {unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken="+strings.Repeat("a", MaxEcho+1), "")), 401, "unauthorized"},
		"graph, not UTF-8":    {unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken=%ff", "")), 401, "unauthorized"},
		"graph, broken query": {unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken=a;b=%", "")), 401, "unauthorized"},
		"graph, a delivery":   {shake("POST", "/v1/hooks/shake-graph", snowBody), 202, "queued"},
		"graph elsewhere":     {unsigned(shake("POST", "/v1/hooks/shake-slack?validationToken="+token, "")), 401, "unauthorized"},
		"graph nowhere":       {unsigned(shake("POST", "/v1/hooks/nobody?validationToken="+token, "")), 401, "unauthorized"},

		"slack":           {shake("POST", "/v1/hooks/shake-slack", slack), 200, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"},
		"slack, unsigned": {unsigned(shake("POST", "/v1/hooks/shake-slack", slack)), 401, "unauthorized"},
		"slack, another":  {shake("POST", "/v1/hooks/shake-slack", strings.Replace(snowBody, "Body-Text-Nobody-Logs", "url_verification", 1)), 202, "queued"},
		"slack, long":     {shake("POST", "/v1/hooks/shake-slack", `{"type":"url_verification","challenge":"`+strings.Repeat("x", MaxEcho+1)+`"}`), 422, "invalid"},
		"slack, no text":  {shake("POST", "/v1/hooks/shake-slack", `{"type":"url_verification","challenge":7}`), 422, "invalid"},
		"slack elsewhere": {shake("POST", "/v1/hooks/shake-graph", slack), 422, "invalid"},
	} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t, withShakes)
			rec := w.do(c.request)
			media := rec.Header().Get("Content-Type")
			if rec.Code != c.code || !strings.Contains(rec.Body.String(), c.body) ||
				strings.HasPrefix(media, "text/plain") && rec.Body.String() != c.body {
				t.Errorf("got %d %s %s, want %d %s", rec.Code, media, rec.Body, c.code, c.body)
			}
			if c.code == 200 && rec.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("a browser may take the echo for what it likes")
			}
			if c.body == "<script>" && !strings.HasPrefix(media, "text/plain") {
				t.Errorf("the echo is %s", media)
			}
			if line := w.lastLine(t); (line["outcome"] == "handshake") != (c.code == 200) || strings.Contains(w.log.String(), "reachability") {
				t.Errorf("the log has %v", line)
			}
			if c.code == 200 && len(w.broker.stored)+len(w.broker.parked) != 0 {
				t.Error("a handshake was stored")
			}
		})
	}
}

// The answer to a CloudEvents sender is as in the vector, but for the rate,
// which is ours.
func TestCloudEventsHandshake(t *testing.T) {
	var v struct {
		Request  struct{ Headers map[string]string }
		Response struct {
			Status  int
			Headers map[string]string
		}
	}
	if err := json.Unmarshal([]byte(payload(t, "cloudevents-webhook-handshake.http.json")), &v); err != nil {
		t.Fatal(err)
	}
	r := unsigned(shake("OPTIONS", "/v1/hooks/shake-cloudevents", ""))
	for name, value := range v.Request.Headers {
		r.Header.Set(name, value)
	}
	rec := newWorld(t, withShakes).do(r)
	v.Response.Headers["WebHook-Allowed-Rate"] = "120" // 2 a second
	for name, want := range v.Response.Headers {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if rec.Code != v.Response.Status || rec.Body.Len() != 0 {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

// Strangers get a few handshakes, and take nothing from verified requests, nor
// from who asks from another address.
func TestHandshakesAreLimited(t *testing.T) {
	w := newWorld(t, withShakes)
	for kind, ask := range map[string]func() *http.Request{
		"graph": func() *http.Request { return unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken=a", "")) },
		"cloudevents": func() *http.Request {
			return shake("OPTIONS", "/v1/hooks/shake-cloudevents", "", "WebHook-Request-Origin", "eventgrid.azure.net")
		},
	} {
		for i := range HandshakeRate.Burst + 1 {
			want := 200
			if i == HandshakeRate.Burst {
				want = 429
			}
			if rec := w.do(ask()); rec.Code != want {
				t.Errorf("%s %d: got %d", kind, i, rec.Code)
			}
		}
		if rec := w.do(from("20.20.32.1", ask())); rec.Code != 200 {
			t.Errorf("%s: after it another address got %d", kind, rec.Code)
		}
		if rec := w.do(shake("POST", "/v1/hooks/shake-"+kind, snowBody)); rec.Code != 202 {
			t.Errorf("%s: after it a delivery got %d", kind, rec.Code)
		}
	}
}

// Who may not send here, may not ask for a handshake either.
func TestHandshakeAllowList(t *testing.T) {
	w := newWorld(t, withShakes, func(c *Config) {
		for i := range c.Sources {
			c.Sources[i].AllowFrom = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
		}
	})
	for want, r := range map[int]*http.Request{
		401: unsigned(shake("POST", "/v1/hooks/shake-graph?validationToken=a", "")),
		405: shake("OPTIONS", "/v1/hooks/shake-cloudevents", "", "WebHook-Request-Origin", "eventgrid.azure.net"),
	} {
		if rec := w.do(r); rec.Code != want {
			t.Errorf("got %d, want %d", rec.Code, want)
		}
	}
}

// Whatever a body or a query holds, no more comes back than an echo may have.
func FuzzHandshake(f *testing.F) {
	f.Add("slack", "", payload(f, "slack-url-verification.json"))
	f.Add("eventgrid", "", payload(f, "eventgrid-subscription-validation.json"))
	f.Add("graph", "validationToken=Validation%3A%20Testing", "")
	f.Add("graph", "validationToken=%ff&a;b", "")
	f.Add("eventgrid", "", `[{"data":{"validationCode":{}}}]`)
	f.Add("slack", "", `{"type":"url_verification","challenge":"\ud800"}`)
	f.Fuzz(func(t *testing.T, kind, query, body string) {
		snd := &sender{Source: Source{Name: "s", Handshake: Handshake{kind, []string{"mine"}}}, shakes: newPeers(HandshakeRate)}
		q := &verify.Request{Method: "POST", Query: query, Body: []byte(body),
			Header: http.Header{"Aeg-Event-Type": {"SubscriptionValidation"}, "Aeg-Subscription-Name": {"Mine"}}}
		unverified, err := inquiry{Request: q, senders: []*sender{snd}}.validation()
		if err != nil || unverified != nil && (kind != "graph" || body != "") {
			t.Errorf("got %v, %v", unverified, err)
		}
		verified, _ := snd.shakeHands(q)
		for _, a := range []*answer{unverified, verified} {
			if a == nil {
				continue
			}
			if echo, plain := a.body.(text); plain && !isEcho(string(echo)) {
				t.Errorf("%d bytes would come back", len(echo))
			}
		}
	})
}
