package relay

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
)

// deskKey signs CloudEvents.
const deskKey = "whsec_ZGVzay1zZWNyZXQtb2YtdGhlc2UtdGVzdHMtYWxvbmU="

// served is a desk whose ingest service runs, on the desk's connection.
type served struct {
	*desk
	url    string
	client *http.Client
	stop   func()
}

func serve(t *testing.T) *served {
	t.Helper()
	p := Parts{
		Sources: []ingest.Source{{Name: "desk", Kind: "cloudevents", Tenants: []string{"acme"}, Checks: verify.Config{
			Signature: &verify.Signature{Scheme: verify.StandardWebhooks(), Keys: []verify.Key{{Secret: deskKey}}}}}},
		Tenants: []string{"acme"}, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		IngestAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Version: "test", Log: slog.New(slog.DiscardHandler),
	}
	s := &served{desk: newDesk(t, p), client: &http.Client{Transport: &http.Transport{}}}
	up := make(chan net.Addr, 1)
	p.Up = func(ingest, _ net.Addr) { up <- ingest }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, s.nc, Ingest) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the relay ended: %v", err)
		}
		s.client.CloseIdleConnections()
	})
	t.Cleanup(s.stop)
	s.url = "http://" + (<-up).String()
	await.State(t, "its streams", func() bool {
		code, _ := s.ask("/v1/changes/acme."+phone+"."+events.Key("/desk", "none"), "192.0.2.1", nil)
		return code == http.StatusNotFound
	})
	return s
}

// ask makes a GET request, from an address, and returns its code and answer.
func (s *served) ask(path, from string, h http.Header) (int, string) {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	if h != nil {
		req.Header = h
	}
	req.Header.Set("X-Forwarded-For", from)
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	return resp.StatusCode, string(b)
}

// listeners counts the subscriptions that would hear of an event's outcome. The
// stream's own is one.
func (s *served) listeners(e events.Event) int {
	s.t.Helper()
	return s.server.Subscribers(e.Ref().OutcomeSubject(events.TicketToken(e.Ticket)))
}

// ends reports an event's outcome, as a worker does.
func (s *served) ends(e events.Event, o events.Outcome) {
	s.t.Helper()
	r := events.Receipt{ID: e.Ref().String(), Ticket: e.Ticket, Tenant: e.Tenant, Device: e.Device, Outcome: o, Accepted: e.Time, Ended: e.Time}
	if err := s.streams.Load().Report(s.t.Context(), r); err != nil {
		s.t.Fatal(err)
	}
}

// Who waits, over HTTP, is answered when the outcome is there, long before the
// next look would be.
func TestWaitersAreWoken(t *testing.T) {
	s := serve(t)
	one, two := s.accepted("1", "acme"), s.accepted("2", "acme")
	idle := s.listeners(one)
	h, err := verify.Sign(verify.StandardWebhooks(), deskKey, "look-1", time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan string, 2)
	go func() {
		_, answer := s.ask("/v1/changes/"+one.Ref().String()+"?wait=60s", "192.0.2.1", nil)
		answers <- answer
	}()
	go func() {
		_, answer := s.ask("/v1/changes?ticket=CHG0031337&wait=60s", "192.0.2.1", h)
		answers <- answer
	}()
	await.State(t, "both to listen", func() bool { return s.listeners(one) == idle+2 })
	began := time.Now()
	s.ends(one, events.Refused)
	if got := <-answers; !strings.HasPrefix(got, `{"status":"refused","id":"`+one.Ref().String()) {
		t.Errorf("the event is answered %s", got)
	}
	s.ends(two, events.Accepted)
	var list struct {
		Total   int
		Changes []struct{ Status string }
	}
	answer := <-answers
	if err := json.Unmarshal([]byte(answer), &list); err != nil || list.Total != 2 || list.Changes[0].Status != "refused" || list.Changes[1].Status != "accepted" {
		t.Errorf("the ticket is answered %s, %v", answer, err)
	}
	if took := time.Since(began); took > ingest.LookEvery/2 {
		t.Errorf("they were woken after %v", took)
	}
	await.State(t, "nobody to listen", func() bool { return s.listeners(one) == idle })
}

// A thousand readers wait when the service is told to stop: each is answered with
// what is known, at once, and nothing of them is left.
func TestShutdownAnswersAThousandWaiters(t *testing.T) {
	const n = 1000
	s := serve(t)
	e := s.accepted("1", "acme")
	idle := s.listeners(e)
	s.ask("/v1/changes/"+e.Ref().String()+"?wait=10ms", "192.0.2.1", nil) // what is made once is there
	await.State(t, "nobody to listen", func() bool { return s.listeners(e) == idle })
	before := runtime.NumGoroutine()
	var mu sync.Mutex
	codes := map[string]int{}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			code, answer := s.ask("/v1/changes/"+e.Ref().String()+"?wait=60s", fmt.Sprintf("198.51.100.%d", i%100), nil)
			mu.Lock()
			defer mu.Unlock()
			codes[fmt.Sprintf("%d %.18s", code, answer)]++
		})
		if i%50 == 49 { // a thousand first looks at once are another test
			await.State(t, "them to listen", func() bool { return s.listeners(e) == idle+i+1 })
		}
	}
	t.Logf("%d goroutines for %d waiters, with their clients", runtime.NumGoroutine()-before, n)
	began := time.Now()
	s.stop()
	all.Wait()
	if took := time.Since(began); took > drainFor/2 {
		t.Errorf("it took %v", took)
	}
	if len(codes) != 1 || codes[`200 {"status":"queued"`] != n {
		t.Errorf("the answers are %v", codes)
	}
	await.State(t, "nobody to listen", func() bool { return s.listeners(e) == idle })
	s.client.CloseIdleConnections()
	await.State(t, "their goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
}
