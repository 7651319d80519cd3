package runbook

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/graphsim"
	"changerelay/internal/natstest"
	"changerelay/internal/promtest"
)

const (
	entraTenant = "7f3c1d52-9b1e-4d0e-8a52-3c1b7f0a1d00"
	clientID    = "2b7e1d52-9b1e-4d0e-8a52-3c1b7f0a1d01"
	secret      = "sim-secret-not-for-logs-5127"
	token       = "desk-token-not-for-logs-8831"
	device      = "6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11"
)

// firesWithin is how long an alert may take to fire or to end: two looks of a
// program at the broker, the alert's own time, and a loaded machine.
const firesWithin = 3 * time.Minute

var (
	building sync.Once
	programs string // folder of the built programs
	buildErr error
)

func TestMain(m *testing.M) {
	code := m.Run()
	if programs != "" {
		os.RemoveAll(programs)
	}
	os.Exit(code)
}

// build builds what users run, once.
func build(t *testing.T) {
	t.Helper()
	building.Do(func() {
		if programs, buildErr = os.MkdirTemp("", "changerelay-"); buildErr != nil {
			return
		}
		out, err := exec.Command("go", "build", "-buildvcs=false", "-o", programs+string(filepath.Separator), "changerelay/cmd/ingest", "changerelay/cmd/worker").CombinedOutput()
		if err != nil {
			buildErr = errors.New(string(out))
		}
	})
	if buildErr != nil {
		t.Fatalf("building the programs: %v", buildErr)
	}
}

// A rig is a broker and a simulated tenant in this process, ingest and a worker
// in others, and a Prometheus that scrapes these and evaluates quick rules.
type rig struct {
	t              *testing.T
	broker         *natstest.Broker
	sim            *graphsim.Sim
	config         string
	ingest, worker *process
	prom           *promtest.Server
}

func newRig(t *testing.T, factor int) *rig {
	t.Helper()
	promtest.Tool(t, "prometheus") // before anything is built
	r := newRelay(t)
	r.prom = promtest.Start(t, promtest.Options{Targets: r.targets(), Rules: quicken(t, factor)})
	r.until("both services' look at the broker", func() bool {
		return len(r.prom.Query(`time() - changerelay_broker_last_look_timestamp_seconds < 60`)) == 2 &&
			len(r.prom.Query(`namespace_stream:changerelay_stream_last_sequence:max{stream="DEAD"}`)) == 1
	})
	return r
}

// newRelay is a rig without a Prometheus.
func newRelay(t *testing.T, opts ...natstest.Option) *rig {
	t.Helper()
	build(t)
	r := &rig{t: t, broker: natstest.Server(t, opts...), sim: simulate(t)}
	r.configure()
	r.ingest, r.worker = r.start("ingest"), r.start("worker")
	return r
}

func simulate(t *testing.T) *graphsim.Sim {
	t.Helper()
	sim, err := graphsim.New(graphsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secret}, graphsim.Device{ID: device, Platform: "iOS"})
	return sim
}

func (r *rig) configure() {
	r.t.Helper()
	dir := r.t.TempDir()
	r.config = filepath.Join(dir, "changerelay.yaml")
	for path, content := range map[string]string{
		filepath.Join(dir, "secret"): secret, filepath.Join(dir, "token"): token, filepath.Join(dir, "ca.pem"): string(r.sim.CA()),
		r.config: fmt.Sprintf(`
nats: {url: %q, replicas: 1}
ingest: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
worker: {timing: {fresh: 1ms}} # a copy that is put back is older than a minute, but in a test
tenants:
  acme: {tenant_id: %s, client_id: %s, client_secret: {file: secret}, cloud: custom, graph_url: %q, authority_url: %q, ca_file: ca.pem}
sources:
  desk: {kind: cloudevents, tenants: [acme], header: {name: X-Token, secrets: [{file: token}]}}
`, r.broker.URL(), entraTenant, clientID, r.sim.URL(), r.sim.URL()),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
}

// A process is a running program of ours.
type process struct {
	admin, web string // addresses
	kill       func() // kill -9; returns when it is gone
	log        await.Log
}

var listening = regexp.MustCompile(`"msg":"listening".*?"address":"([^"]+)"`)

// start runs the program, and returns when it answers.
func (r *rig) start(name string) *process {
	r.t.Helper()
	cmd, p := exec.Command(filepath.Join(programs, name), "--config", r.config), &process{}
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	if err := cmd.Start(); err != nil {
		r.t.Fatalf("starting %s: %v", name, err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }()
	p.kill = func() { _ = cmd.Process.Kill(); <-gone }
	r.t.Cleanup(p.kill)
	r.until(name+" to be ready", func() bool {
		for _, m := range listening.FindAllStringSubmatch(p.log.String(), -1) {
			if status("http://"+m[1]+"/readyz") == http.StatusOK {
				p.admin = m[1]
			} else {
				p.web = m[1]
			}
		}
		return p.admin != "" && (p.web != "" || name == "worker")
	})
	return p
}

func status(url string) int {
	res, err := http.Get(url)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func (r *rig) targets() map[string][]string {
	return map[string][]string{"ingest": {r.ingest.admin}, "worker": {r.worker.admin}}
}

// post sends a ticket for a device.
func (r *rig) post(ticket, device string) {
	r.t.Helper()
	r.remove(ticket, device, "a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21")
}

// remove sends a ticket that removes the item from the device.
func (r *rig) remove(ticket, device, item string) {
	r.t.Helper()
	body := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/desk","type":"changerelay.change.v1","subject":%q,"time":%q,"data":
		{"tenant":"acme","device":%q,"changes":[{"intent":"remove","item":{"id":%q,"type":"application"}}]}}`,
		ticket, ticket, time.Now().UTC().Format(time.RFC3339), device, item)
	req, err := http.NewRequest(http.MethodPost, "http://"+r.ingest.web+"/v1/changes", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("X-Token", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if said, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusAccepted {
		r.t.Fatalf("ingest says %s: %s", res.Status, said)
	}
}

// firing are the alerts of that name that fire, with these labels.
func (r *rig) firing(name string, labels ...string) (n int) {
	want := map[string]string{}
	for i := 0; i < len(labels); i += 2 {
		want[labels[i]] = labels[i+1]
	}
	for _, a := range r.prom.Firing(name) {
		if within(want, a.Labels) {
			n++
		}
	}
	return n
}

// calm fails the test if anything fires that is not named.
func (r *rig) calm(but ...string) {
	r.t.Helper()
	for _, a := range r.prom.Alerts() {
		if a.State == "firing" && !strings.Contains(strings.Join(but, " "), a.Labels["alertname"]) {
			r.t.Errorf("%v fires: %s", a.Labels, a.Annotations["description"])
		}
	}
}

// until waits for a state, longer than await.State does.
func (r *rig) until(what string, is func() bool) {
	r.t.Helper()
	deadline := time.NewTimer(firesWithin)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			var said string
			if r.ingest != nil && r.worker != nil {
				said = fmt.Sprintf("\n%.3000s\n%.3000s", r.ingest.log.String(), r.worker.log.String())
			}
			r.t.Fatalf("waited %v for %s%s", firesWithin, what, said)
		case <-tick.C:
		}
	}
}
