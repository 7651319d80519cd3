package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
)

// deliveries are ids that senders make up.
var deliveries = regexp.MustCompile(`delivery  [a-z0-9]{26}`)

// caught is when the requests of these tests arrived.
var caught = time.Date(2026, 11, 23, 10, 0, 5, 0, time.UTC)

const at = "2026-11-23T10:00:05Z"

// A bench has a configuration, and neither a broker nor a relay: whatever would
// ask one fails.
type bench struct {
	*rig
	c *boot.Config
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{rig: &rig{t: t, dir: t.TempDir()}}
	for name, secret := range secrets {
		b.write(name, secret+"\n")
	}
	b.config = b.write("relay.yaml", `
nats: { url: "nats://127.0.0.1:1", replicas: 1 }
tenants:
  acme: { tenant_id: acme.example, client_id: `+clientID+`, client_secret: { file: graph } }
  globex: { tenant_id: globex.example, client_id: `+clientID+`, client_secret: { file: graph } }
sources:
  desk:
    kind: cloudevents
    tenants: [acme]
    intents: [remove]
    item_types: [application]
    allow_from: [203.0.113.0/24]
    secrets: [{ file: desk, id: spring, not_after: 2026-11-23T12:00:00Z }, { file: snow2, id: autumn, not_before: 2026-11-24T00:00:00Z }]
  slack:
    kind: cloudevents
    tenants: ["*"]
    secrets: [{ file: slack }]
    signature: { preset: slack }
    handshake: { kind: slack }
  snow: { kind: servicenow, tenants: [acme], secrets: [{ file: snow }] }
  fresh: { kind: freshservice, tenants: [globex], header: { name: Authorization, prefix: "Bearer ", secrets: [{ file: snow }] } }
`)
	b.write("snow2", "whsec_c25vdzItc2VjcmV0LW5vdC10by1iZS1wcmludGVk")
	t.Setenv("CHANGERELAY_CONFIG", b.config)
	var err error
	if b.c, err = boot.Load(b.config); err != nil {
		t.Fatal(err)
	}
	return b
}

// head makes the head of a request that a source signs at caught, with line ends.
func (b *bench) head(source, body, end string) string {
	b.t.Helper()
	src, err := b.c.IngestSource(source)
	if err != nil {
		b.t.Fatal(err)
	}
	h, err := sign(src.Checks, caught, []byte(body))
	if err != nil {
		b.t.Fatal(err)
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	lines := []string{"POST /v1/hooks/" + source + "?debug=1 HTTP/1.1", "Host: relay.example"}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		lines = append(lines, strings.ToLower(name)+": "+h.Get(name))
	}
	return strings.Join(lines, end) + end
}

// request is head and body.
func (b *bench) request(source, body string) string {
	return b.head(source, body, "\r\n") + "\r\n" + body
}

// cloudEvent is one with one change of the phone.
func cloudEvent(t *testing.T, tenant string) string {
	t.Helper()
	e, err := events.New(events.Event{ID: "req-1", Source: "/test", Ticket: "CHG0031337", Tenant: tenant, Device: phone,
		Time: caught.Add(-time.Minute), Changes: []events.Change{change(events.Remove, app1)}}, caught)
	if err != nil {
		t.Fatal(err)
	}
	return string(e.Encode())
}

func (b *bench) check(source, request string, args ...string) result {
	b.t.Helper()
	return runWith(b.t, request, append([]string{"source", "check", "--source", source, "--request", "-"}, args...)...)
}

const isStored = `
answer     202 queued

TICKET  TENANT  DEVICE  TIME  INTENT  ITEM  TYPE
CHG0031337  acme  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11  TIME  remove  5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01  application

EVENT
acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
`

