package ingest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"changerelay/internal/ingest/verify"
)

const nextKey = "the-servicenow-key-that-is-next"

// rotated are the sources of config, with another key of snow and desk gone.
func rotated(w *world) []Source {
	list := config(&world{log: w.log}).Sources[1:]
	list[1].Checks = verify.Config{Signature: &verify.Signature{Scheme: list[1].Checks.Signature.Scheme,
		Keys: []verify.Key{{ID: "next", Secret: nextKey}}}}
	return list
}

func snowBy(key string) *http.Request {
	r := snow("/v1/hooks/snow", snowBody)
	r.Header.Set("X-Hmac-Signature", mac(key, snowBody))
	return r
}

func TestReload(t *testing.T) {
	w := newWorld(t)
	answers := func(r *http.Request, want int) {
		t.Helper()
		if rec := w.do(r); rec.Code != want {
			t.Errorf("got %d %s, want %d", rec.Code, rec.Body, want)
		}
	}
	answers(snowBy(snowKey), 202)
	if err := w.Reload(rotated(w), known); err != nil {
		t.Fatal(err)
	}
	answers(snowBy(snowKey), 401)
	answers(snowBy(nextKey), 200)
	answers(desk(deskKey, "/v1/hooks/desk", change("1", "acme", "a"), clock), 401)
	if got := w.lastLine(t)["reason"]; got != "unknown_source" {
		t.Errorf("a source that is gone is %v", got)
	}
	if n := testutil.ToFloat64(w.metrics.KeyUses.WithLabelValues("snow", "signature", "next")); n != 1 {
		t.Errorf("uses of the new key are counted %v times", n)
	}
	if at := testutil.ToFloat64(w.metrics.KeyLastUsed.WithLabelValues("snow", "signature", "next")); at != float64(clock.Unix()) {
		t.Errorf("the new key was last used at %v", at)
	}
	if n := testutil.ToFloat64(w.metrics.ReplayProtection.WithLabelValues("root")) - testutil.ToFloat64(w.metrics.ReplayProtection.WithLabelValues("snow")); n != 1 {
		t.Error("root signs the time, and snow does not; the metric has it otherwise")
	}
}

// A configuration with one mistake changes nothing.
func TestReloadRefuses(t *testing.T) {
	w := newWorld(t)
	for want, spoil := range map[string]func([]Source){
		`reloading sources: source "root": tenants: "umbrella" is not configured`: func(s []Source) { s[0].Tenants = []string{"umbrella"} },
		`reloading sources: source "snow": there is no check`:                     func(s []Source) { s[1].Checks = verify.Config{} },
	} {
		list := rotated(w)
		spoil(list)
		if err := w.Reload(list, known); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if rec := w.do(snowBy(snowKey)); rec.Code != 202 {
		t.Errorf("after it, got %d %s", rec.Code, rec.Body)
	}
	if rec := w.do(desk(deskKey, "/v1/changes", change("1", "acme", "a"), clock)); rec.Code != 202 {
		t.Errorf("after it, got %d %s", rec.Code, rec.Body)
	}
}

// A request in progress keeps the sources that it began with, until it ends.
func TestReloadInProgress(t *testing.T) {
	w := newWorld(t)
	held := w.hold()
	if err := w.Reload(rotated(w), known); err != nil {
		t.Fatal(err)
	}
	x := w.begin(w.echo.NewContext(snowBy(snowKey), nil))
	err := held.examine(inquiry{Request: request(x.Request(), []byte(snowBody)), senders: held.named("snow"), peer: anywhere, now: clock}, &x.finding)
	if err != nil || len(x.decoded.Events) != 1 {
		t.Errorf("got %v, %v", x.decoded, err)
	}
	if held.users != 1 || !held.retired {
		t.Errorf("the old roster has %d users; retired: %t", held.users, held.retired)
	}
	if w.drop(held); held.users != 0 || w.roster == held {
		t.Error("the old roster is held by nobody, and in force")
	}
}

// Reloading gives nobody a full bucket, unless the rate itself is another.
func TestReloadKeepsLimiters(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		rate Rate
		same bool
	}{{Rate{}, true}, {DefaultRate, true}, {Rate{PerSecond: 7}, false}, {Rate{PerSecond: 7}, true}} {
		before := w.roster.byName["snow"]
		list := rotated(w)
		list[1].Rate = c.rate
		if err := w.Reload(list, known); err != nil {
			t.Fatal(err)
		}
		after := w.roster.byName["snow"]
		if before == after || before.shakes != after.shakes || before.parks != after.parks || (before.requests == after.requests) != c.same {
			t.Errorf("%v: the limiter is the old one: %t, want %t", c.rate, before.requests == after.requests, c.same)
		}
	}
}

// Requests and reloads at the same time: no request sees half of either.
func TestReloadUnderLoad(t *testing.T) {
	w := newWorld(t, unlimited)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				one, other := w.do(snowBy(snowKey)).Code, w.do(snowBy(nextKey)).Code
				if one >= 300 && one != 401 || other >= 300 && other != 401 {
					t.Errorf("got %d and %d", one, other)
				}
			}
		})
	}
	for i := range 50 {
		list := rotated(w)
		if i%2 == 0 {
			list = config(&world{log: w.log}).Sources
		}
		if err := w.Reload(list, known); err != nil {
			t.Error(err)
		}
	}
	stop()
	wg.Wait()
	if w.roster.users != 0 {
		t.Errorf("%d users hold the roster", w.roster.users)
	}
}
