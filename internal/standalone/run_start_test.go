package standalone

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"changerelay/internal/figures"
)

// startTimes is how often each program is started.
const startTimes = 20

// BenchmarkRunStart is how long each program takes from its exec to the first 200
// of /readyz. Ingest and the worker find a broker that runs, and after the first
// start the streams, too; standalone has an empty folder each time, in which it
// makes its broker's store and its tenant. It measures itself, so b.N does not
// count: -benchtime 1x.
func BenchmarkRunStart(b *testing.B) {
	n := startTimes
	if testing.Short() {
		n = 3
	}
	r := newRig(b)
	r.tenant("acme", "phone1")
	bin := built(b, "ingest", "worker", "standalone")
	f := figures.New("start")
	t := f.Table(fmt.Sprintf("exec to ready, of %d", n), "median:", "slowest:", "first:")
	for _, name := range []string{"worker", "ingest", "standalone"} {
		var took []time.Duration
		for range n {
			took = append(took, r.started(b, bin, name))
		}
		first := took[0]
		slices.Sort(took)
		median, worst := took[len(took)/2], took[len(took)-1]
		f.Meet("start-"+name, worst.Seconds(), "median %.3f s", median.Seconds())
		t.Row(name, fmt.Sprintf("%.0f ms", median.Seconds()*1000), fmt.Sprintf("%.0f ms", worst.Seconds()*1000), fmt.Sprintf("%.0f ms", first.Seconds()*1000))
		b.ReportMetric(worst.Seconds()*1000, "ms-"+name)
	}
	if err := f.Hand(); err != nil {
		b.Error(err)
	}
	b.ReportMetric(0, "ns/op")
}

// started runs a program until it is ready, and says how long that took.
func (r *rig) started(b *testing.B, bin, name string) time.Duration {
	b.Helper()
	listen, admin := unused(b), unused(b)
	args := []string{"--data", b.TempDir(), "--nats", unused(b), "--listen", listen, "--admin", admin, "--no-sample"}
	if name != "standalone" {
		args = []string{"--config", r.configured(b, listen, admin)}
	}
	began := time.Now()
	p := launch(b, admin, filepath.Join(bin, name), args...)
	p.ready(b)
	took := time.Since(began)
	p.stop()
	return took
}