// The same request, in the forms in which people have it.
func TestSourceCheckTakesForms(t *testing.T) {
	b := newBench(t)
	body := cloudEvent(t, "acme")
	head := b.head("slack", body, "\n")
	curl := "* Connected to relay.example\n> " + strings.ReplaceAll(strings.TrimSuffix(head, "\n"), "\n", "\r\n> ") + "\r\n"
	length := fmt.Sprintf("Content-Length: %d", len(body))
	_, bare, _ := strings.Cut(head, "\n")
	const want = "verified  signature\nkey  signature 0\nsigned at  TIME" + isStored
	for name, c := range map[string]struct{ request, note string }{
		"CRLF":                 {b.request("slack", body), ""},
		"LF":                   {head + "\n" + body, ""},
		"with a length":        {head + length + "\n\n" + body, ""},
		"an editor's newline":  {head + length + "\n\n" + body + "\r\n", "note  2 bytes of line ends behind the body are left out: Content-Length says " + fmt.Sprint(len(body)) + "\n"},
		"no request line":      {bare + "\n" + body, ""},
		"absolute form":        {strings.Replace(head, "POST /", "POST http://relay.example/", 1) + "\n" + body, ""},
		"HTTP/2":               {strings.Replace(head, "HTTP/1.1", "HTTP/2", 1) + "\n" + body, ""},
		"curl":                 {curl + ">\n" + body, ""},
		"curl, and a gap":      {curl + "> \r\n\r\n" + body, ""},
		"curl without its end": {curl + body, ""},
		"curl's last words":    {curl + ">\n* upload completely sent off: 12 bytes\n" + body, ""},
		"chunks":               {head + "Transfer-Encoding: chunked\n\n" + fmt.Sprintf("5\r\n%s\r\n%x;ext=1\r\n%s\r\n0\r\n\r\n", body[:5], len(body)-5, body[5:]), ""},
		"no chunks left":       {head + "Transfer-Encoding: chunked\n\n" + body, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b.check("slack", c.request, "--at", at).want(t, 0, c.note+want, "")
		})
	}
	file := b.write("capture.txt", b.request("slack", body))
	runWith(t, "", "source", "check", "--source", "slack", "--request", file, "--at", fmt.Sprint(caught.Unix())).want(t, 0, want, "")
}

// A sender that states no time says a wish once: its administrator should know.
func TestSourceCheckSaysThatNoTimeIsStated(t *testing.T) {
	b := newBench(t)
	body := strings.Replace(cloudEvent(t, "acme"), `"data":`, `"arrivaltime":true,"data":`, 1)
	r := b.check("slack", b.request("slack", body), "--at", at)
	if want := "no time is stated: it is dated at its arrival"; !strings.Contains(r.out, want) {
		t.Errorf("the output lacks %q:\n%s", want, r.out)
	}
}

