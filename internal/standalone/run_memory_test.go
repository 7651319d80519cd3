package standalone

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/figures"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/stream"
)

// Bounds of the load that the programs' memory is measured under; the same as
// ingest's own.
const (
	memoryConns   = 64
	memoryFor     = 15 * time.Second
	memoryDevices = 100_000
)

// BenchmarkRunMemory is the memory of the ingest and the worker program while 64
// connections send all that ingest takes, each a new event for one of 100 000
// devices, and the worker folds what comes and calls Graph as often as its quota
// lets it. Broker and simulator are in this process. It measures itself, so b.N
// does not count: -benchtime 1x.
func BenchmarkRunMemory(b *testing.B) {
	devices, d := fleet(memoryDevices), memoryFor
	if testing.Short() {
		d = 2 * time.Second
	}
	r := newRig(b)
	r.tenant("acme", devices...)
	bin := built(b, "ingest", "worker")
	listen, admin := unused(b), [2]string{unused(b), unused(b)}
	worker := launch(b, admin[1], bin+"/worker", "--config", r.configured(b, unused(b), admin[1]))
	worker.ready(b)
	ingest := launch(b, admin[0], bin+"/ingest", "--config", r.configured(b, listen, admin[0]))
	ingest.ready(b)
	ofIngest, ofWorker := figures.WatchMemory(ingest.Process.Pid), figures.WatchMemory(worker.Process.Pid)
	sent := pour(b, "http://"+listen, devices, d)
	most := ofIngest()
	behind := r.unfolded(b)
	for end := time.Now().Add(time.Minute); r.unfolded(b) > 0 && time.Now().Before(end); {
		<-time.After(100 * time.Millisecond)
	}
	folding := ofWorker()
	f := figures.New("memory")
	f.Meet("memory-ingest", most.MiB(), "%v", most)
	f.Meet("memory-worker", folding.MiB(), "%v", folding)
	t := f.Table("memory, MiB", "most:", "its own:", "pages of its binary:")
	for name, m := range map[string]figures.Memory{"ingest": most, "worker": folding} {
		t.Row(name, mib(m.Peak), mib(m.Anonymous), mib(m.File))
	}
	slices.SortFunc(t.Rows, slices.Compare)
	f.Note("Load: %s events taken a second; %d of %d were not yet folded when it ended.", figures.Number(float64(sent)/d.Seconds()), behind, sent)
	if left := r.unfolded(b); left > 0 {
		b.Errorf("%d events are not folded a minute after the load", left)
	}
	if err := f.Hand(); err != nil {
		b.Error(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(most.MiB(), "MiB-ingest")
	b.ReportMetric(folding.MiB(), "MiB-worker")
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }

// pour sends new events on all connections for d, and returns how many were taken.
// It looks at the answer's code alone: the rig's own requests are searched for
// secrets, and so are slow.
func pour(b *testing.B, url string, devices []string, d time.Duration) int64 {
	b.Helper()
	conns := &http.Transport{MaxIdleConnsPerHost: memoryConns}
	defer conns.CloseIdleConnections()
	client := &http.Client{Transport: conns}
	var sent, taken atomic.Int64
	var senders sync.WaitGroup
	end := time.Now().Add(d)
	for range memoryConns {
		senders.Go(func() {
			for time.Now().Before(end) {
				n := sent.Add(1)
				if err := post(client, url, fmt.Sprint("pour", n), devices[int(n)%len(devices)]); err != nil {
					b.Error(err)
					return
				}
				taken.Add(1)
			}
		})
	}
	senders.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return taken.Load()
}

// post sends a signed event, and wants it to be taken.
func post(client *http.Client, url, id, device string) error {
	body := change(id, device, "app1")
	header, err := verify.Sign(verify.StandardWebhooks(), sourceSecrets["desk"], id, time.Now(), body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, url+"/v1/changes", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusAccepted {
		return fmt.Errorf("answered %d, %v; want 202", res.StatusCode, err)
	}
	return nil
}

// unfolded is how many events the worker has not taken.
func (r *rig) unfolded(b *testing.B) uint64 {
	b.Helper()
	c, err := r.js().Consumer(context.Background(), stream.Changes, "fold")
	if err != nil {
		b.Fatal(err)
	}
	info, err := c.Info(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return info.NumPending + uint64(info.NumAckPending)
}
