package standalone

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"changerelay/internal/graphsim"
	"changerelay/internal/relay"
)

// Each service by itself shows the families that the manual says are its, and
// Prometheus' own linters find nothing to say of what it shows.
func TestScrape(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a")
	in, work := r.start(relay.Ingest), r.start(relay.Worker)
	r.ready(in)
	r.ready(work)
	r.outcome(in.ingest, r.send(in.ingest, "desk", "1", change("1", "a", "app1")).ID)
	for letter, p := range map[string]*process{"i": in, "w": work} {
		text := r.get(p.admin + "/metrics").text
		if got, want := shown(text), manualsFamilies(t, letter); !slices.Equal(got, want) {
			t.Errorf("%s shows\n%v, and by the manual\n%v", letter, got, want)
		}
		problems, err := promlint.New(strings.NewReader(text)).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
		promtool(t, text)
	}
	for _, stranger := range []string{"acme", "outcomes_total"} { // the worker's, and of both
		if text := r.get(in.admin + "/metrics").text; strings.Contains(text, stranger) != (stranger == "outcomes_total") {
			t.Errorf("ingest shows %s, or does not", stranger)
		}
	}
}

// shown are our families of a scrape, sorted.
func shown(text string) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (changerelay_[a-z_]+) `).FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

// manualsFamilies are those of a service and of both. Of keys there are none
// without a reload that names them; the rig's have no names.
func manualsFamilies(t *testing.T, letter string) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(changerelay_[a-z_]+)` .* \\| ("+letter+"|b) \\| ").FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

// promtool has Prometheus' tool look at a scrape, where it is built.
func promtool(t *testing.T, text string) {
	t.Helper()
	built, err := filepath.Glob("../../.cache/tools-*/promtool")
	if err != nil || len(built) == 0 {
		t.Log("promtool is not built: make tools")
		return
	}
	check := exec.Command(built[0], "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// A scraper that asks for OpenMetrics gets it.
func TestOpenMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a")
	p := r.start(relay.Ingest | relay.Worker)
	req, err := http.NewRequest(http.MethodGet, p.admin+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	a, err := r.do(req)
	if err != nil || !strings.HasPrefix(a.header.Get("Content-Type"), "application/openmetrics-text") || !strings.HasSuffix(a.text, "# EOF\n") {
		t.Errorf("%v: %s, ends with %q", err, a.header.Get("Content-Type"), a.text[max(0, len(a.text)-20):])
	}
}

// While no worker runs, ingest tells what is not folded, and which devices are due.
func TestIngestAloneSeesTheBacklog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a", "b", "c")
	in := r.start(relay.Ingest)
	r.ready(in)
	for i, device := range []string{"a", "b"} {
		r.send(in.ingest, "desk", string(rune('1'+i)), change(string(rune('1'+i)), device, "app1"))
	}
	r.shows(in, map[string]float64{ // no worker has ever run, so there is no consumer
		`changerelay_unfolded_events`:                                2,
		`changerelay_stream_messages{stream="CHANGES"}`:              2,
		`changerelay_stream_last_sequence{stream="CHANGES"}`:         2,
		`changerelay_stream_messages{stream="KV_ledger"}`:            0,
		`changerelay_stream_oldest_timestamp_seconds{stream="DEAD"}`: 0,
	})
	all := r.series(in)
	oldest := all["changerelay_oldest_unfolded_timestamp_seconds"]
	if oldest == 0 || oldest != all[`changerelay_stream_oldest_timestamp_seconds{stream="CHANGES"}`] || all["changerelay_broker_last_look_timestamp_seconds"] < oldest {
		t.Errorf("the oldest event is of %v: %v", oldest, all)
	}

	r.sim.Fail(graphsim.Fault{Op: "get", Status: 429, Header: http.Header{"Retry-After": {"100"}}, Times: -1})
	work := r.start(relay.Worker)
	r.shows(work, map[string]float64{
		`changerelay_unfolded_events`:                                0,
		`changerelay_due_devices{state="runnable",tenant="acme"}`:    0,
		`changerelay_due_devices{state="waiting",tenant="acme"}`:     2,
		`changerelay_quota_rate{class="read",tenant="acme"}`:         0,
		`changerelay_stream_messages{stream="KV_ledger"}`:            2,
		`changerelay_outcomes_total{outcome="refused",stage="fold"}`: 0,
	})
	paused := r.series(work)
	for name, least := range map[string]float64{
		`changerelay_graph_responses_total{code="429",op="get"}`:                              1,
		`changerelay_graph_calls_total{kind="throttled",op="get"}`:                            1,
		`changerelay_quota_paused_until_timestamp_seconds{class="write",tenant="acme"}`:       oldest + 90,
		`changerelay_tenant_paused_since_timestamp_seconds{reason="throttled",tenant="acme"}`: oldest,
	} {
		if paused[name] < least {
			t.Errorf("%s is %v, want at least %v", name, paused[name], least)
		}
	}
	work.stop()
	r.send(in.ingest, "desk", "3", change("3", "c", "app1"))
	r.shows(in, map[string]float64{
		`changerelay_unfolded_events`:                   1,
		`changerelay_stream_messages{stream="CHANGES"}`: 3,
		`changerelay_stream_messages{stream="DEVICES"}`: 2,
	})
	if now := r.series(in)["changerelay_oldest_unfolded_timestamp_seconds"]; now <= oldest {
		t.Errorf("the oldest event is of %v, as before the worker ran", now)
	}
}
