package standalone

import (
	"net/http"
	"sync"
	"testing"

	"changerelay/internal/natstest"
	"changerelay/internal/relay"
)

// One webhook, a hundred times at once over two ingest processes, is one call;
// and none after everything was restarted.
func TestOneWebhookAHundredTimes(t *testing.T) {
	t.Parallel()
	r := newRig(t, natstest.SyncAlways())
	r.tenant("acme", "a", "b")
	doors := []*process{r.start(relay.Ingest), r.start(relay.Ingest)}
	r.start(relay.Worker)
	for _, p := range doors {
		r.ready(p)
	}

	body := change("1", "a", "app1")
	replies := make([]reply, 100)
	var together, all sync.WaitGroup
	together.Add(1)
	for i := range replies {
		req := r.request(doors[i%2].ingest, "desk", "1", body)
		all.Go(func() {
			together.Wait()
			var err error
			if replies[i], err = r.do(req); err != nil {
				t.Error(err)
			}
		})
	}
	together.Done()
	all.Wait()

	fresh := 0
	for _, a := range replies {
		switch {
		case a.Duplicate == nil:
			t.Fatalf("an answer is %v", a)
		case !*a.Duplicate && a.code == http.StatusAccepted:
			fresh++
		case a.code != http.StatusOK || a.Status != "duplicate" || a.ID != replies[0].ID:
			t.Errorf("an answer is %v", a)
		}
	}
	if fresh != 1 {
		t.Errorf("%d answers say that the event is new", fresh)
	}
	if got := r.outcome(doors[0].ingest, replies[0].ID); got.Outcome != "accepted" {
		t.Fatalf("it ended %s: %s", got.Outcome, got.Reason)
	}
	r.settled(r.js())
	r.onePost(t)

	for _, p := range r.running {
		p.stop()
	}
	r.broker.Stop()
	r.broker.Start()
	door := r.start(relay.Ingest)
	r.start(relay.Worker)
	r.ready(door)
	if a := r.send(door.ingest, "desk", "1", body); a.code != http.StatusOK || a.Duplicate == nil || !*a.Duplicate {
		t.Errorf("after the restart the answer is %v", a)
	}
	if got := r.outcome(door.ingest, replies[0].ID); got.Outcome != "accepted" {
		t.Errorf("after the restart it is %s", got.Outcome)
	}
	next := r.send(door.ingest, "desk", "2", change("2", "b", "app1")) // what comes after it is done, so it is done with
	if got := r.outcome(door.ingest, next.ID); got.Outcome != "accepted" {
		t.Fatalf("the next one ended %s: %s", got.Outcome, got.Reason)
	}
	r.settled(r.js())
	r.onePost(t)
}

func (r *rig) onePost(t *testing.T) {
	t.Helper()
	if calls := r.posts("a"); len(calls) != 1 || !calls[0].Applied || len(calls[0].Items) != 1 {
		t.Errorf("the calls are %+v", calls)
	}
}
