package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
)

// waiting asks for an event of the world's, and returns what answers.
func (w *world) waiting(r *http.Request) <-chan *httptest.ResponseRecorder {
	answered := make(chan *httptest.ResponseRecorder, 1)
	go func() { answered <- w.do(r) }()
	return answered
}

// patient is a request for the desk's event 1.
func patient(wait string) *http.Request { return get(ref("acme", "1") + "?wait=" + wait) }

// withEvent is a world that has the desk's event 1.
func withEvent(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	if rec := w.do(desk(deskKey, "/v1/changes", change("1", "acme", "a"), clock)); rec.Code != 202 {
		t.Fatalf("got %d %s", rec.Code, rec.Body)
	}
	return w
}

// Each reader waits in a bubble, whose time is exact.
func TestWait(t *testing.T) {
	id := ref("acme", "1")
	for name, c := range map[string]struct {
		wait   string
		during func(*world)
		after  time.Duration // answered then, exactly
		word   string        // the status
	}{
		"nothing to wait for": {"30s", func(w *world) { w.broker.end(id, events.Accepted, false) }, 0, "accepted"},
		"heard at once": {"30s", func(w *world) {
			time.Sleep(7 * time.Second)
			w.broker.end(id, events.Accepted, true)
		}, 7 * time.Second, "accepted"},
		"heard before it is stored": {"30s", func(w *world) {
			time.Sleep(7 * time.Second)
			w.broker.say()
			time.Sleep(30 * time.Millisecond)
			w.broker.end(id, events.Refused, false)
		}, 7*time.Second + lookSoon + 2*lookSoon, "refused"},
		"not heard": {"30", func(w *world) {
			time.Sleep(7 * time.Second)
			w.broker.end(id, events.Accepted, false)
		}, LookEvery, "accepted"},
		"nothing comes":       {"29s", func(*world) {}, 29 * time.Second, "queued"},
		"just at the end":     {"29s", func(w *world) { time.Sleep(28 * time.Second); w.broker.end(id, events.Accepted, false) }, 29 * time.Second, "accepted"},
		"too long":            {"24h", func(*world) {}, MaxWait, "queued"},
		"not at all":          {"0s", func(*world) {}, 0, "queued"},
		"the server stops":    {"30s", func(w *world) { time.Sleep(3 * time.Second); w.HTTPServer("").Shutdown(context.Background()) }, 3 * time.Second, "queued"}, //nolint:errcheck // it serves nothing
		"the broker goes":     {"30s", func(w *world) { time.Sleep(time.Second); w.broker.leave(errors.New("nats: no responders")) }, 30 * time.Second, "queued"},
		"the broker restarts": {"30s", func(w *world) { w.broker.blink(time.Second, 12*time.Second); w.broker.end(id, events.Accepted, false) }, 2 * LookEvery, "accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := withEvent(t)
				began := time.Now()
				if c.after == 0 {
					c.during(w)
				}
				answered := w.waiting(patient(c.wait))
				if c.after != 0 {
					c.during(w)
				}
				rec := <-answered
				if took := time.Since(began); took != c.after {
					t.Errorf("answered after %v, want %v", took, c.after)
				}
				if rec.Code != 200 || !strings.HasPrefix(rec.Body.String(), `{"status":"`+c.word+`"`) {
					t.Errorf("got %d %s", rec.Code, rec.Body)
				}
				w.nobodyWaits(t)
			})
		})
	}
}

// nobodyWaits wants that nothing is left of a wait.
func (w *world) nobodyWaits(t *testing.T) {
	t.Helper()
	if n := w.waits.count(); n != 0 || len(w.waits.by) != 0 || w.broker.listeners() != 0 || w.inFlight.Load() != 0 {
		t.Errorf("%d wait, %d of them by address, %d listen, %d bytes are claimed", n, len(w.waits.by), w.broker.listeners(), w.inFlight.Load())
	}
}

func (w *waits) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all
}

func TestWaitRefused(t *testing.T) {
	w := withEvent(t)
	for _, wait := range []string{"soon", "-1s", "-1", "1e3", "30s&wait=1s", "99999999999999999999"} {
		if rec := w.do(patient(wait)); rec.Code != 400 || !strings.Contains(rec.Body.String(), `"field":"wait"`) {
			t.Errorf("wait=%s: got %d %s", wait, rec.Code, rec.Body)
		}
	}
	if rec := w.do(get(ref("acme", "2") + "?wait=30s")); rec.Code != 404 {
		t.Errorf("an unknown event: got %d %s", rec.Code, rec.Body)
	}
	w.broker.leave(errors.New("nats: no responders"))
	if rec := w.do(patient("30s")); rec.Code != 503 {
		t.Errorf("without a broker: got %d %s", rec.Code, rec.Body)
	}
	w.nobodyWaits(t)
}

