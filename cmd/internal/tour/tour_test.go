package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/promtest"
)

// TestTour plays a short day with the real programs, and asks of its Prometheus
// everything that the dashboards ask. The day itself wants an outcome for every
// ticket that was taken, over a kill -9 and a restart of the broker.
func TestTour(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: a day takes a minute")
	}
	prometheus := promtest.Tool(t, "prometheus")
	root := promtest.Root(t)
	c := &cli{Bin: build(t, root), Prometheus: prometheus, Chart: filepath.Join(root, "deploy/helm/changerelay"), Short: true}
	s, err := c.start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.end()
	var out await.Log
	d := &day{s: s, out: &out, short: true, began: time.Now()}
	if err := d.play(t.Context()); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), s.lastWords())
	}
	t.Log(out.String())
	said(t, out.String())

	boards, err := c.boards()
	if err != nil {
		t.Fatal(err)
	}
	p := newProof(t, s, d.began)
	for _, b := range boards {
		t.Run(b.UID, func(t *testing.T) { p.board(t, b) })
	}
	t.Run("shows what happened", func(t *testing.T) { p.story(t, boards) })
	t.Run("commands", func(t *testing.T) { commands(t, s, boards) })
	t.Run("pictures", func(t *testing.T) { p.pictures(t, c) })
}

// build makes the programs as make build does.
func build(t *testing.T, root string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, out := range map[string]string{"ingest": "changerelay-ingest", "worker": "changerelay-worker", "graphsim": "graphsim", "relayctl": "relayctl"} {
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, out), "./cmd/"+name)
		cmd.Dir = root
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", name, err, said)
		}
	}
	return dir
}

// said wants the five questions and their answers in what the tour tells.
func said(t *testing.T, told string) {
	for _, want := range []string{
		`Where is this ticket\?\n +\$ relayctl status --ticket CHG0043000\n(.*\n)*? +waiting +acme`,
		`Why was it refused\?\n +\$ relayctl dead list --ticket CHG0044000\n(.*\n)*?.* refused +.*400`,
		`What does this device hold, and why\?\n +\$ relayctl device acme \S+\n(.*\n)*?.*CHG0045000`,
		`Are we throttled, and until when\?\n +\$ relayctl tenants\n(.*\n)*? +acme .* until .*429`,
		`Is anything stuck\?\n +\$ relayctl doctor --deep\n(.*\n)*?.*CHANGES backlog`,
	} {
		if !regexp.MustCompile(want).MatchString(told) {
			t.Errorf("it does not tell %s", want)
		}
	}
	for _, bad := range []string{"expired:", "invalid:"} {
		if strings.Contains(told, bad) {
			t.Errorf("events ended %s", bad)
		}
	}
}

// Without its programs the tour says which, and leaves nothing.
func TestNothingBuilt(t *testing.T) {
	c := &cli{Bin: t.TempDir(), Prometheus: "prometheus", Chart: "../../../deploy/helm/changerelay"}
	if _, err := c.start(t.Context(), t.TempDir()); err == nil || !strings.Contains(fmt.Sprint(err), "starting graphsim") {
		t.Errorf("it started: %v", err)
	}
	if _, err := os.Stat("bin"); err == nil {
		t.Error("it left something")
	}
}
