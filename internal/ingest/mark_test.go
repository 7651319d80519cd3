package ingest

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

const zenKey = "the-zendesk-key"

// withZen adds a source that signs as Zendesk does: a time, and not the id.
func withZen(c *Config) {
	withSource("zen", func(s *Source) { s.Kind, s.Checks = "servicenow", signed("zendesk", zenKey) })(c)
}

// zen makes a delivery of snowBody that Zendesk has signed; its id is not.
func zen(id string) *http.Request {
	r := post("/v1/hooks/zen", snowBody)
	stamp := clock.Format(time.RFC3339)
	r.Header.Set("X-Zendesk-Webhook-Invocation-Id", id)
	r.Header.Set("X-Zendesk-Webhook-Signature-Timestamp", stamp)
	r.Header.Set("X-Zendesk-Webhook-Signature", mac(zenKey, stamp+snowBody))
	return r
}

// byDelivery is a decoder that trusts a delivery id which nothing vouches for.
// No real one does; the marks are there for the day that one will.
type byDelivery struct{ source.Decoder }

func (d byDelivery) Decode(v source.Delivery) (source.Decoded, error) {
	out, err := d.Decoder.Decode(v)
	for i := range out.Events {
		out.Events[i].ID = v.ID
	}
	return out, err
}

func newZenWorld(t *testing.T) *world {
	w := newWorld(t, withZen)
	snd := w.roster.byName["zen"]
	snd.decoder = byDelivery{snd.decoder}
	return w
}

func (w *world) marked(t *testing.T, state string) {
	t.Helper()
	if len(w.broker.marks) != 1 {
		t.Fatalf("there are %d marks", len(w.broker.marks))
	}
	for _, m := range w.broker.marks {
		if m.state != state {
			t.Errorf("the mark is %s, want %s", m.state, state)
		}
	}
}

// What was signed is good for its events only, until the sender is told that
// they are not stored.
func TestReplay(t *testing.T) {
	w := newZenWorld(t)
	answers := func(id string, want int) {
		t.Helper()
		if rec := w.do(zen(id)); rec.Code != want {
			t.Errorf("delivery %s: got %d %s, want %d", id, rec.Code, rec.Body, want)
		}
	}
	w.broker.away = errors.New("nats: no responders")
	answers("one", 503)
	if len(w.broker.marks) != 0 {
		t.Error("a mark is set without a broker")
	}
	w.broker.away, w.broker.full = nil, errors.New("nats: timeout")
	answers("one", 503)
	w.marked(t, "undone")
	w.broker.full = nil
	answers("two", 202) // as a sender may: it was told to try again
	w.marked(t, "done")
	answers("two", 200)
	answers("three", 401)
	if line := w.lastLine(t); line["reason"] != "replayed" || line["source"] != "zen" {
		t.Errorf("the log has %v", line)
	}
	if n := testutil.ToFloat64(w.metrics.Refusals.WithLabelValues("zen", "replayed")); n != 1 {
		t.Errorf("replays are counted %v times", n)
	}
	if got := w.do(zen("three")).Body.String(); got != unauthorized {
		t.Errorf("a replay is told %s", got)
	}
	if len(w.broker.stored) != 1 || w.broker.hold <= WriteTimeout {
		t.Errorf("%d events are stored, held for %v", len(w.broker.stored), w.broker.hold)
	}
}

// Two sources that sign the same text in the same second have a proof each.
func TestMarksAreOfASource(t *testing.T) {
	const otherKey = "the-key-of-another-zendesk"
	w := newWorld(t, withZen, withSource("other", func(s *Source) { s.Kind, s.Checks = "servicenow", signed("zendesk", otherKey) }))
	theirs := zen("two")
	theirs.URL.Path = "/v1/hooks/other"
	theirs.RequestURI = theirs.URL.Path
	theirs.Header.Set("X-Zendesk-Webhook-Signature", mac(otherKey, clock.Format(time.RFC3339)+snowBody))
	for name, r := range map[string]*http.Request{"zen": zen("one"), "other": theirs} {
		if rec := w.do(r); rec.Code != 202 {
			t.Errorf("%s: got %d %s, %v", name, rec.Code, rec.Body, w.lastLine(t)["reason"])
		}
	}
	if len(w.broker.marks) != 2 {
		t.Errorf("there are %d marks", len(w.broker.marks))
	}
}