// While readers wait they claim no memory that senders need, and the time is not
// the requests' in the metric. A reader that has gone is not waited for.
func TestWaitersTakeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withEvent(t)
		gone, hangUp := context.WithCancel(t.Context())
		first, second := w.waiting(patient("30s")), w.waiting(patient("60s").WithContext(gone))
		synctest.Wait()
		if n := w.waits.count(); n != 2 || w.inFlight.Load() != 0 {
			t.Errorf("%d wait, with %d bytes", n, w.inFlight.Load())
		}
		time.Sleep(time.Second)
		hangUp()
		<-second
		if n := w.waits.count(); n != 1 {
			t.Errorf("%d wait, want 1", n)
		}
		<-first
		if got := w.lastLine(t)["waited"]; got != float64(30*time.Second) {
			t.Errorf("the log says that it waited %v", got)
		}
		families, err := w.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		measured := 0
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() != "changerelay_ingest_request_duration_seconds" {
					continue
				}
				measured += int(m.GetHistogram().GetSampleCount())
				if sum := m.GetHistogram().GetSampleSum(); sum > 1 {
					t.Errorf("requests took %v s", sum)
				}
			}
		}
		if measured != 3 {
			t.Errorf("%d requests are measured, want 3", measured)
		}
		w.nobodyWaits(t)
	})
}

// Beyond the bounds nobody waits, and everybody is answered.
func TestWaitsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withEvent(t)
		var all []<-chan *httptest.ResponseRecorder
		for i := range MaxWaits {
			all = append(all, w.waiting(from(fmt.Sprintf("198.51.100.%d", i/MaxPeerWaits), patient("60s"))))
		}
		synctest.Wait()
		if n := w.waits.count(); n != MaxWaits {
			t.Fatalf("%d wait", n)
		}
		began := time.Now()
		for _, address := range []string{"198.51.100.0", "198.51.100.200"} {
			if rec := w.do(from(address, patient("60s"))); rec.Code != 200 || time.Since(began) != 0 {
				t.Errorf("%s: got %d after %v", address, rec.Code, time.Since(began))
			}
		}
		w.broker.end(ref("acme", "1"), events.Accepted, true)
		for _, answered := range all {
			if rec := <-answered; !strings.HasPrefix(rec.Body.String(), `{"status":"accepted"`) {
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
		}
		if time.Since(began) != 0 {
			t.Errorf("they were answered %v later", time.Since(began))
		}
		w.nobodyWaits(t)
	})
	synctest.Test(t, func(t *testing.T) {
		w := withEvent(t)
		for range MaxPeerWaits {
			w.waiting(from("198.51.100.1", patient("60s")))
		}
		synctest.Wait()
		began := time.Now()
		if w.do(from("198.51.100.1", patient("60s"))); time.Since(began) != 0 {
			t.Error("one address has all places")
		}
		if w.do(from("198.51.100.2", patient("5s"))); time.Since(began) != 5*time.Second {
			t.Error("another address has no place")
		}
	})
}

// A wait outlasts the deadlines that the server has for all other requests, over
// both versions of HTTP, and so does the connection.
func TestWaitOutlastsTheServersDeadlines(t *testing.T) {
	for _, version := range []int{1, 2} {
		w := withEvent(t)
		own := w.HTTPServer("")
		srv := httptest.NewUnstartedServer(own.Handler)
		srv.Config.ReadTimeout, srv.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
		srv.EnableHTTP2 = version == 2
		srv.StartTLS()
		for range 2 {
			resp, err := srv.Client().Get(srv.URL + "/v1/changes/" + ref("acme", "1") + "?wait=500ms")
			if err != nil {
				t.Fatalf("HTTP/%d: %v", version, err)
			}
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != 200 || resp.ProtoMajor != version {
				t.Errorf("got %s %s, %v", resp.Proto, resp.Status, err)
			}
			line := w.lastLine(t)
			if waited, _ := line["waited"].(float64); waited < float64(400*time.Millisecond) || line["answer_lost"] != nil {
				t.Errorf("the log has %v", line)
			}
		}
		srv.Close()
	}
}

// Readers come and go while outcomes come and the server stops.
func TestWaitRace(t *testing.T) {
	w := newWorld(t, unlimited)
	const n = 20
	for i := range n {
		w.do(desk(deskKey, "/v1/changes", change(fmt.Sprint(i), "acme", "a"), clock))
	}
	var wg sync.WaitGroup
	for i := range n {
		for j := range 4 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if j == 3 {
					go cancel()
				}
				w.do(get(ref("acme", fmt.Sprint(i)) + "?wait=60s").WithContext(ctx))
			})
		}
	}
	await.State(t, "readers", func() bool { return w.broker.listeners() > n })
	for i := range n / 2 {
		wg.Go(func() { w.broker.end(ref("acme", fmt.Sprint(i)), events.Accepted, true) })
	}
	w.waits.end()
	wg.Wait()
	w.nobodyWaits(t)
}
