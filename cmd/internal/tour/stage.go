package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"changerelay/internal/dashboard"
	"changerelay/internal/standalone"
)

// A stage is the programs of the tour, all on loopback, and their files.
type stage struct {
	dir     string // of everything
	bin     string // the built programs
	rules   string // the chart's
	secrets map[string]string

	brokerAddr, graph, graphAdmin, ingest, ingestAdmin, workerAdmin, promAddr string

	away                     atomic.Bool             // a ticket was answered 503
	broker                   interface{ Shutdown() } // in this process
	sim, front, worker, prom *process
}

// start runs everything, and returns when it works.
func (c *cli) start(ctx context.Context, dir string) (*stage, error) {
	s := &stage{dir: dir, rules: filepath.Join(c.Chart, "rules")}
	var err error
	for _, path := range []struct {
		to   *string
		from string
	}{{&s.bin, c.Bin}, {&s.rules, s.rules}, {&c.Prometheus, c.Prometheus}} {
		if *path.to, err = filepath.Abs(path.from); err != nil {
			return nil, err
		}
	}
	ports, err := free(7)
	if err != nil {
		return nil, err
	}
	s.brokerAddr, s.graph, s.graphAdmin, s.ingest = ports[0], ports[1], ports[2], ports[3]
	s.ingestAdmin, s.workerAdmin, s.promAddr = ports[4], ports[5], ports[6]
	if err := s.files(); err != nil {
		return nil, err
	}
	s.sim = s.program("graphsim", filepath.Join(s.bin, "graphsim"), "--listen", s.graph, "--admin", s.graphAdmin,
		"--scenario", s.file("scenario.yaml"), "--ca", s.file("ca.pem"))
	s.front = s.program("ingest", filepath.Join(s.bin, "changerelay-ingest"), "--config", s.file("changerelay.yaml"))
	s.worker = s.program("worker", filepath.Join(s.bin, "changerelay-worker"), "--config", s.file("worker.yaml"))
	s.prom = s.program("prometheus", c.Prometheus, "--config.file", s.file("prometheus.yml"), "--storage.tsdb.path", s.file("prometheus"),
		"--web.listen-address", s.promAddr, "--enable-feature=exemplar-storage", "--scrape.discovery-reload-interval=1s")
	if err := s.up(ctx); err != nil {
		err = fmt.Errorf("%w\n%s", err, s.lastWords())
		s.end()
		return nil, err
	}
	return s, nil
}

func (s *stage) file(name string) string { return filepath.Join(s.dir, name) }

// up starts the programs: whoever is needed goes first.
func (s *stage) up(ctx context.Context) error {
	if err := s.startBroker(ctx); err != nil {
		return err
	}
	for _, one := range []struct {
		p     *process
		ready string
	}{
		{s.sim, "http://" + s.graphAdmin + "/"},
		{s.worker, "http://" + s.workerAdmin + "/readyz"},
		{s.front, "http://" + s.ingestAdmin + "/readyz"},
		{s.prom, "http://" + s.promAddr + "/-/ready"},
	} {
		if err := one.p.start(); err != nil {
			return err
		}
		if err := s.wait(ctx, one.p.name+" to be ready", upWithin, func() bool { return answers(one.ready) }); err != nil {
			return err
		}
	}
	return s.wait(ctx, "Prometheus to have seen both services", upWithin, func() bool {
		got, err := s.prometheus().Instant(ctx, `count(up == 1)`, time.Now())
		return err == nil && len(got) == 1 && got[0].Value.V == 2
	})
}

func (s *stage) startBroker(ctx context.Context) error {
	b, err := standalone.StartBroker(ctx, s.file("broker"), s.brokerAddr)
	if err != nil {
		return err
	}
	s.broker = b
	return nil
}

func (s *stage) prometheus() dashboard.Prometheus {
	return dashboard.Prometheus("http://" + s.promAddr)
}

// is reports whether Prometheus has a sample for the expression.
func (s *stage) is(ctx context.Context, expr string) bool {
	got, err := s.prometheus().Instant(ctx, expr, time.Now())
	return err == nil && len(got) > 0
}

// end stops everything, those first who need the others.
func (s *stage) end() {
	for _, p := range []*process{s.prom, s.front, s.worker, s.sim} {
		p.stop()
	}
	if s.broker != nil {
		s.broker.Shutdown()
	}
}

// wait waits for a state, for at most so long.
func (s *stage) wait(ctx context.Context, what string, most time.Duration, is func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

func answers(url string) bool {
	res, err := http.Get(url)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// lastWords are what the programs wrote last.
func (s *stage) lastWords() string {
	var b strings.Builder
	for _, p := range []*process{s.sim, s.worker, s.front, s.prom} {
		fmt.Fprintf(&b, "--- %s\n%s\n", p.name, p.tail())
	}
	return b.String()
}

// where says how to look at everything.
func (s *stage) where(out io.Writer) {
	fmt.Fprintf(out, `
Where to look
  Prometheus   http://%s   (add it to a Grafana as a data source, and import %s)
  alerts       http://%s/alerts
  metrics      http://%s/metrics   http://%s/metrics
  Graph's side http://%s/journal   (docs/graphsim.md says what else it does)
  logs         %s/*.log

To ask yourself, in another terminal of this folder:
  export %s PATH="%s:$PATH"
  relayctl tenants --watch
`, s.promAddr, "deploy/helm/changerelay/dashboards/*.json", s.promAddr, s.ingestAdmin, s.workerAdmin, s.graphAdmin, s.dir, strings.Join(s.environment(), " "), s.bin)
}
