package standalone

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"changerelay/internal/figures"
	"changerelay/internal/ledger"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
	"changerelay/internal/worker"
	"changerelay/internal/working"
)

// BenchmarkRunIdle is how long a signed webhook takes to come to Graph as a POST
// while nothing else happens: from when its request is begun to when the POST has
// reached the simulator, a thousand times, one after the other. Broker, relay and
// simulator are in this process, and speak over loopback. It measures itself, so
// b.N does not count: -benchtime 1x.
func BenchmarkRunIdle(b *testing.B) {
	n := 1000
	if testing.Short() {
		n = 100
	}
	r := newRig(b)
	var devices []string
	for i := range n {
		devices = append(devices, fmt.Sprint("phone", i))
	}
	r.tenant("acme", devices...)
	p := r.start(relay.Ingest|relay.Worker, func(p *relay.Parts, w *working.Parts) {
		log := slog.New(slog.NewJSONHandler(io.Discard, nil))
		p.Log, w.Log, p.Broker.Log = log, log, log
		w.Timing, w.Pace = ledger.DefaultTiming, worker.DefaultPace
		for i := range p.Sources {
			p.Sources[i].Rate.PerSecond, p.Sources[i].Rate.Burst = 1e6, 1e6
		}
	})
	r.ready(p)
	due, err := r.js().Stream(context.Background(), stream.Devices)
	if err != nil {
		b.Fatal(err)
	}
	began, answered := map[string]time.Time{}, []time.Duration{}
	for i, d := range devices {
		req := r.request(p.ingest, "desk", fmt.Sprint(i), change(fmt.Sprint(i), d, "app1"))
		began[uuid(d)] = time.Now()
		a, err := r.do(req)
		if err != nil || a.code != http.StatusAccepted {
			b.Fatalf("%v, %v", a, err)
		}
		answered = append(answered, time.Since(began[uuid(d)]))
		for called := false; !called; { // and all is quiet again
			info, err := due.Info(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			called = info.State.Msgs == 0 && info.State.LastSeq > uint64(i)
		}
	}
	var told []time.Duration
	for _, c := range r.sim.Journal() {
		if c.Op == "post" {
			told = append(told, c.At.Sub(began[c.Device]))
		}
	}
	if len(told) != n {
		b.Fatalf("%d calls", len(told))
	}
	first := told[0]
	p50, p99 := quantile(told, 50), quantile(told, 99)
	f := figures.New("idle")
	f.Meet("idle-p50", p50.Seconds()*1000, "of %d, one after the other", n)
	f.Meet("idle-p99", p99.Seconds()*1000, "")
	t := f.Table("request begun to", "p50:", "p99:", "first:")
	t.Row("its POST at Graph", p50.String(), p99.String(), first.Round(10*time.Microsecond).String())
	t.Row("its 202", quantile(answered, 50).String(), quantile(answered, 99).String(), answered[0].Round(10*time.Microsecond).String())
	if err := f.Hand(); err != nil {
		b.Error(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(p50.Seconds()*1000, "ms-p50")
	b.ReportMetric(p99.Seconds()*1000, "ms-p99")
}

func quantile(took []time.Duration, percent int) time.Duration {
	s := slices.Sorted(slices.Values(took))
	return s[(len(s)-1)*percent/100].Round(10 * time.Microsecond)
}
