package standalone

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
	"changerelay/internal/working"
)

// Devices, tickets, tenants that do not exist and whatever strangers send make no
// series: after a flood of them both services show the very same ones.
func TestAFloodMakesNoSeries(t *testing.T) {
	const devices, requests, thousand, atOnce = 10_000, 10_000, 1000, 16
	r := newRig(t)
	r.tenant("acme", "a")
	none := ingest.Rate{PerSecond: -1}
	open := func(p *relay.Parts, _ *working.Parts) {
		p.PeerRate, p.Rate = none, none
		for i := range p.Sources {
			p.Sources[i].Rate = none
		}
	}
	in, work := r.start(relay.Ingest, open), r.start(relay.Worker)
	r.ready(in)
	r.ready(work)
	r.outcome(in.ingest, r.send(in.ingest, "desk", "1", change("1", "a", "app1")).ID)
	before := map[*process][]string{in: r.names(in), work: r.names(work)}

	var flood sync.WaitGroup
	defer flood.Wait()
	for n := range atOnce {
		flood.Go(func() {
			for i := n; i < requests; i += atOnce {
				r.strange(in, i)
			}
		})
	}
	js := r.js()
	for n := range devices / thousand {
		r.flood(js, n*thousand, thousand)
		await.State(t, fmt.Sprint("thousand ", n, " to be folded"), func() bool { return folded(js) })
	}
	for n := range devices / thousand / 2 {
		await.State(t, fmt.Sprint("thousand ", n, " to have ended"), func() bool { return ended(js) > n*thousand })
	}
	flood.Wait()
	for p, want := range before {
		if got := r.names(p); !slices.Equal(got, want) {
			t.Errorf("%d series became %d", len(want), len(got))
			for _, name := range got {
				if _, known := slices.BinarySearch(want, name); !known {
					t.Errorf("new: %s", name)
				}
			}
		}
	}
}

// strange sends what no sender of ours does. It goes past the rig's search for
// secrets, which takes its time over each.
func (r *rig) strange(in *process, i int) {
	junk := fmt.Sprintf("junk-%d", i)
	path := []string{"/v1/changes", "/v1/hooks/" + junk, "/" + junk + "?" + junk, "/v1/hooks/desk", "/v1/changes/acme." + junk}[i%5]
	method, body := http.MethodPost, junk
	h := http.Header{"X-" + junk: {junk}, "Webhook-Id": {junk}, "Webhook-Signature": {"v1," + junk}}
	if i%7 == 0 {
		method = strings.ToUpper(junk)
	}
	good := i%3 == 0
	if good { // a good sender, for a tenant that there is not: taken, and invalid if it stays so
		path, method, body = "/v1/changes", http.MethodPost, strings.Replace(string(change(junk, junk, junk)), `"acme"`, `"`+junk+`"`, 1)
		var err error
		if h, err = verify.Sign(verify.StandardWebhooks(), sourceSecrets["desk"], junk, time.Now(), []byte(body)); err != nil {
			r.t.Error(err)
		}
	}
	h.Set("User-Agent", junk)
	h.Set("Traceparent", junk)
	h.Set("Content-Type", "application/json")
	req, err := http.NewRequest(method, in.ingest+path, strings.NewReader(body))
	if err != nil {
		r.t.Error(err)
		return
	}
	req.Header = h
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Error(err)
		return
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || (res.StatusCode < 400) != good {
		r.t.Errorf("%s %s: %d, %v", method, path, res.StatusCode, err)
	}
}

// names are those of a process's series, sorted.
func (r *rig) names(p *process) []string { return slices.Sorted(maps.Keys(r.series(p))) }

// flood publishes events straight to the broker, each of a source, ticket, device
// and item of its own; one in ten is for a tenant that there is not, and ends
// invalid.
func (r *rig) flood(js jetstream.JetStream, from, n int) {
	r.t.Helper()
	for i := from; i < from+n; i++ {
		e := events.Event{ID: fmt.Sprint("flood-", i), Source: fmt.Sprint("/flood/", i), Ticket: fmt.Sprint("CHG-", i), Tenant: "acme", Device: uuid(fmt.Sprint("device", i)), Time: time.Now(),
			Changes: []events.Change{{Intent: events.Remove, Item: events.Item{ID: uuid(fmt.Sprint("app", i)), Type: events.Application}}}}
		if i%10 == 0 {
			e.Tenant = fmt.Sprint("nobody-", i)
		}
		if _, err := js.Publish(r.t.Context(), e.Subject(), e.Encode()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// folded reports whether no event is on its way to its device's document.
func folded(js jetstream.JetStream) bool {
	c, err := js.Consumer(context.Background(), stream.Changes, "fold")
	return err == nil && c.CachedInfo().NumPending+uint64(c.CachedInfo().NumAckPending) == 0
}

// ended is how many events have an outcome.
func ended(js jetstream.JetStream) int {
	s, err := js.Stream(context.Background(), stream.Outcomes)
	if err != nil {
		return 0
	}
	return int(s.CachedInfo().State.Msgs)
}