// Without its end a mark would lapse, and let the delivery in again.
func TestMarkMustEnd(t *testing.T) {
	w := newZenWorld(t)
	w.broker.endless = errors.New("nats: timeout")
	if rec := w.do(zen("one")); rec.Code != 503 {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
	w.broker.endless = nil
	if rec := w.do(zen("one")); rec.Code != 200 {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
	w.marked(t, "done")
}

// A conflict is final, and so is its mark.
func TestConflictEndsMark(t *testing.T) {
	w := newZenWorld(t)
	w.do(zen("one"))
	for k, e := range w.broker.stored {
		e.Ticket = "CHG1"
		w.broker.stored[k] = e
	}
	if rec := w.do(zen("one")); rec.Code != 409 {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
	w.marked(t, "done")
}

func TestNeedsMark(t *testing.T) {
	zendesk := verify.Delivery{ID: "d1", SignsTime: true, SignsBody: true, Proof: []byte{1}}
	with := func(f func(*verify.Delivery)) verify.Delivery { d := zendesk; f(&d); return d }
	for name, c := range map[string]struct {
		delivery verify.Delivery
		id       string
		want     bool
	}{
		"zendesk":                {zendesk, "42", true},
		"standard webhooks":      {with(func(d *verify.Delivery) { d.SignsID = true }), "d1", false},
		"slack":                  {with(func(d *verify.Delivery) { d.ID = "" }), "42", false},
		"github":                 {with(func(d *verify.Delivery) { d.SignsTime = false }), "42", false},
		"github, by delivery id": {with(func(d *verify.Delivery) { d.SignsTime = false }), "d1-0", true},
		"bearer":                 {with(func(d *verify.Delivery) { d.SignsBody = false }), "d1", false},
		"nothing signed":         {with(func(d *verify.Delivery) { d.Proof = nil }), "d1", false},
	} {
		if got := needsMark(c.delivery, []events.Event{{ID: c.id}}); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// The same delivery comes to two replicas at the same time, many times: one
// event, and every sender is told that it is there.
func TestTwoReplicas(t *testing.T) {
	for _, c := range []struct {
		name    string
		request func() *http.Request
	}{
		{"marked", func() *http.Request { return zen("one") }},
		{"unmarked", func() *http.Request { return snow("/v1/hooks/snow", snowBody) }},
		{"signed id", func() *http.Request { return desk(deskKey, "/v1/changes", change("1", "acme", "a"), clock) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			one, two := newZenWorld(t), newZenWorld(t)
			two.publisher, two.marks = one.broker, one.broker
			var mu sync.Mutex
			codes := map[int]int{}
			var wg sync.WaitGroup
			for i := range 32 {
				replica := []*world{one, two}[i%2]
				wg.Go(func() {
					rec := replica.do(c.request())
					mu.Lock()
					defer mu.Unlock()
					codes[rec.Code]++
				})
			}
			wg.Wait()
			if codes[202] != 1 || codes[200] != 31 || len(one.broker.stored) != 1 {
				t.Errorf("got answers %v, and %d events", codes, len(one.broker.stored))
			}
		})
	}
}

// An event without a time of its own has that of its arrival: the same one
// again is a duplicate, not a conflict.
func TestArrival(t *testing.T) {
	at := clock
	w := newWorld(t, func(c *Config) { c.Now = func() time.Time { return at } },
		withSource("fresh", func(s *Source) {
			s.Kind, s.Checks = "servicenow", signed("servicenow", "the-fresh-key")
		}))
	snd := w.roster.byName["fresh"]
	snd.decoder = timeless{snd.decoder}
	send := func() *http.Request {
		r := snow("/v1/hooks/fresh", snowBody)
		r.Header.Set("X-Hmac-Signature", mac("the-fresh-key", snowBody))
		return r
	}
	first := w.do(send())
	at = at.Add(time.Minute)
	second := w.do(send())
	if first.Code != 202 || second.Code != 200 || !strings.Contains(second.Body.String(), `"duplicate":true`) {
		t.Errorf("got %d %s and %d %s", first.Code, first.Body, second.Code, second.Body)
	}
}

// timeless decodes a body as that of a sender without times.
type timeless struct{ source.Decoder }

func (timeless) Decode(v source.Delivery) (source.Decoded, error) {
	e, err := events.New(events.Event{ID: "by-content", Source: "/fresh", Ticket: "1", Tenant: "acme", Device: phone, Time: v.Now,
		Arrival: true, Changes: []events.Change{{Intent: events.Remove, Item: events.Item{ID: "a", Type: events.Application}}}}, v.Now)
	return source.Decoded{Events: []events.Event{e}}, err
}