// What is not let in, or asks for nothing, is said with its reason.
func TestSourceCheckSaysWhyNot(t *testing.T) {
	b := newBench(t)
	good := cloudEvent(t, "acme")
	requested := strings.Replace(record, `"approved"`, `"requested"`, 1)
	without := func(request, header string) string {
		before, rest, _ := strings.Cut(request, header+": ")
		_, after, _ := strings.Cut(rest, "\r\n")
		return before + after
	}
	for _, c := range []struct {
		name, source, request string
		code                  int
		out, stderr           string
	}{
		{"verified", "desk", b.request("desk", good), 0, "verified  signature\nkey  signature spring\ndelivery  DELIVERY\nsigned at  TIME" + isStored, ""},
		{"ignored", "snow", b.request("snow", requested), 0, "verified  signature\nkey  signature 0\nignored  the record is not approved", ""},
		{"handshake", "slack", b.request("slack", `{"type":"url_verification","challenge":"c-1"}`), 0,
			"verified  signature\nkey  signature 0\nsigned at  TIME\nhandshake  slack\nanswer  200 handshake", ""},
		{"other body", "snow", strings.Replace(b.request("snow", record), "VPN", "Wi-Fi", 1) + "x", 1,
			"refused  bad_signature\nadvice  no key fits: ", "the relay refuses the request: bad_signature"},
		{"a newline more", "snow", b.request("snow", record) + "\n", 1,
			"note  without the line end behind its body it is let in: an editor may have put that there\nrefused  bad_signature\n", "bad_signature"},
		{"not whole", "snow", strings.Replace(b.request("snow", record), "\r\n\r\n", "\r\nContent-Length: 5000\r\n\r\n", 1), 0,
			"note  the body has ", ""},
		{"unsigned", "snow", without(b.request("snow", record), "x-hmac-signature"), 1, "refused  missing_header\nmissing  X-Hmac-Signature\nit has  no header that looks like one\nadvice  a header that the check needs is not there", "missing_header"},
		{"token", "fresh", strings.Replace(b.request("fresh", "{}"), "Bearer ", "Bearer x", 1), 1, "refused  bad_secret\nadvice  the secret, or name and password", "bad_secret"},
		{"broken", "snow", b.request("snow", `{"number":"CHG1",}`), 1,
			"verified  signature\nkey  signature 0\ninvalid  ", "the relay cannot read the request's body"},
		{"other tenant", "desk", b.request("desk", cloudEvent(t, "globex")), 1, "refused  data.tenant: source desk may not speak for tenant globex\nanswer  403 forbidden", "the relay refuses the request"},
		{"media type", "snow", strings.Replace(b.request("snow", record), "application/json", "text/plain", 1), 1,
			"refused  Content-Type: want application/json", "the relay refuses the request"},
		{"too large", "snow", b.request("snow", strings.Repeat(" ", 300<<10)), 1, "refused  the body has more than 262144 bytes\nanswer  413 too_large", "the relay refuses the request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := b.check(c.source, c.request, "--at", at)
			got.fails(t, c.code, c.stderr)
			out := deliveries.ReplaceAllString(norm(got.out), "delivery  DELIVERY")
			if !strings.Contains(out, norm(c.out)) {
				t.Errorf("printed\n%s\nwant\n%s", out, norm(c.out))
			}
		})
	}
	t.Run("later", func(t *testing.T) {
		got := b.check("desk", b.request("desk", good), "--at", "2026-11-23T10:06:00Z")
		got.want(t, 1, "refused  outside_tolerance\nadvice  "+advice[verify.OutsideTolerance]+"\nanswer  401 unauthorized", "relayctl: the relay refuses the request: outside_tolerance")
		b.check("desk", b.request("desk", good), "--at", "2026-11-24T10:00:00Z").fails(t, 1, "inactive_key")
	})
}

// What is no question is said before anything is judged.
func TestSourceCheckRefuses(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		args    []string
		request string
		code    int
		want    string
	}{
		"no source": {[]string{"--source", "snwo"}, "", 1, `"snwo" is not a source in the configuration; it has [desk fresh slack snow]`},
		"no file":   {[]string{"--source", "snow", "--request", "/none"}, "", 1, "--request: open /none"},
		"nothing":   {[]string{"--source", "snow"}, "\r\n\n", 1, "-: there is no request in it"},
		"a body":    {[]string{"--source", "snow"}, `{"number":"CHG1"}`, 1, "-: its head is not that of an HTTP request; want a line such as POST"},
		"an answer": {[]string{"--source", "snow"}, "> POST / HTTP/1.1\n> Host: x\n>\n< HTTP/1.1 401 Unauthorized\n", 1, "behind the request's head is the answer"},
		"too long":  {[]string{"--source", "snow"}, strings.Repeat("x", maxRequest+1), 1, "no request that the relay takes"},
		"time":      {[]string{"--source", "snow", "--at", "today"}, "", 2, "want a time such as 2026-11-23T10:00:00Z, or seconds since 1970"},
		"no flags":  {nil, "", 2, "missing flags: --source=NAME"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"source", "check", "--request", "-"}, c.args...)
			runWith(t, c.request, args...).fails(t, c.code, c.want)
		})
	}
	b.write("snow", "\n")
	runWith(t, "", "source", "check", "--source", "snow", "--request", "-").fails(t, 1, "sources.snow.secrets[0]: the file "+b.dir+"/snow is empty")
}

