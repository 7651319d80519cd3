// Package promtest runs a real Prometheus inside a test: what a dashboard shows
// and when an alert fires is asked of the program that users ask, which scrapes
// the programs that users run. Only tests import it.
//
//	Start    a Prometheus that scrapes targets and evaluates rule files
//	Scrape   other targets from now on, such as a process that was started again
//	Query    an expression's samples, now
//	Alerts   the alerts that are pending or firing
//	Tool     the path of a tool of tools/go.mod, such as promtool
//
// The programs come from tools/go.mod. Where they are not built the test is
// skipped, with the command that builds them. Everything listens on loopback
// and is gone with the test.
package promtest

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
)

// DefaultInterval is short, so that a test sees a change at once, and long
// enough for a loaded machine to scrape a few programs in.
const DefaultInterval = 250 * time.Millisecond

// lookback is how many intervals a sample counts for when no other comes: as
// many as by Prometheus' defaults (5 m, where scrapes are 30 s apart).
const lookback = 10

// Options say what to scrape and what to evaluate.
type Options struct {
	Targets  map[string][]string // by job: addresses, as "127.0.0.1:9090"
	Rules    []string            // paths of rule files
	Interval time.Duration       // between scrapes and between evaluations; DefaultInterval if 0
}

// A Server is a Prometheus that runs until the test ends.
type Server struct {
	t    testing.TB
	o    Options
	file string // its configuration
	url  string
	log  await.Log
}

// Start runs Prometheus, and returns when it answers. It has native
// histograms beside classic ones, and exemplars.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	program := Tool(t, "prometheus")
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	dir := t.TempDir()
	s := &Server{t: t, o: o, file: filepath.Join(dir, "prometheus.yml")}
	s.write()
	s.run(exec.Command(program, "--config.file="+s.file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle", "--enable-feature=exemplar-storage",
		"--scrape.discovery-reload-interval="+duration(o.Interval), "--query.lookback-delta="+duration(lookback*o.Interval)))
	await.State(t, "Prometheus to be ready", func() bool {
		res, err := http.Get(s.url + "/-/ready")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return s
}

// URL is where its API is.
func (s *Server) URL() string { return s.url }

// Scrape has it scrape these targets and no others.
func (s *Server) Scrape(targets map[string][]string) {
	s.t.Helper()
	s.o.Targets = targets
	s.write()
	res, err := http.Post(s.url+"/-/reload", "", nil)
	if err != nil {
		s.t.Fatalf("promtest: reloading Prometheus: %v", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		s.t.Fatalf("promtest: reloading Prometheus: %s\n%s", res.Status, s.log.String())
	}
}

var listening = regexp.MustCompile(`msg="Listening on" .*address=(127\.0\.0\.1:[1-9]\d*)`)

func (s *Server) run(cmd *exec.Cmd) {
	s.t.Helper()
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("promtest: starting Prometheus: %v", err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }()
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
	})
	ended := func() bool {
		select {
		case <-gone:
			return true
		default:
			return false
		}
	}
	await.State(s.t, "Prometheus to listen", func() bool {
		if at := listening.FindStringSubmatch(s.log.String()); at != nil {
			s.url = "http://" + at[1]
		}
		return s.url != "" || ended()
	})
	if s.url == "" {
		said := s.log.String()
		s.t.Fatalf("promtest: Prometheus ended at its start:\n%s", said[:min(len(said), 2000)]) // usage follows
	}
}

// duration is d as Prometheus reads it: it knows no fractions.
func duration(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// write makes the configuration.
func (s *Server) write() {
	s.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "global:\n  scrape_interval: %[1]s\n  scrape_timeout: %[1]s\n  evaluation_interval: %[1]s\n", duration(s.o.Interval))
	b.WriteString("  scrape_native_histograms: true\n  always_scrape_classic_histograms: true\n")
	if len(s.o.Rules) > 0 {
		b.WriteString("rule_files:\n")
		for _, path := range s.o.Rules {
			abs, err := filepath.Abs(path)
			if err != nil {
				s.t.Fatal(err)
			}
			fmt.Fprintf(&b, "  - %q\n", abs)
		}
	}
	b.WriteString("scrape_configs:\n")
	for _, job := range slices.Sorted(maps.Keys(s.o.Targets)) {
		fmt.Fprintf(&b, "  - job_name: %q\n    static_configs:\n      - targets: [", job)
		for _, target := range s.o.Targets[job] {
			fmt.Fprintf(&b, "%q, ", target)
		}
		b.WriteString("]\n")
	}
	if err := os.WriteFile(s.file, []byte(b.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
}
