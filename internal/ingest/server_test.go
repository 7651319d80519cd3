package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"changerelay/internal/events"
)

// No log line holds a secret, a signature, a query or a body's text, whatever
// becomes of the request.
func TestLogsHoldNothingSecret(t *testing.T) {
	w := newWorld(t)
	const marker = "Body-Text-Nobody-Logs"
	requests := []*http.Request{
		snow("/v1/hooks/snow?secret="+marker, snowBody),
		snow("/v1/hooks/snow", snowBody),
		snow("/v1/hooks/snow", snowBody[:100]),
		snow("/v1/hooks/snow", strings.Replace(snowBody, phone, marker, 1)),
		snow("/v1/hooks/snow", strings.Replace(snowBody, "2026-11-22", marker, 1)),
		snow("/v1/hooks/"+marker, snowBody),
		post("/v1/hooks/snow", snowBody),
		post("/"+marker, snowBody),
		get(marker),
		desk(deskKey, "/v1/changes", change(marker, "acme", "a"), clock),
		desk(deskKey, "/v1/changes", change("1", "acme", marker+" "), clock),
		desk(deskKey, "/v1/changes", change("1", marker, "a"), clock.Add(-time.Hour)),
	}
	var forbidden []string
	for _, r := range requests {
		for _, name := range []string{"X-Hmac-Signature", "Webhook-Signature"} {
			if s := r.Header.Get(name); s != "" {
				forbidden = append(forbidden, strings.TrimPrefix(s, "v1,"))
			}
		}
		r.Header.Set("Authorization", "Bearer "+marker)
		r.Header.Set("Cookie", "session="+marker)
		r.Header.Set("User-Agent", marker)
		w.do(r)
	}
	w.broker.panics = marker
	w.do(snow("/v1/hooks/snow", snowBody))

	forbidden = append(forbidden, marker, strings.ToLower(marker), deskKey, snowKey, strings.TrimPrefix(deskSecret, "whsec_"), "short_description")
	for _, s := range forbidden {
		if strings.Contains(w.log.String(), s) {
			t.Errorf("the log holds %q:\n%s", s, w.log)
		}
	}
	if got := strings.Count(w.log.String(), "\n"); got != len(requests)+1 {
		t.Errorf("%d lines for %d requests", got, len(requests)+1)
	}
}

// One line says who asked for what, and what came of it.
func TestLogLine(t *testing.T) {
	w := newWorld(t)
	w.do(snow("/v1/hooks/snow", snowBody))
	line := w.lastLine(t)
	for name, want := range map[string]any{
		"level": "INFO", "msg": "request", "route": "/v1/hooks/{source}", "source": "snow", "code": 202.0, "outcome": "queued",
		"ticket": "CHG0031877", "keys": "signature/k2", "bytes": float64(len(snowBody)), "peer": "192.0.2.1",
		"body_sha256": fmt.Sprintf("%x", sha256.Sum256([]byte(snowBody))),
	} {
		if got := line[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if ids, ok := line["ids"].([]any); !ok || len(ids) != 1 || line["duration"] == nil {
		t.Errorf("got %v", line)
	}
}

// What a slow or greedy sender meets, in the order that makes answers arrive.
func TestServerLimits(t *testing.T) {
	s := newWorld(t).HTTPServer(":0")
	if s.ReadHeaderTimeout != 5*time.Second || s.ReadTimeout != 10*time.Second || s.WriteTimeout != 15*time.Second ||
		s.IdleTimeout != time.Minute || s.MaxHeaderBytes != 32<<10 || s.ErrorLog == nil {
		t.Errorf("got %+v", s)
	}
	if !(ReadHeaderTimeout < ReadTimeout && PublishTimeout < AnswerBudget && ReadTimeout < AnswerBudget && AnswerBudget < s.WriteTimeout) {
		t.Error("a slow body and a slow broker together outlast the answer's deadline")
	}
	if AnswerBudget+UndoTimeout >= s.WriteTimeout || MarkHold <= s.WriteTimeout {
		t.Error("a mark's end would come after the answer's deadline, or its hold before")
	}
	if lookSoon >= LookEvery || LookEvery >= MaxWait || FindTimeout >= s.WriteTimeout {
		t.Error("who waits is not looked after, or the last look would come after the answer's deadline")
	}
	if MaxPeerWaits >= MaxWaits || MaxWaits > MaxConnections/2 {
		t.Error("who waits could keep others out")
	}
	if events.MaxBytes > DefaultMaxBody || DefaultMaxBody > MaxBody || MaxBody >= MaxInFlight || MaxBody+requestCost > MaxUnverified {
		t.Error("bounds of sizes are in disorder")
	}
}

// The wait for the broker ends before the answer's deadline, and goes on when
// the sender has hung up.
func TestPublishDeadline(t *testing.T) {
	w := newWorld(t)
	ctx, hangUp := context.WithCancel(context.Background())
	hangUp()
	rec := w.do(snow("/v1/hooks/snow", snowBody).WithContext(ctx))
	if rec.Code != 202 || w.broker.ended != nil {
		t.Errorf("got %d; the broker's context ended with the sender's: %v", rec.Code, w.broker.ended)
	}
	if left := time.Until(w.broker.deadline); left <= 0 || left > PublishTimeout {
		t.Errorf("the broker has %v left", left)
	}
}

// Of many equal requests at once, one is 202 and all others are its duplicates.
func TestOnce(t *testing.T) {
	w := newWorld(t)
	const senders = 32
	var fresh atomic.Int32
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			switch rec := w.do(snow("/v1/hooks/snow", snowBody)); rec.Code {
			case 202:
				fresh.Add(1)
			case 200:
			default:
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
		})
	}
	wg.Wait()
	stored := testutil.ToFloat64(w.metrics.Published.WithLabelValues("snow", "stored"))
	duplicate := testutil.ToFloat64(w.metrics.Outcomes.WithLabelValues("ingest", "duplicate"))
	if fresh.Load() != 1 || stored != 1 || duplicate != senders-1 {
		t.Errorf("%d answers were 202; %v stored and %v duplicates are counted", fresh.Load(), stored, duplicate)
	}
}

// Too large a body is refused over a real connection too, announced or not, and
// the sender gets to read why.
func TestTooLargeOnTheWire(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = w.HTTPServer("")
	srv.Start()
	defer srv.Close()
	big := strings.Repeat("x", DefaultMaxBody+1)
	for name, body := range map[string]io.Reader{"announced": strings.NewReader(big), "chunked": io.MultiReader(strings.NewReader(big))} {
		resp, err := srv.Client().Post(srv.URL+"/v1/hooks/snow", "application/json", body)
		if err != nil {
			t.Fatal(name, err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 413 || !strings.Contains(string(text), "too_large") {
			t.Errorf("%s: got %d %s", name, resp.StatusCode, text)
		}
	}
}

// Several events of one request have one answer, 202 if one of them is new.
func TestSeveralEvents(t *testing.T) {
	fresh, known := accepted{ID: "a", Status: queued}, accepted{ID: "b", Status: "duplicate", Duplicate: true}
	for want, list := range map[int][]accepted{202: {fresh, known}, 200: {known, known}} {
		a := stored(list)
		text, err := json.Marshal(a.body)
		if err != nil || a.code != want || !strings.HasPrefix(string(text), `{"events":[{"id":"`) {
			t.Errorf("got %d %s, %v; want %d", a.code, text, err, want)
		}
	}
}