func TestSourceList(t *testing.T) {
	b := newBench(t)
	got := runWith(t, "", "source", "list")
	spring, autumn := verify.Key{NotAfter: caught.Add(2*time.Hour - 5*time.Second)}, verify.Key{NotBefore: caught.Add(14*time.Hour - 5*time.Second)}
	got.want(t, 0, `
source   desk
kind     cloudevents
path     /v1/changes, /v1/hooks/desk
checks   signature
keys     signature spring: `+validity(spring, time.Now())+`
         signature autumn: `+validity(autumn, time.Now())+`
replay   protected: the time is signed
tenants  acme
scope    intents remove; item types application; from 203.0.113.0/24

source   fresh
kind     freshservice
path     /v1/hooks/fresh
checks   header
keys     header 0: good
replay   no replay protection: only the ids of its events keep a captured request from counting twice
tenants  globex
scope    all intents; all item types; from any address

source   slack
kind     cloudevents
path     /v1/changes, /v1/hooks/slack
checks   signature
keys     signature 0: good
replay   protected: the time is signed
tenants  *
scope    all intents; all item types; from any address

source   snow
kind     servicenow
path     /v1/hooks/snow
checks   signature
keys     signature 0: good
replay   no replay protection: only the ids of its events keep a captured request from counting twice
tenants  acme
scope    all intents; all item types; from any address
`, "")
	b.write("snow", "\n")
	got = runWith(t, "", "source", "list")
	got.fails(t, 1, "sources.snow.secrets[0]: the file "+b.dir+"/snow is empty")
	if !strings.Contains(norm(got.out), "source  slack\nkind  cloudevents\n") || !strings.Contains(norm(got.out), "path  /v1/hooks/snow\nchecks  cannot be made: see below") {
		t.Errorf("printed\n%s", got.out)
	}
}

func TestValidity(t *testing.T) {
	for _, c := range []struct {
		key  verify.Key
		want string
	}{
		{verify.Key{}, "good"},
		{verify.Key{NotBefore: caught}, "good"},
		{verify.Key{NotBefore: caught.Add(time.Hour)}, "not yet, from 2026-11-23T11:00:05Z (in 1h)"},
		{verify.Key{NotAfter: caught}, "until 2026-11-23T10:00:05Z (now)"},
		{verify.Key{NotAfter: caught.Add(-time.Second)}, "expired 2026-11-23T10:00:04Z (1s ago)"},
	} {
		if got := validity(c.key, caught); got != c.want {
			t.Errorf("%+v: %s, want %s", c.key, got, c.want)
		}
	}
}

// Each word that a request can be refused with has its advice, and no other.
func TestAdvice(t *testing.T) {
	words := ingest.Refusals()
	for _, w := range words {
		if a := advice[verify.Reason(w)]; a == "" || strings.ContainsAny(a, "\n") {
			t.Errorf("%s has the advice %q", w, a)
		}
	}
	if len(advice) != len(words) {
		t.Errorf("there are %d words, and advice for %d", len(words), len(advice))
	}
}

// Checks that only a sender can pass are named.
func TestSign(t *testing.T) {
	_, err := sign(verify.Config{
		Signature: &verify.Signature{}, Bearer: &verify.Bearer{}, Certificate: &verify.Certificate{},
		Header: &verify.Header{Name: "X-Token", Keys: []verify.Key{{ID: "old", Secret: "s", NotAfter: caught.Add(-1)}}},
	}, caught, nil)
	for _, want := range []string{"bearer: only the sender has", "certificate: only the sender has", "secrets: none is good now", "header.secrets: none is good now"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	h, err := sign(verify.Config{
		Header: &verify.Header{Name: "x-token", Prefix: "T ", Keys: []verify.Key{{Secret: "old", NotAfter: caught.Add(-1)}, {Secret: "new"}}},
		Basic:  &verify.Basic{User: "u", Keys: []verify.Key{{Secret: "p"}}},
	}, caught, nil)
	if err != nil || h.Get("X-Token") != "T new" || h.Get("Authorization") != "Basic dTpw" {
		t.Errorf("%v, %v", h, err)
	}
}
