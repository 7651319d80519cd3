package runbook

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// The broker's folder is copied while it is stopped. A ticket comes after that,
// and then the copy is put back: the relay has forgotten the ticket, and Graph
// has not. The next ticket's call still holds everything, because the device is
// read first; and the forgotten ticket can be sent again.
func TestAnOlderCopyIsPutBack(t *testing.T) {
	store, backup := filepath.Join(t.TempDir(), "store"), filepath.Join(t.TempDir(), "copy")
	items := []string{"a7d7a9a2-3a57-4e7c-8f3b-000000000001", "a7d7a9a2-3a57-4e7c-8f3b-000000000002", "a7d7a9a2-3a57-4e7c-8f3b-000000000003"}
	r := newRelay(t, func(o *server.Options) { o.StoreDir = store })
	r.remove("CHG0000001", device, items[0])
	r.holds(items[:1])

	r.halt()
	if err := os.CopyFS(backup, os.DirFS(store)); err != nil {
		t.Fatal(err)
	}
	r.resume()
	r.remove("CHG0000002", device, items[1])
	r.holds(items[:2])

	r.halt()
	if err := os.RemoveAll(store); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(backup, store); err != nil {
		t.Fatal(err)
	}
	r.resume()
	r.remove("CHG0000003", device, items[2])
	r.holds(items)
	r.remove("CHG0000002", device, items[1]) // answered 202: it is not known
	r.until("the new worker's two tickets to end", func() bool { return r.ended() == 2 })
	r.holds(items)
}

// halt stops the relay as kill -9 does, and then the broker.
func (r *rig) halt() {
	r.ingest.kill()
	r.worker.kill()
	r.broker.Stop()
}

func (r *rig) resume() {
	r.t.Helper()
	r.broker.Start()
	r.worker, r.ingest = r.start("worker"), r.start("ingest")
}

var ended = regexp.MustCompile(`(?m)^changerelay_outcomes_total\{outcome="(?:accepted|unchanged)",stage="reconcile"\} (\d+)$`)

// ended is how many events the worker has brought to a good end.
func (r *rig) ended() (n int) {
	r.t.Helper()
	res, err := http.Get("http://" + r.worker.admin + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, m := range ended.FindAllSubmatch(b, -1) {
		one, _ := strconv.Atoi(string(m[1])) // digits
		n += one
	}
	return n
}

// holds waits until Graph's newest set for the device is of these items.
func (r *rig) holds(want []string) {
	r.t.Helper()
	r.until("Graph to hold the items", func() bool {
		var got []string
		for _, c := range r.sim.Journal() {
			if c.Op == "post" && c.Applied {
				got = nil
				for _, it := range c.Items {
					got = append(got, it.ID)
				}
			}
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	})
}
